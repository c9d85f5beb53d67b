"""Whether a second person puts versions in service, a part of Settings."""

import gradio as gr

from db.projects.projects import get_project, update_settings
from webapp.page.events import QUIET
from webapp.page.project import current_project
from webapp.page.toasts import inform
from webapp.texts.labels import Labels, heading
from webapp.texts.viewer import viewer_texts
from workers.context import get_store


def build_approval(tab: gr.Tab, labels: Labels) -> None:
    """Lay out the part; it is read anew when the tab is opened, and kept as soon as it is changed."""
    labels(gr.HTML(apply_default_css=False), value=heading("approval.title"))
    wanted = labels(gr.Checkbox(elem_id="second-person"), label="approval.second_person", info="approval.about")
    tab.select(_read, None, wanted, queue=False, **QUIET)
    wanted.input(_save, wanted, None, **QUIET)


def _read(request: gr.Request) -> bool:
    with get_store().session(read_only=True) as session:
        return bool(get_project(session, current_project(request)).settings.get("second_person", False))


def _save(wanted: bool, request: gr.Request) -> None:
    with get_store().session() as session:
        update_settings(session, current_project(request), {"second_person": wanted})
    inform(viewer_texts(request)("settings.saved"))
