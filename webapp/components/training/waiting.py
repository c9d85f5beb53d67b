"""Corrections that wait to be learnt from, and when a run starts by itself."""

from datetime import datetime
from html import escape

from db.annotations import Waiting
from db.models import Project
from settings import Settings
from webapp.components.training.schedule import rule_words, what_is_missing
from webapp.components.training.text import counted


def waiting_panel(waiting: Waiting, project: Project, defaults: Settings, now: datetime) -> str:
    """How many wait, what to do, and the rule of the schedule with how far it is from starting a run, as HTML."""
    count, settings = waiting.count, project.settings
    words = counted(count, "correction waits", "corrections wait") if count else "No new corrections"
    advice = (
        "A run learns from every corrected image, old and new, and is used only if it is better on images held out."
        if count
        else "Correct or accept images in Inspect; a run may also be started again on the corrections there are."
    )
    rule = (
        settings.get("schedule", True),
        settings.get("retrain_after", defaults.retrain_after),
        settings.get("retrain_hours", defaults.retrain_hours),
    )
    return (
        f'<div class="al-waiting" data-testid="waiting" data-count="{count}"><b>{words}</b>'
        f'<span class="al-muted">{advice}</span><span class="al-muted" data-testid="train-rule">'
        f"{escape(rule_words(*rule))} {escape(what_is_missing(*rule, waiting, now))} Change it in Settings.</span>"
        "</div>"
    )
