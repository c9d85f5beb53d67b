"""The project that a page shows: the one that its address names (`/?project=NAME`), or else `default`."""

import gradio as gr

from db.projects.projects import ensure_project, find_project
from db.tables.core import Project
from webapp.page.toasts import refusal
from webapp.texts.viewer import viewer_texts
from workers.context import get_store
from workers.projects.shipped_prompts import DEFAULT_PROJECT


def shown_project(request: gr.Request) -> Project | None:
    """The project; None where the address names one that does not exist.

    `default` is made here on a first visit, before the model has loaded.
    """
    name = request.query_params.get("project") or DEFAULT_PROJECT
    with get_store().session(read_only=True) as session:
        project = find_project(session, name)
    if project is None and name == DEFAULT_PROJECT:
        with get_store().session() as session:
            return ensure_project(session, DEFAULT_PROJECT)
    return project


def current_project(request: gr.Request) -> int:
    """The id of the project that the page of this event shows; an error on the page where there is none."""
    project = shown_project(request)
    if project is None:
        name = request.query_params.get("project")
        raise refusal(viewer_texts(request)("projects.is_missing", name=name))
    return project.id
