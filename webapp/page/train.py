"""Train: corrections that wait, the runs that learn from them, and the versions that came of it.

Everything shown is read from the database each time, so that a reload of the page, or another browser, sees the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import gradio as gr

from db.clock import shared_now
from db.images.annotations import waiting_corrections
from db.projects.projects import get_project
from db.tables.core import LIVE_RUN_STATES
from db.training.prompt_versions import list_versions
from db.training.runs import list_runs, live_run
from settings import get_settings
from webapp.access.callers import caller_of_event
from webapp.page.events import QUIET
from webapp.page.project import current_project, shown_version
from webapp.page.toasts import inform, warn
from webapp.texts import Texts
from webapp.texts.labels import Labels
from webapp.texts.translation import translated
from webapp.texts.viewer import viewer_texts
from webapp.ui.assets import start
from webapp.ui.training.metric_chart import metric_chart
from webapp.ui.training.next_step import next_step
from webapp.ui.training.run_history import run_history
from webapp.ui.training.run_panel import run_panel
from webapp.ui.training.version_comparison import comparison_progress, version_comparison
from webapp.ui.training.versions_table import versions_table
from webapp.ui.training.waiting import waiting_panel
from workers.context import get_store
from workers.errors import (
    BackboneError,
    NotFound,
    NotReady,
    ProjectArchived,
    PromptError,
    RunInProgress,
    SecondPersonNeeded,
    TooFewCorrections,
)
from workers.training.comparing import VersionComparer
from workers.training.promoting import activate_version, import_prompts
from workers.training.runs import cancel_run, start_run

REFRESH_SECONDS = 1.5
_REFUSALS = (
    *(NotReady, NotFound, ProjectArchived, PromptError, BackboneError, RunInProgress, TooFewCorrections),
    SecondPersonNeeded,
)
Shown = tuple[str, str, str, str, str, gr.Button, gr.Button]


@dataclass(frozen=True)
class TrainState:
    """What the place shows, as HTML, and whether a run is going on."""

    waiting: str
    run: str
    metrics: str
    versions: str
    history: str
    live: bool


def build_train(tab: gr.Tab, other_tabs: list[gr.Tab], labels: Labels) -> None:
    """Lay out the place and connect its buttons; it is kept up to date while its tab is open."""
    chosen = gr.State(None)  # the run that someone wants to see; None: the newest
    with gr.Row(elem_id="train", equal_height=False):
        with gr.Column(elem_id="train-runs", scale=3):
            with gr.Row(elem_id="train-start"):
                waiting = gr.HTML(elem_id="waiting", apply_default_css=False)
                cancel = labels(gr.Button(elem_id="cancel-run", visible=False, scale=0), value="train.cancel")
                retrain = labels(gr.Button(variant="primary", elem_id="retrain", scale=0), value="train.retrain")
            run = _drawn("run")
            metrics = _drawn("metric-chart")
            history = _drawn("history")
        with gr.Column(elem_id="train-versions", scale=2):
            versions = _drawn("versions")
            upload = labels(
                gr.UploadButton(file_types=[".safetensors", ".pth"], elem_id="import-prompts", size="sm"),
                label="train.import",
            )
            comparison = _drawn("comparison")
    timer = gr.Timer(REFRESH_SECONDS, active=False)
    shown = [waiting, run, metrics, versions, history, retrain, cancel]
    timer.tick(_show, chosen, shown, queue=False, **QUIET)
    tab.select(_show, chosen, shown, queue=False, **QUIET)
    tab.select(lambda: gr.Timer(active=True), None, timer, queue=False, **QUIET)
    for other in other_tabs:
        other.select(lambda: gr.Timer(active=False), None, timer, queue=False, **QUIET)
    retrain.click(_start, None, [chosen, *shown], **QUIET)
    cancel.click(_cancel, chosen, shown, **QUIET)
    history.show_run(_choose, None, [chosen, *shown], queue=False, **QUIET)
    versions.activate(_activate, chosen, shown, **QUIET)
    versions.refresh(_show, chosen, shown, queue=False, **QUIET)
    upload.upload(_import, [upload, chosen], shown, **QUIET)
    for part in (run, versions):
        part.compare(_compare, None, comparison, **QUIET)


def _drawn(name: str) -> gr.HTML:
    """A part that the server draws; its buttons make the events activate, compare, refresh and show_run."""
    return gr.HTML(
        js_on_load=start("training/actions", events=("activate", "compare", "refresh", "show_run")),
        apply_default_css=False,
        elem_id=name,
    )


def read_state(say: Texts, project_id: int, chosen: int | None) -> TrainState:
    """Read everything from the database and make it HTML; `chosen` is the run to show in full, None the newest."""
    with get_store().session(read_only=True) as session:
        now = shared_now(session)
        runs, versions = list_runs(session, project_id), list_versions(session, project_id)
        seen = next((run for run in runs if run.id == chosen), runs[0] if runs else None)
        return TrainState(
            waiting=waiting_panel(
                say, waiting_corrections(session, project_id), get_project(session, project_id), get_settings(), now
            ),
            run=run_panel(say, seen, now, next_step(say, session, project_id)),
            metrics=metric_chart(say, runs, {version.id for version in versions if version.activated_at is not None}),
            versions=versions_table(say, versions),
            history=run_history(say, runs, now, seen.id if seen else None),
            live=bool(runs) and runs[0].state in LIVE_RUN_STATES,
        )


def _show(chosen: int | None, request: gr.Request) -> Shown:
    say = viewer_texts(request)
    state = read_state(say, current_project(request), chosen)
    return (
        state.waiting,
        state.run,
        state.metrics,
        state.versions,
        state.history,
        gr.Button(say("train.retraining" if state.live else "train.retrain"), interactive=not state.live),
        gr.Button(visible=state.live),
    )


def _choose(event: gr.EventData, request: gr.Request) -> tuple[int, *Shown]:
    return int(event.id), *_show(int(event.id), request)


def _start(request: gr.Request) -> tuple[None, *Shown]:
    try:
        author = caller_of_event(request).name
        start_run(get_store(), current_project(request), trigger="manual", author=author)
    except _REFUSALS as error:
        warn(translated(viewer_texts(request), str(error)))
    return None, *_show(None, request)


def _cancel(chosen: int | None, request: gr.Request) -> Shown:
    with get_store().session(read_only=True) as session:
        run = live_run(session, current_project(request))
    if run is not None:
        cancel_run(get_store(), run.id)
    return _show(chosen, request)


def _activate(chosen: int | None, request: gr.Request, event: gr.EventData) -> Shown:
    try:
        version = activate_version(
            get_store(), shown_version(request, int(event.id)), author=caller_of_event(request).name
        )
        inform(viewer_texts(request)("train.activated", version=version.number))
    except _REFUSALS as error:
        warn(translated(viewer_texts(request), str(error)))
    return _show(chosen, request)


def _import(path: str, chosen: int | None, request: gr.Request) -> Shown:
    limit = get_settings().max_upload_mb
    try:
        if Path(path).stat().st_size > limit * 1e6:
            raise PromptError(viewer_texts(request)("train.import.too_large", limit=f"{limit:g}"))
        data = Path(path).read_bytes()
        author = caller_of_event(request).name
        version = import_prompts(get_store(), current_project(request), Path(path).name, data, author=author)
        inform(viewer_texts(request)("train.imported", version=version.number))
    except _REFUSALS as error:
        warn(translated(viewer_texts(request), str(error)))
    return _show(chosen, request)


def _compare(event: gr.EventData, request: gr.Request) -> Iterator[str]:
    say = viewer_texts(request)
    if event.first == event.second:
        yield _refused(say("compare.same"))
        return
    try:
        first, second = (shown_version(request, int(one)) for one in (event.first, event.second))
        comparer = VersionComparer(get_store(), first, second)
        yield comparison_progress(say, 0, len(comparer))
        for done in comparer:
            yield comparison_progress(say, done, len(comparer))
        yield version_comparison(say, comparer.result())
    except _REFUSALS as error:
        yield _refused(translated(say, str(error)))


def _refused(words: str) -> str:
    return f'<div class="al-error-text" role="alert" data-testid="comparison-refused">{escape(words)}</div>'
