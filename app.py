"""AnomalyLoop's one entry point: `python app.py [--host --port]`.

Migrates the database, starts the embedded worker and its schedule (where no broker is configured), serves the page
and the REST interface, and takes everything down with it when it ends.
"""

import argparse
import contextlib
import fcntl
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from db.session import migrate
from settings import Settings, get_settings
from workers.logs import configure_logging

logger = logging.getLogger("anomalyloop")

# Seconds that open requests (an upload, a page's event stream) get when the app is told to end.
_SHUTDOWN_SECONDS = 3


class StartError(Exception):
    """The app can't start; the message says why and what to do."""


def parse_arguments(arguments: list[str], settings: Settings) -> argparse.Namespace:
    """The command line; what it does not say comes from the settings."""
    parser = argparse.ArgumentParser(prog="app.py", description="Serve AnomalyLoop: the page, REST and its worker.")
    parser.add_argument("--host", default=settings.host, help="address to serve on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=settings.port, help="port to serve on (default: %(default)s)")
    return parser.parse_args(arguments)


def require_loopback(host: str) -> None:
    """Refuse an address that other machines can reach. Raises StartError."""
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except socket.gaierror as error:
        raise StartError(f"The address {host!r} can't be resolved ({error.strerror}). Use 127.0.0.1.") from error
    if not all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in addresses):
        raise StartError(
            f"Refusing to serve on {host}: other machines can reach it, and there are no accounts yet, so anyone there "
            "could read and change everything. Use --host 127.0.0.1, and an SSH tunnel or a proxy that asks for a "
            "password where others need access."
        )


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket, so that a taken port is known before anything is started. Raises StartError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise StartError(f"Can't serve on {host}:{port} ({error}). Stop what uses it, or choose --port.") from error
    # Connections inherit it. asyncio does not see that a socket made outside of it is TCP, and leaves it off; then the
    # end of every answer waits 40 ms for the browser to acknowledge its start.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


@contextlib.contextmanager
def sole_use(home: Path) -> Iterator[None]:
    """Hold the data folder for one app: two would each run a worker on the same files. Raises StartError."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "app.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(
                f"Another AnomalyLoop is using the data folder {home.resolve()}. Stop it, or set ANOMALYLOOP_HOME to "
                "another folder."
            ) from error
        yield


@contextlib.contextmanager
def embedded_processes(settings: Settings) -> Iterator[None]:
    """The worker and the schedule as child processes on an empty broker of their own."""
    from workers import file_broker
    from workers.supervisor import Supervisor

    file_broker.clear(settings.home)
    supervisor = Supervisor()
    supervisor.start()
    try:
        yield
    finally:
        logger.info("Ending the worker and the schedule.")
        supervisor.stop()


def serve(settings: Settings, listening: socket.socket) -> None:
    """Serve until told to end."""
    import uvicorn

    from webapp.server import build_app

    config = uvicorn.Config(build_app(settings), log_config=None, timeout_graceful_shutdown=_SHUTDOWN_SECONDS)
    host, port = listening.getsockname()[:2]
    logger.info("AnomalyLoop is at http://%s:%d (Ctrl-C ends it).", f"[{host}]" if ":" in host else host, port)
    uvicorn.Server(config).run(sockets=[listening])


def run(arguments: list[str]) -> None:
    """Everything in order, and back in reverse order. Raises StartError."""
    settings = _read_settings()
    options = parse_arguments(arguments, settings)
    configure_logging(settings.log_level)
    require_loopback(options.host)
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(open_socket(options.host, options.port))
        logger.info("Data folder: %s", settings.home.resolve())
        if settings.embedded_broker:
            stack.enter_context(sole_use(settings.home))
        logger.info("Bringing the database up to date.")
        migrate(settings.resolved_database_url)
        if settings.embedded_broker:
            stack.enter_context(embedded_processes(settings))
        else:
            logger.info("Runs and scoring wait for workers: celery -A workers.celery_app worker (and one beat).")
        logger.info("Loading the page; the model loads in the background.")
        serve(settings, listening)


def _read_settings() -> Settings:
    try:
        return get_settings()
    except ValidationError as error:
        faults = "; ".join(
            f"ANOMALYLOOP_{str(e['loc'][0]).upper()}: {e['msg']} (is {e['input']!r})" for e in error.errors()
        )
        raise StartError(f"A setting in the environment can't be used. {faults}") from error


def _end(*_: object) -> None:
    raise SystemExit(0)


def main() -> int:
    """The exit status: 0 when told to end, 1 when the app could not start, 2 for a wrong command line."""
    # Uvicorn hands the signal on when it has shut down; without these the process would end before its children.
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    try:
        run(sys.argv[1:])
    except StartError as error:
        print(f"AnomalyLoop did not start. {error}", file=sys.stderr)
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # At once: a thread that still loads or runs the model would abort an interpreter that is being taken down.
    os._exit(status)
