"""What a worker answers when it is asked how it is, through the broker (see workers.operations.readiness)."""

from typing import Any

from celery.worker.control import inspect_command

from workers.scoring import engine_host


@inspect_command()
def engine_status(state: Any) -> dict[str, Any]:
    """The state of the worker's own engine."""
    return engine_host.engine_status()
