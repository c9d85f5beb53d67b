"""People of every role, and a browser."""

from tests.webapp.access.conftest import page_people, people, shared
from tests.webapp.ui.conftest import browser, page

__all__ = ["browser", "page", "page_people", "people", "shared"]
