"""Train: corrections that wait, the run that learns from them, and the versions that came of it.

Everything shown is read from the database each time, so that a reload of the page, or another browser, sees the same.
"""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from db.annotations import waiting_corrections
from db.models import LIVE_RUN_STATES, utc_now
from db.prompt_versions import list_versions
from db.runs import list_runs, live_run
from webapp.components.training.run_history import run_history
from webapp.components.training.run_panel import run_panel
from webapp.components.training.text import counted
from webapp.components.training.versions_table import versions_component, versions_table
from webapp.pages.events import QUIET
from webapp.project import current_project
from workers.context import get_store
from workers.errors import BackboneError, NotFound, NotReady, PromptError, RunInProgress, TooFewCorrections
from workers.promoting import activate_version, import_prompts
from workers.runs import cancel_run, start_run

REFRESH_SECONDS = 1.5
_REFUSALS = (NotReady, NotFound, PromptError, BackboneError, RunInProgress, TooFewCorrections)


@dataclass(frozen=True)
class TrainState:
    """What the place shows, as HTML, and whether a run is going on."""

    waiting: str
    run: str
    versions: str
    history: str
    live: bool


def build_train(tab: gr.Tab, other_tabs: list[gr.Tab]) -> None:
    """Lay out the place and connect its buttons; it is kept up to date while its tab is open."""
    with gr.Row(elem_id="train", equal_height=False):
        with gr.Column(elem_id="train-runs", scale=3):
            with gr.Row(elem_id="train-start"):
                waiting = gr.HTML(elem_id="waiting", apply_default_css=False)
                cancel = gr.Button("Cancel the run", elem_id="cancel-run", visible=False, scale=0)
                retrain = gr.Button("Retrain", variant="primary", elem_id="retrain", scale=0)
            run = gr.HTML(elem_id="run", apply_default_css=False)
            history = gr.HTML(elem_id="history", apply_default_css=False)
        with gr.Column(elem_id="train-versions", scale=2):
            versions = versions_component()
            upload = gr.UploadButton(
                "Import prompts (.safetensors, or the reference's .pth)",
                file_types=[".safetensors", ".pth"],
                elem_id="import-prompts",
                size="sm",
            )
    timer = gr.Timer(REFRESH_SECONDS, active=False)
    shown = [waiting, run, versions, history, retrain, cancel]
    timer.tick(_show, None, shown, queue=False, **QUIET)
    tab.select(lambda: (*_show(), gr.Timer(active=True)), None, [*shown, timer], queue=False, **QUIET)
    for other in other_tabs:
        other.select(lambda: gr.Timer(active=False), None, timer, queue=False, **QUIET)
    retrain.click(_start, None, shown, **QUIET)
    cancel.click(_cancel, None, shown, **QUIET)
    versions.activate(_activate, None, shown, **QUIET)
    upload.upload(_import, upload, shown, **QUIET)


def read_state() -> TrainState:
    """Read everything from the database and make it HTML."""
    project_id, now = current_project(), utc_now()
    with get_store().session(read_only=True) as session:
        runs = list_runs(session, project_id)
        return TrainState(
            waiting=_waiting_html(waiting_corrections(session, project_id).count),
            run=run_panel(runs[0] if runs else None, now),
            versions=versions_table(list_versions(session, project_id)),
            history=run_history(runs, now),
            live=bool(runs) and runs[0].state in LIVE_RUN_STATES,
        )


def _waiting_html(count: int) -> str:
    words = counted(count, "correction waits", "corrections wait") if count else "No new corrections"
    advice = (
        "A run learns from every corrected image, old and new, and is used only if it is better on images held out."
        if count
        else "Correct or accept images in Inspect; a run may also be started again on the corrections there are."
    )
    return (
        f'<div class="al-waiting" data-testid="waiting" data-count="{count}"><b>{words}</b>'
        f'<span class="al-muted">{advice}</span></div>'
    )


def _show() -> tuple[str, str, str, str, gr.Button, gr.Button]:
    state = read_state()
    return (
        state.waiting,
        state.run,
        state.versions,
        state.history,
        gr.Button("Retraining…" if state.live else "Retrain", interactive=not state.live),
        gr.Button(visible=state.live),
    )


def _start() -> tuple[str, str, str, str, gr.Button, gr.Button]:
    try:
        start_run(get_store(), current_project(), trigger="manual")
    except _REFUSALS as error:
        gr.Warning(str(error))
    return _show()


def _cancel() -> tuple[str, str, str, str, gr.Button, gr.Button]:
    with get_store().session(read_only=True) as session:
        run = live_run(session, current_project())
    if run is not None:
        cancel_run(get_store(), run.id)
    return _show()


def _activate(event: gr.EventData) -> tuple[str, str, str, str, gr.Button, gr.Button]:
    try:
        version = activate_version(get_store(), int(event.id))
        gr.Info(f"Version {version.number} is in use. The images are scored anew.")
    except _REFUSALS as error:
        gr.Warning(str(error))
    return _show()


def _import(path: str) -> tuple[str, str, str, str, gr.Button, gr.Button]:
    try:
        version = import_prompts(get_store(), current_project(), Path(path).name, Path(path).read_bytes())
        gr.Info(f"It is version {version.number} and waits. Activate it to put it to use.")
    except _REFUSALS as error:
        gr.Warning(str(error))
    return _show()
