"""The project that a page shows: the one that its address names (`/?project=NAME`), or else `default`."""

import gradio as gr

from db.lookup import not_found
from db.projects.projects import ensure_project, find_project
from db.tables.core import Project, PromptVersion
from db.training.prompt_versions import get_version
from webapp.access.callers import Role, caller_of_event
from webapp.page.toasts import refusal
from webapp.texts.viewer import viewer_texts
from workers.context import get_store
from workers.projects.shipped_prompts import DEFAULT_PROJECT


def project_name(request: gr.Request) -> str:
    """The name in the address of the page, whether there is such a project or not."""
    return request.query_params.get("project") or DEFAULT_PROJECT


def shown_project(request: gr.Request) -> Project | None:
    """The project; None where the address names one that does not exist, or that the viewer does not see.

    `default` is made here on a first visit, before the model has loaded.
    """
    name = project_name(request)
    with get_store().session(read_only=True) as session:
        project = find_project(session, name)
    if project is None and name == DEFAULT_PROJECT:
        with get_store().session() as session:
            project = ensure_project(session, DEFAULT_PROJECT)
    seen = project is not None and caller_of_event(request).role_in(project.id) > Role.ANYONE
    return project if seen else None


def current_project(request: gr.Request) -> int:
    """The id of the project that the page of this event shows; an error on the page where there is none."""
    project = shown_project(request)
    if project is None:
        raise refusal(viewer_texts(request)("projects.is_missing", name=project_name(request)))
    return project.id


def shown_version(request: gr.Request, version_id: int) -> int:
    """The id of a version, if it is one of the project that the page of this event shows.

    Raises:
        NotFound: it is not.
    """
    with get_store().session(read_only=True) as session:
        if get_version(session, version_id).project_id != current_project(request):
            raise not_found(PromptVersion, version_id)
    return version_id
