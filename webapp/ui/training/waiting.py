"""Corrections that wait to be learnt from, and when a run starts by itself."""

from datetime import datetime
from html import escape

from db.images.annotations import Waiting
from db.tables.core import Project
from settings import Settings
from webapp.texts import Texts
from webapp.ui.training.schedule import rule_words, what_is_missing


def waiting_panel(say: Texts, waiting: Waiting, project: Project, defaults: Settings, now: datetime) -> str:
    """How many wait, what to do, and the rule of the schedule with how far it is from starting a run, as HTML."""
    count, settings = waiting.count, project.settings
    words = say("waiting", count=count) if count else say("waiting.none")
    advice = say("waiting.advice" if count else "waiting.none.advice")
    rule = (
        settings.get("schedule", True),
        settings.get("retrain_after", defaults.retrain_after),
        settings.get("retrain_hours", defaults.retrain_hours),
    )
    return (
        f'<div class="al-waiting" data-testid="waiting" data-count="{count}"><b>{words}</b>'
        f'<span class="al-muted">{advice}</span><span class="al-muted" data-testid="train-rule">'
        f"{escape(rule_words(say, *rule))} {escape(what_is_missing(say, *rule, waiting, now))} "
        f"{say('waiting.change')}</span></div>"
    )
