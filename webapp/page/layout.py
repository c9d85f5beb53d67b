"""The page: one bar and four places. Knows the layout; each place is in `webapp/pages`."""

import gradio as gr

from db.training.runs import live_run
from webapp.access.events import GuardedBlocks
from webapp.page.events import QUIET
from webapp.page.inspect import build_inspect
from webapp.page.library import build_library
from webapp.page.project import shown_project
from webapp.page.settings import build_settings
from webapp.page.train import build_train
from webapp.texts.labels import Labels
from webapp.texts.viewer import viewer_texts
from webapp.ui.header import header, header_html
from webapp.ui.language import language_switch
from webapp.ui.projects import project_switcher
from workers.context import get_store
from workers.operations.readiness import AT_ONCE, engine_in_use

HEADER_SECONDS = 2.0


def build_page() -> gr.Blocks:
    """The page as Gradio Blocks, to be mounted with `**webapp.page.theme.page_look()`."""
    labels = Labels()
    with GuardedBlocks(title="AnomalyLoop", fill_width=True, analytics_enabled=False) as page:
        bar = header()
        project_switcher()
        language_switch()
        with gr.Tabs(elem_id="places"):
            with labels(gr.Tab(id="inspect", elem_id="tab-inspect"), label="place.inspect") as inspect:
                build_inspect()
            with labels(gr.Tab(id="library", elem_id="tab-library"), label="place.library") as library:
                build_library()
            with labels(gr.Tab(id="train", elem_id="tab-train"), label="place.train") as train:
                pass
            with labels(gr.Tab(id="settings", elem_id="tab-settings"), label="place.settings") as settings:
                build_settings(settings, labels)
        with train:
            build_train(train, [inspect, library, settings], labels)
        timer = gr.Timer(HEADER_SECONDS)
        timer.tick(_header, None, bar, queue=False, **QUIET)
        labels.follow(page)
        page.load(_header, None, bar, queue=False, **QUIET)
    return page


def _header(request: gr.Request) -> str:
    project = shown_project(request)
    with get_store().session(read_only=True) as session:
        run = live_run(session, project.id) if project else None
    return header_html(viewer_texts(request), engine_in_use(AT_ONCE), run)
