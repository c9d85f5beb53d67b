"""`python -m workers.broker.child PARENT_PID worker|beat`: a Celery process that ends with the app that started it.

However the parent goes, kill -9 included, no process of it stays behind.
"""

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

CELERY_ARGUMENTS = {
    # Threads: a run leaves the other threads free for recovery, and one loaded engine serves all of them.
    "worker": [
        "worker",
        "--pool=threads",
        "--concurrency=4",
        "--queues=default,scoring,tuning",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ],
    "beat": ["beat"],
}


def die_with_parent(parent_pid: int) -> None:
    """Have this process killed when `parent_pid` ends: by the kernel on Linux, by a watching thread elsewhere."""
    if sys.platform == "linux":
        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    else:
        threading.Thread(target=_watch, args=(parent_pid,), daemon=True).start()
    if os.getppid() != parent_pid:  # it ended before the line above took hold
        sys.exit(1)


def _watch(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(0.5)
    os._exit(1)


def main(parent_pid: int, role: str) -> None:
    """Become the Celery worker or the Celery beat."""
    die_with_parent(parent_pid)
    from workers.celery_app import celery_app

    celery_app.start(["--quiet", *CELERY_ARGUMENTS[role]])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
