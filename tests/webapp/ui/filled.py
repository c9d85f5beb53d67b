"""A site on which every place has something to show."""

from playwright.sync_api import Browser

from db.defects.kinds import add_kind
from tests.webapp.ui.canvas_page import CanvasPage
from tests.webapp.ui.conftest import Site
from tests.workers.making import activate_copy, score_all
from workers.images.correcting import mark_normal

# Place → what is there once it is all there.
PLACES = {"inspect": "filmstrip-item", "library": "library-item", "train": "versions-table", "settings": "backbone"}


def fill(site: Site, browser: Browser) -> CanvasPage:
    """Add a corrected image and a second version in use; returns the page, to be closed."""
    canvas = CanvasPage(site.url, site.installation, browser.new_page())
    mark_normal(site.installation.store, canvas.add(seed=1))
    with site.installation.store.session() as session:
        for name, key in (("Scratch along the rim", "2"), ("Dent", None)):
            add_kind(session, site.installation.project_id, name, key=key)
    activate_copy(site.installation)
    score_all(site.installation.store, site.installation.project_id)
    return canvas
