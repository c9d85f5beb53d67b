"""All runs of the project, the newest first, as a table."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from db.models import TuningRun
from webapp.components.training.text import STATE_WORDS, elapsed, moment

_HEADS = ("Run", "When", "State", "Corrections", "Took", "Outcome")
_TRIGGERS = {"manual": "by hand", "schedule": "by schedule"}


def run_history(runs: Sequence[TuningRun], now: datetime, shown: int | None = None) -> str:
    """The runs as HTML, the one that is shown in full marked; empty without any."""
    if not runs:
        return ""
    heads = "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
    return (
        '<table class="al-table al-history" data-testid="run-history"><caption>Runs</caption><thead><tr>'
        f"{heads}</tr></thead><tbody>{''.join(_row(run, now, run.id == shown) for run in runs)}</tbody></table>"
    )


def _row(run: TuningRun, now: datetime, is_shown: bool) -> str:
    corrections = len(run.training_annotation_ids) + len(run.holdout_annotation_ids)
    outcome = escape(run.error or run.decision)
    trigger = _TRIGGERS.get(run.trigger, escape(run.trigger))
    return (
        f'<tr data-run-id="{run.id}" aria-current="{str(is_shown).lower()}"><th scope="row"><button type="button" '
        f'class="al-link" data-show-run="{run.id}" data-testid="show-run-{run.id}" aria-label="Show run {run.id}">'
        f"{run.id}</button></th>"
        f'<td>{moment(run.created_at)}<div class="al-muted">{trigger}</div></td>'
        f"<td>{STATE_WORDS[run.state]}</td><td>{corrections}</td><td>{elapsed(run, now)}</td>"
        f'<td class="al-outcome" title="{outcome}">{outcome}</td></tr>'
    )
