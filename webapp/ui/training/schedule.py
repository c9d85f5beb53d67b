"""When a run starts by itself, in plain words."""

from datetime import datetime, timedelta
from html import escape

from db.images.annotations import Waiting
from webapp.texts import Texts
from webapp.ui.training.text import duration


def schedule_rule(say: Texts, schedule: bool, after: float | None, hours: float | None) -> str:
    """The rule as HTML.

    Args:
        say: the viewer's texts.
        schedule: whether runs start by themselves.
        after: new corrections that start one.
        hours: hours after which the oldest new correction starts one.
    """
    return f'<p class="al-rule" data-testid="schedule-rule">{escape(rule_words(say, schedule, after, hours))}</p>'


def rule_words(say: Texts, schedule: bool, after: float | None, hours: float | None) -> str:
    """The rule as a sentence."""
    if not schedule:
        return say("rule.by_hand")
    if not after or not hours:
        return say("rule.numbers_needed")
    return say("rule", count=round(after), hours=f"{hours:g}")


def what_is_missing(say: Texts, schedule: bool, after: float, hours: float, waiting: Waiting, now: datetime) -> str:
    """How far the rule is from starting a run, as a sentence; empty where nothing waits or nothing starts by itself."""
    if not schedule or waiting.oldest_at is None:
        return ""
    more = round(after) - waiting.count
    left = (waiting.oldest_at + timedelta(hours=hours) - now).total_seconds()
    if more <= 0 or left <= 0:
        return say("rule.now")
    return say("rule.missing", count=more, time=duration(say, left))
