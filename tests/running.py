"""A running app.py, started and ended as a user would, or killed as fate would."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx

ROOT = Path(__file__).resolve().parent.parent


def wait_until(true: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Wait for something that must happen; only a test that fails waits for long."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"still not: {what}"
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether something listens at a broker's address."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2).close()
    except OSError:
        return False
    return True


def children(pid: int) -> dict[str, int]:
    """Role → process id of the app's living children."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid and b"workers.broker.child" in words:
            found[words[-2].decode()] = int(folder.name)
    return found


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class RunningApp:
    """`python app.py`, on a free port unless told otherwise.

    Args:
        home: its data folder.
        backbone: the value for ANOMALYLOOP_BACKBONE; empty: not set.
        port: 0: a free one.
        variables: others in the environment.
        settings: others, by the name of their field.
    """

    def __init__(
        self,
        home: Path,
        backbone: str,
        *,
        port: int = 0,
        variables: Mapping[str, str] | None = None,
        **settings: object,
    ) -> None:
        self.backbone = backbone
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANOMALYLOOP_")}
        ours = {"home": home, **({"backbone": backbone} if backbone else {}), **settings}
        environment |= dict(variables or {})
        environment |= {f"ANOMALYLOOP_{name.upper()}": str(value) for name, value in ours.items()}
        home.mkdir(parents=True, exist_ok=True)
        self.log_file = home / f"log-{time.monotonic_ns()}.txt"
        with self.log_file.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py", "--port", str(port)], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        wait_until(lambda: self._address() or self.process.poll() is not None, "serving")
        assert self.process.poll() is None, self.log
        self.client = httpx.Client(base_url=self._address(), timeout=60, trust_env=False)
        wait_until(self._answers, "answering")

    @property
    def log(self) -> str:
        """What it said so far."""
        return self.log_file.read_text()

    def _address(self) -> str:
        found = re.search(r"AnomalyLoop is at (http://\S+)", self.log)
        return found.group(1) if found else ""

    def _answers(self) -> bool:
        try:
            return self.client.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def ready(self) -> bool:
        """Whether /readyz says so."""
        return self.client.get("/readyz").status_code == 200

    def children(self) -> dict[str, int]:
        """Role → process id."""
        return children(self.process.pid)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit status, negative for a signal."""
        self.process.send_signal(how)
        return self.process.wait(60)


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
