"""Words and numbers that the parts of Train share."""

from datetime import datetime

from db.models import TuningRun

STATE_WORDS = {
    "queued": "Waiting for a worker",
    "running": "Tuning",
    "evaluating": "Comparing with the active prompts",
    "succeeded": "Finished",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


def counted(count: int, one: str, many: str) -> str:
    """`1 image`, `3 images`."""
    return f"{count} {one if count == 1 else many}"


def duration(seconds: float) -> str:
    """`8 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def elapsed(run: TuningRun, now: datetime) -> str:
    """How long a run has taken so far, or took."""
    begin = run.started_at or run.created_at
    return duration(((run.finished_at or now) - begin).total_seconds())


def moment(when: datetime) -> str:
    """A time in the server's own zone, as HTML; the title says it in UTC."""
    exact = f"{when:%Y-%m-%d %H:%M:%S} UTC"
    return f'<time datetime="{when.isoformat()}" title="{exact}">{when.astimezone():%d %b %H:%M}</time>'
