"""Words and numbers that the parts of Train share."""

from datetime import UTC, datetime

from db.tables.core import TuningRun
from webapp.texts import Texts


def duration(say: Texts, seconds: float) -> str:
    """`8 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return say("duration.seconds", seconds=whole)
    if whole < 3600:
        return say("duration.minutes", minutes=whole // 60, seconds=whole % 60)
    return say("duration.hours", hours=whole // 3600, minutes=whole % 3600 // 60)


def elapsed(say: Texts, run: TuningRun, now: datetime) -> str:
    """How long a run has taken so far, or took."""
    begin = run.started_at or run.created_at
    return duration(say, ((run.finished_at or now) - begin).total_seconds())


def moment(when: datetime) -> str:
    """A time as HTML, in UTC; the browser writes it in the viewer's own zone (training/actions.js)."""
    return f'<time datetime="{when.isoformat()}">{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC</time>'
