"""When a run starts by itself, in plain words."""

from datetime import datetime, timedelta
from html import escape

from db.annotations import Waiting
from webapp.components.training.text import counted, duration


def schedule_rule(schedule: bool, after: float | None, hours: float | None) -> str:
    """The rule as HTML.

    Args:
        schedule: whether runs start by themselves.
        after: new corrections that start one.
        hours: hours after which the oldest new correction starts one.
    """
    return f'<p class="al-rule" data-testid="schedule-rule">{escape(rule_words(schedule, after, hours))}</p>'


def rule_words(schedule: bool, after: float | None, hours: float | None) -> str:
    """The rule as a sentence."""
    if not schedule:
        return "Runs start only when someone presses Retrain."
    if not after or not hours:
        return "Both numbers are needed, and each is more than zero."
    corrections = "each new correction" if after == 1 else f"{after:.0f} new corrections"
    return f"A run starts by itself after {corrections}, or when the oldest of them has waited {hours:g} hours."


def what_is_missing(schedule: bool, after: float, hours: float, waiting: Waiting, now: datetime) -> str:
    """How far the rule is from starting a run, as a sentence; empty where nothing waits or nothing starts by itself."""
    if not schedule or waiting.oldest_at is None:
        return ""
    more = round(after) - waiting.count
    left = (waiting.oldest_at + timedelta(hours=hours) - now).total_seconds()
    if more <= 0 or left <= 0:
        return "That is so now: a run starts within seconds, unless the last one ended badly on the same corrections."
    return f"{counted(more, 'correction', 'corrections')} more, or {duration(left)} more, and one starts."
