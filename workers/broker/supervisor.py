"""Keeps the embedded worker and its schedule running as child processes: started, restarted when they die, ended."""

import logging
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
# A child that dies sooner than this after its start waits before it is started again, longer each time.
_QUICK_DEATH_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 30.0
_GRACE_SECONDS = 3.0


@dataclass
class _Child:
    role: str
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    wait_seconds: float = 0.0
    start_after: float = field(default_factory=time.monotonic)


class Supervisor:
    """Runs `python -m workers.broker.child` once for each role.

    All children are started by one thread that lives as long as the supervisor: the kernel ends a child when the
    *thread* that started it ends.
    """

    def __init__(self, roles: tuple[str, ...] = ("worker", "beat")) -> None:
        self._children = [_Child(role) for role in roles]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start the children; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the children and wait until they are gone: politely first, then by force."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for child in self._children:
                self._look_after(child)
            self._stopping.wait(0.2)
        self._end_all()

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            code, lived = child.process.returncode, now - child.started_at
            child.wait_seconds = (
                min(2 * child.wait_seconds + 1, _LONGEST_WAIT_SECONDS) if lived < _QUICK_DEATH_SECONDS else 0.0
            )
            child.start_after = now + child.wait_seconds
            logger.warning(
                "The %s (pid %d) ended %s; it is started again%s.",
                child.role,
                child.process.pid,
                f"by signal {-code}" if code < 0 else f"with status {code}",
                f" in {child.wait_seconds:.0f} s" if child.wait_seconds else "",
            )
            child.process = None
        if child.process is None and now >= child.start_after:
            self._start(child)

    def _start(self, child: _Child) -> None:
        # A session of its own: Ctrl-C in the terminal reaches the app alone, which then ends its children in order.
        # In the app's folder, which relative paths in settings mean; with -P nothing in it is taken for a module.
        child.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "workers.broker.child", str(os.getpid()), child.role],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        child.started_at = time.monotonic()
        logger.info("Started the %s (pid %d).", child.role, child.process.pid)

    def _end_all(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + _GRACE_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                # A run in progress would hold the worker up for minutes. It goes on from its checkpoint next time.
                process.kill()
                process.wait()
