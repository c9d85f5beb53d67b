"""AnomalyLoop's one entry point: `python app.py [--host --port]`.

Migrates the database, starts the embedded worker and its schedule (where no broker is configured), serves the page
and the REST interface, and takes everything down with it when it ends.
"""

import argparse
import contextlib
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from db.migrate import migrate
from settings import BadSettings, Settings, misspelt, read_settings
from workers.operations.data_folder import InUse, sole_use
from workers.operations.logs import configure_logging
from workers.operations.starting import why_not

if TYPE_CHECKING:
    from fastapi import FastAPI

# Threads of torch that wait for each other let go of their core: where two processes compute on few cores, those that
# spin take it from those that work, and everything is up to ten times slower. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
logger = logging.getLogger("anomalyloop")

# An idle connection stays open for longer than people think about an image, and than proxies keep theirs (Caddy 120 s):
# one that the server closes at the moment of the next request fails it, and only some clients ask again.
_KEEP_ALIVE_SECONDS = 150
_told_to_end = threading.Event()


class StartError(Exception):
    """The app can't start; the message says why and what to do."""


def parse_arguments(arguments: list[str], settings: Settings, program: str = "app.py") -> argparse.Namespace:
    """The command line; what it does not say comes from the settings."""
    parser = argparse.ArgumentParser(prog=program, description="Serve AnomalyLoop: the page, REST and its worker.")
    parser.add_argument("--host", default=settings.host, help="address to serve on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=settings.port, help="port to serve on (default: %(default)s)")
    return parser.parse_args(arguments)


def is_loopback(host: str) -> bool:
    """Whether no other machine can reach this address. Raises StartError."""
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except socket.gaierror as error:
        raise StartError(f"The address {host!r} can't be resolved ({error.strerror}). Use 127.0.0.1.") from error
    return all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in addresses)


def require_admin(settings: Settings, host: str) -> None:
    """Refuse to serve with accounts where nobody could manage them. Raises StartError."""
    from db.accounts.users import has_admin
    from workers.accounts.first_admin import ensure_first_admin
    from workers.accounts.managing import FIRST_ADMIN
    from workers.context import get_store
    from workers.errors import BadName, BadPassword

    store = get_store()
    try:
        if settings.first_admin:
            migrate(settings.resolved_database_url)
            ensure_first_admin(store, settings)
        if has_admin(store.database):
            return
    except (BadName, BadPassword) as error:
        raise StartError(f"The first admin could not be made from ANOMALYLOOP_FIRST_ADMIN. {error}") from error
    finally:
        store.database.close()
    reason = "other machines can reach it" if not is_loopback(host) else "ANOMALYLOOP_AUTH is on"
    raise StartError(
        f"Refusing to serve on {host}: {reason}, and there are no accounts yet. Make the first admin with the same "
        f"settings, then start again: {FIRST_ADMIN}. For yourself alone, serve without accounts: --host 127.0.0.1."
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
def embedded_processes(settings: Settings) -> Iterator[None]:
    """The worker and the schedule as child processes on an empty broker of their own."""
    from workers.broker import file_broker
    from workers.broker.supervisor import Supervisor

    file_broker.clear(settings.home)
    supervisor = Supervisor()
    supervisor.start()
    try:
        yield
    finally:
        logger.info("Ending the worker and the schedule.")
        supervisor.stop()


def build_web(settings: Settings, *, accounts: bool) -> "FastAPI":
    """The page and REST, for people who sign in where there are accounts; its imports take seconds."""
    from webapp.server import build_app

    return build_app(settings, accounts=accounts)


def serve(web: "FastAPI", listening: socket.socket, settings: Settings) -> None:
    """Serve until told to end."""
    import uvicorn

    config = uvicorn.Config(
        web,
        log_config=None,
        forwarded_allow_ips=settings.proxies,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    host, port = listening.getsockname()[:2]
    logger.info("AnomalyLoop is at http://%s:%d (Ctrl-C ends it).", f"[{host}]" if ":" in host else host, port)
    if _told_to_end.is_set():  # Python drops an exit that is raised within a callback of its garbage collector
        raise SystemExit(0)
    uvicorn.Server(config).run(sockets=[listening])


def run(arguments: list[str], program: str) -> None:
    """Everything in order, and back in reverse order. Raises StartError."""
    settings = read_settings()
    options = parse_arguments(arguments, settings, program)
    configure_logging(settings.log_level, settings.log_format)
    for sentence in misspelt():
        logger.warning("%s", sentence)
    accounts = settings.auth == "on" or not is_loopback(options.host)
    if accounts:
        require_admin(settings, options.host)
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(open_socket(options.host, options.port))
        logger.info("Data folder: %s", settings.home.resolve())
        if settings.embedded_broker:
            stack.enter_context(sole_use(settings.home))
        logger.info("Bringing the database up to date.")
        migrate(settings.resolved_database_url)
        logger.info("Loading the page; the model loads in the background.")
        web = build_web(settings, accounts=accounts)
        # After the page, which people wait for: on few cores they would take turns.
        if settings.embedded_broker:
            stack.enter_context(embedded_processes(settings))
        else:
            logger.info("Runs and scoring wait for workers: celery -A workers.celery_app worker (and one beat).")
        serve(web, listening, settings)


def _end(*_: object) -> None:
    _told_to_end.set()
    raise SystemExit(0)


def _refused(why: str) -> int:
    print(f"AnomalyLoop did not start. {why}", file=sys.stderr)
    return 1


def main(arguments: list[str], *, program: str = "app.py") -> int:
    """The exit status: 0 when told to end, 1 when the app could not start, 2 for a wrong command line."""
    # Uvicorn hands the signal on when it has shut down; without these the process would end before its children.
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    try:
        run(arguments, program)
    except (StartError, InUse, BadSettings) as error:
        return _refused(str(error))
    except (SQLAlchemyError, CommandError) as error:
        why = why_not(error)
        if why is None:
            raise
        return _refused(why)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def end_process(status: int) -> NoReturn:
    """End at once: a thread that still loads or runs the model would abort an interpreter that is being taken down."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))
