"""How many cores this process may use, on every system."""

import os


def usable_cores() -> int:
    """At least 1. Linux says which cores are this process's own; macOS and Windows only how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
