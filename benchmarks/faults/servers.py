"""Servers of one's own, which may be killed: PostgreSQL and Redis on free ports, thrown away in the end."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path


class ServerMissing(Exception):
    """A server is not installed here."""


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(true: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Return when it is so; raise TimeoutError when it does not become so."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"still not after {seconds:.0f} s: {what}")
        time.sleep(0.1)


def answers(port: int) -> bool:
    """Whether something listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Postgres:
    """A PostgreSQL cluster. It does not run as root, so root has the user `postgres` run it."""

    def __init__(self) -> None:
        found = shutil.which("initdb")
        if found is None:
            raise ServerMissing("PostgreSQL's initdb is not in the PATH (apt-get install postgresql)")
        self._programs = Path(found).resolve().parent
        self._data, self.port = Path(tempfile.mkdtemp(prefix="anomalyloop-postgres-")), free_port()
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._data, self._user)
        self._call("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of its database."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start, and return when it answers."""
        options = f"-p {self.port} -h 127.0.0.1 -k {self._data}"
        self._call("pg_ctl", "-D", str(self._data), "-l", str(self._data / "log"), "-o", options, "-w", "start")

    def crash(self) -> None:
        """End at once, as by a power cut: no checkpoint, all connections broken."""
        self._call("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def stop(self) -> None:
        """End for good."""
        self.crash()
        shutil.rmtree(self._data)

    def _call(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        # Not piped: the server that pg_ctl starts would hold the other end open.
        subprocess.run(
            command,
            user=self._user,
            cwd=self._data,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


class Redis:
    """A Redis that keeps nothing on disk: killed, it has lost everything."""

    def __init__(self) -> None:
        if shutil.which("redis-server") is None:
            raise ServerMissing("redis-server is not in the PATH (apt-get install redis-server)")
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        """Celery's URL of it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start, and return when it answers."""
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL,
        )
        wait_for(lambda: answers(self.port), "Redis answers")

    def crash(self) -> None:
        """Kill it."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    stop = crash
