"""The project that the page shows."""

from db.projects import ensure_project
from workers.context import get_store
from workers.projects import DEFAULT_PROJECT


def current_project() -> int:
    """Its id; it is made here on a first visit, before the model has loaded."""
    with get_store().session() as session:
        return ensure_project(session, DEFAULT_PROJECT).id
