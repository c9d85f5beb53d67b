"""All runs of the project, the newest first, as a table."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from db.tables.core import TuningRun
from webapp.texts import Texts
from webapp.texts.translation import translated
from webapp.ui.training.text import elapsed, moment

_COLUMNS = ("run", "when", "state", "corrections", "took", "outcome")


def run_history(say: Texts, runs: Sequence[TuningRun], now: datetime, shown: int | None = None) -> str:
    """The runs as HTML, the one that is shown in full marked; empty without any."""
    if not runs:
        return ""
    heads = "".join(f'<th scope="col">{say(f"history.{column}")}</th>' for column in _COLUMNS)
    rows = "".join(_row(say, run, now, run.id == shown) for run in runs)
    return (
        '<table class="al-table al-rows al-history" data-testid="run-history">'
        f"<caption>{say('history.title')}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(say: Texts, run: TuningRun, now: datetime, is_shown: bool) -> str:
    corrections = len(run.training_annotation_ids) + len(run.holdout_annotation_ids)
    outcome = escape(translated(say, run.error or run.decision))
    label = say("history.show", run=run.id)
    return (
        f'<tr data-run-id="{run.id}" aria-current="{str(is_shown).lower()}"><th scope="row"><button type="button" '
        f'class="al-link" data-show-run="{run.id}" data-testid="show-run-{run.id}" aria-label="{label}">'
        f"{run.id}</button></th>"
        f'<td>{moment(run.created_at)}<div class="al-muted">{say(f"history.trigger.{run.trigger}")}</div></td>'
        f"<td>{say(f'run.state.{run.state}')}</td><td>{corrections}</td><td>{elapsed(say, run, now)}</td>"
        f'<td class="al-outcome al-row-words" title="{outcome}">{outcome}</td></tr>'
    )
