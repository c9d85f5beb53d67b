"""One run: its state, bar, stage and time while it goes on; the decision when it is over."""

from datetime import datetime
from html import escape

from db.tables.core import LIVE_RUN_STATES, TuningRun
from webapp.texts import Texts
from webapp.texts.translation import translated
from webapp.ui.training.loss_chart import loss_chart
from webapp.ui.training.run_figures import run_figures
from webapp.ui.training.text import elapsed


def run_panel(say: Texts, run: TuningRun | None, now: datetime, advice: str = "") -> str:
    """A run as HTML: what came of it in a sentence, and its figures below, folded; without one, what to do first.

    `advice`: what to correct next, as HTML.
    """
    if run is None:
        return (
            f'<div class="al-run al-run-empty" data-testid="run-panel" data-state="none"><h3>{say("run.none")}</h3>'
            f"<p>{say('run.none.advice')}</p>{advice}</div>"
        )
    live = run.state in LIVE_RUN_STATES
    if live:
        content = f"{_progress(say, run)}{loss_chart(say, run.losses)}"
    else:
        content = f"{_outcome(say, run)}{_golden(say, run)}{advice}{_differences(say, run)}{run_figures(say, run)}"
    return (
        f'<div class="al-run" data-testid="run-panel" data-run-id="{run.id}" data-state="{run.state}">'
        f"{_head(say, run, now)}{content}</div>"
    )


def _differences(say: Texts, run: TuningRun) -> str:
    if run.candidate_version_id is None or run.parent_version_id is None:
        return ""
    return (
        '<div><button type="button" class="al-button al-small" data-testid="show-differences" '
        f'data-compare="{run.parent_version_id},{run.candidate_version_id}">{say("run.differences")}</button></div>'
    )


def _golden(say: Texts, run: TuningRun) -> str:
    """The golden images that kept the candidate out of service, each opened by a click."""
    worse = run.metrics.get("golden", {}).get("worse", [])
    if not worse:
        return ""
    links = " ".join(
        f'<button type="button" class="al-link" data-open-image="{one["image_id"]}" data-testid="golden-worse">'
        f"{escape(one['file_name'])}</button>"
        for one in worse
    )
    return f"<p>{say('run.golden.worse')} {links}</p>"


def _head(say: Texts, run: TuningRun, now: datetime) -> str:
    training, holdout = len(run.training_annotation_ids), len(run.holdout_annotation_ids)
    cancelling = run.cancel_requested and run.state in LIVE_RUN_STATES
    facts = [say("run.learns_from", count=training), elapsed(say, run, now)]
    if holdout:
        facts.insert(1, say("run.held_out", number=holdout))
    if run.attempt > 1:
        facts.append(say("run.attempt", number=run.attempt))
    return (
        f'<div class="al-run-head"><h3>{say("run.title", run=run.id)}</h3>'
        f'<span class="al-badge" data-testid="run-state" data-state="{run.state}">'
        f"{say('run.state.cancelling' if cancelling else f'run.state.{run.state}')}</span>"
        f'<span class="al-muted">{escape(" · ".join(facts))}</span></div>'
    )


def _progress(say: Texts, run: TuningRun) -> str:
    share = round(100 * run.progress)
    stage = escape(translated(say, run.stage) or say("run.waits"))
    return (
        f'<div class="al-bar al-bar-large" role="progressbar" aria-label="{say("run.progress")}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{share}" data-testid="run-progress" style="--share:{share}%"><i></i></div>'
        f'<div class="al-run-stage"><span data-testid="run-stage">{stage}</span><b>{share} %</b></div>'
    )


def _outcome(say: Texts, run: TuningRun) -> str:
    text = translated(say, run.error if run.state == "failed" else run.decision)
    return f'<p class="al-decision" data-testid="run-decision" data-state="{run.state}">{escape(text)}</p>'
