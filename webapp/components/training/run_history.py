"""All runs of the project, the newest first, as a table."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from db.models import TuningRun
from webapp.components.training.text import STATE_WORDS, elapsed, moment

_TRIGGERS = {"manual": "by hand", "schedule": "by schedule"}


def run_history(runs: Sequence[TuningRun], now: datetime) -> str:
    """The runs as HTML; empty without any."""
    if not runs:
        return ""
    return (
        '<table class="al-table al-history" data-testid="run-history"><caption>Runs</caption><thead><tr><th>Run</th>'
        "<th>When</th><th>State</th><th>Corrections</th><th>Took</th><th>Outcome</th></tr></thead>"
        f"<tbody>{''.join(_row(run, now) for run in runs)}</tbody></table>"
    )


def _row(run: TuningRun, now: datetime) -> str:
    corrections = len(run.training_annotation_ids) + len(run.holdout_annotation_ids)
    outcome = escape(run.error or run.decision)
    trigger = _TRIGGERS.get(run.trigger, escape(run.trigger))
    return (
        f'<tr data-run-id="{run.id}"><th>{run.id}</th>'
        f'<td>{moment(run.created_at)}<div class="al-muted">{trigger}</div></td>'
        f"<td>{STATE_WORDS[run.state]}</td><td>{corrections}</td><td>{elapsed(run, now)}</td>"
        f'<td class="al-outcome" title="{outcome}">{outcome}</td></tr>'
    )
