"""The product as a user starts it, with the embedded backbone, and Chromium on it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from db.store import open_store
from tests.conftest import Installation
from tests.running import RunningApp
from tests.webapp.ui.conftest import browser, open_page

__all__ = ["browser"]

ROOT = Path(__file__).parents[2]
SAMPLE_DATA = Path(os.environ.get("SAMPLE_DATA_DIR", ROOT.parent / "shared" / "data"))
# Pictures of every step, for people to look at; kept after the test.
ARTEFACTS = ROOT / "test-artifacts" / "e2e"


@pytest.fixture
def product(tmp_path: Path) -> Iterator[RunningApp]:
    # Runs start when the test says so, not by the schedule.
    app = RunningApp(tmp_path / "home", os.environ.get("E2E_BACKBONE", "embedded"), retrain_after=1000)
    yield app
    app.end()


@pytest.fixture
def installation(product: RunningApp, tmp_path: Path) -> Iterator[Installation]:
    """The product's own database and blobs, read beside it."""
    home = tmp_path / "home"
    store = open_store(f"sqlite:///{home / 'anomalyloop.db'}", f"file://{home / 'blobs'}")
    yield Installation(home, store, project_id=1)
    store.database.close()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    yield from open_page(browser, 1440, 900)


@pytest.fixture
def keep(page: Page):
    """Call with a name: keeps a screenshot under test-artifacts/e2e."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)

    def take(name: str) -> None:
        page.screenshot(path=ARTEFACTS / f"{name}.png")

    return take
