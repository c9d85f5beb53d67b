"""Two ways to run the product, each with the faults that can befall it."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any

from benchmarks.faults.servers import Postgres, Redis, wait_for
from benchmarks.served import ROOT, Served
from db.store import Store, open_store
from settings import Settings

Fault = Callable[[], None]
# Seconds that what is away stays away.
_AWAY = (1.0, 4.0)
_GLANCE = 0.02  # seconds between two looks for room that others gave back to a full disk
# As systemd, compose and Kubernetes do: a worker that ends is started again (one of Celery's can end with its broker).
_AGAIN_AND_AGAIN = 'while true; do "$0" "$@"; sleep 2; done'
_SETTINGS = {"ANOMALYLOOP_LEASE_SECONDS": "5", "ANOMALYLOOP_FEATURE_CACHE_GB": "0.05", "OMP_NUM_THREADS": "1"}


class Embedded(Served):
    """`python app.py` with nothing set: SQLite, files, a worker and a schedule of its own."""

    def __init__(self, home: Path, **environment: str) -> None:
        super().__init__(home, **{**_SETTINGS, **environment})
        self.addresses = [str(self.client.base_url)]
        self._turn = "beat"

    def start(self) -> None:
        """The same, with a place for files that can be taken away in one step."""
        if not (self.home / "blobs").exists():
            (self.home / "files").mkdir(parents=True)
            self._lead_blobs_to("files")
            (self.home / "nothing").touch()
        super().start()

    def store(self) -> Store:
        """Database and files, as they are."""
        settings = Settings(home=self.home)
        return open_store(settings.resolved_database_url, settings.resolved_blob_url)

    def kill_app(self) -> None:
        """Kill the app, with which its worker and its schedule end, and start it again."""
        self.process.kill()
        self.process.wait()
        self.start()

    def kill_child(self) -> None:
        """Kill the worker, the next time Celery's beat, in turn; the app starts another one."""
        self._turn = "beat" if self._turn == "worker" else "worker"
        wait_for(lambda: self._turn in self._children(), f"the {self._turn} is there")
        with contextlib.suppress(ProcessLookupError):  # it was about to be started again
            os.kill(self._children()[self._turn], signal.SIGKILL)

    def empty_broker(self) -> None:
        """Every message is gone, and the folders they were in."""
        shutil.rmtree(self.home / "broker", ignore_errors=True)

    def hide_blobs(self) -> None:
        """The place for files can be neither read nor written for some seconds."""
        self._lead_blobs_to("nothing")
        time.sleep(random.uniform(*_AWAY))
        self._lead_blobs_to("files")

    def fill_disk(self) -> None:
        """The disk with the data folder has no room for some seconds."""
        filler = self.home / "filler"
        with filler.open("ab", buffering=0) as file:
            self._take_room(file)
            end = time.monotonic() + random.uniform(*_AWAY)
            while time.monotonic() < end:
                time.sleep(_GLANCE)
                self._take_room(file)
        filler.unlink()

    def _take_room(self, file: FileIO) -> None:
        """Write until the disk has no byte left, also of what others gave back."""
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(min(1 << 20, max(1, shutil.disk_usage(self.home).free))))

    def _lead_blobs_to(self, name: str) -> None:
        link = self.home / "link"
        link.symlink_to(self.home / name)
        link.replace(self.home / "blobs")

    def _children(self) -> dict[str, int]:
        found = subprocess.run(
            ["ps", "--ppid", str(self.process.pid), "-o", "pid=,args="], capture_output=True, text=True
        ).stdout
        lines = [line.split() for line in found.splitlines() if "workers.broker.child" in line]
        return {words[-1]: int(words[0]) for words in lines}


class OnServers(Served):
    """Page, and a Celery worker with the schedule, on a PostgreSQL and a Redis of their own."""

    def __init__(self, home: Path, postgres: Postgres, redis: Redis, **environment: str) -> None:
        self.postgres, self.redis = postgres, redis
        ours = {"ANOMALYLOOP_DATABASE_URL": postgres.url, "ANOMALYLOOP_BROKER_URL": redis.url}
        super().__init__(home, **{**_SETTINGS, **ours, **environment})
        self.addresses = [str(self.client.base_url)]

    def start(self) -> None:
        """The page, then the worker."""
        super().start()
        self._start_worker()

    def _start_worker(self) -> None:
        celery = ["-m", "celery", "-A", "workers.celery_app", "worker", "--beat", "--pool=threads", "--concurrency=4"]
        with (self.home / "worker.log").open("ab") as log:
            self._worker = subprocess.Popen(
                ["sh", "-c", _AGAIN_AND_AGAIN, sys.executable, *celery],
                cwd=ROOT,
                env={**os.environ, "ANOMALYLOOP_HOME": str(self.home), **self.environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _end_worker(self) -> None:
        """With its schedule, which is a process of its own and would go on."""
        os.killpg(self._worker.pid, signal.SIGKILL)
        self._worker.wait()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._end_worker()

    def store(self) -> Store:
        """Database and files, as they are."""
        return open_store(self.postgres.url, Settings(home=self.home).resolved_blob_url)

    def kill_page(self) -> None:
        """Kill the page's process and start it again."""
        self.process.kill()
        self.process.wait()
        super().start()

    def kill_worker(self) -> None:
        """Kill the worker, and the schedule with it, and start it again."""
        self._end_worker()
        self._start_worker()

    def crash_database(self) -> None:
        """PostgreSQL ends without a word, and comes back after some seconds."""
        self.postgres.crash()
        time.sleep(random.uniform(*_AWAY))
        self.postgres.start()

    def crash_broker(self) -> None:
        """Redis ends with all of its messages, and comes back empty after some seconds."""
        self.redis.crash()
        time.sleep(random.uniform(*_AWAY))
        self.redis.start()


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int = 600) -> Iterator[Path]:
    """A file system of its own, in memory. Only root may mount one; raises PermissionError for others."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        raise PermissionError(f"No small disk could be mounted ({mounted.stderr.strip()}); only root may do that.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
