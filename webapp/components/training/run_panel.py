"""One run: its state, bar, stage and time while it goes on; the decision when it is over."""

from datetime import datetime
from html import escape

from db.models import LIVE_RUN_STATES, TuningRun
from webapp.components.training.loss_chart import loss_chart
from webapp.components.training.metrics_table import metrics_table
from webapp.components.training.text import STATE_WORDS, counted, elapsed

_NONE_YET = (
    '<div class="al-run al-run-empty" data-testid="run-panel" data-state="none"><h3>No run yet</h3>'
    "<p>Correct an image in Inspect, then retrain. What is learnt, and whether it is used, shows here.</p></div>"
)


def run_panel(run: TuningRun | None, now: datetime) -> str:
    """A run as HTML; without one, what to do first."""
    if run is None:
        return _NONE_YET
    live = run.state in LIVE_RUN_STATES
    return (
        f'<div class="al-run" data-testid="run-panel" data-run-id="{run.id}" data-state="{run.state}">'
        f"{_head(run, now)}{_progress(run) if live else _outcome(run)}"
        f"{loss_chart(run.losses)}{metrics_table(run.metrics)}{_differences(run)}</div>"
    )


def _differences(run: TuningRun) -> str:
    if run.candidate_version_id is None or run.parent_version_id is None:
        return ""
    return (
        '<div><button type="button" class="al-button al-small" data-testid="show-differences" '
        f'data-compare="{run.parent_version_id},{run.candidate_version_id}">See where the two differ most</button>'
        "</div>"
    )


def _head(run: TuningRun, now: datetime) -> str:
    training, holdout = len(run.training_annotation_ids), len(run.holdout_annotation_ids)
    state = "Cancelling…" if run.cancel_requested and run.state in LIVE_RUN_STATES else STATE_WORDS[run.state]
    facts = [counted(training, "correction", "corrections") + " to learn from", elapsed(run, now)]
    if holdout:
        facts.insert(1, f"{holdout} held out")
    if run.attempt > 1:
        facts.append(f"attempt {run.attempt}")
    return (
        f'<div class="al-run-head"><h3>Run {run.id}</h3>'
        f'<span class="al-badge" data-testid="run-state" data-state="{run.state}">{state}</span>'
        f'<span class="al-muted">{escape(" · ".join(facts))}</span></div>'
    )


def _progress(run: TuningRun) -> str:
    share = round(100 * run.progress)
    stage = escape(run.stage or "waiting for a worker to take it")
    return (
        f'<div class="al-bar al-bar-large" role="progressbar" aria-label="Progress of the run" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{share}" data-testid="run-progress" style="--share:{share}%"><i></i></div>'
        f'<div class="al-run-stage"><span data-testid="run-stage">{stage}</span><b>{share} %</b></div>'
    )


def _outcome(run: TuningRun) -> str:
    text = run.error if run.state == "failed" else run.decision
    return f'<p class="al-decision" data-testid="run-decision" data-state="{run.state}">{escape(text)}</p>'
