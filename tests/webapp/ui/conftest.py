"""A browser on the real application: REST, page, background scoring, tiny backbone."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app import open_socket
from settings import get_settings
from tests.conftest import Installation, installed, settings_for
from tests.webapp.ui.canvas_page import CanvasPage
from webapp.server import build_app

# A busy machine is slow: only a test that fails waits for as long.
expect.set_options(timeout=30_000)

_ARTEFACTS = Path(__file__).parents[3] / "test-artifacts" / "page"
# The last of this switch counts: what Playwright turns off, and the browser's own toolbar, a page of its own that every
# window would draw although nobody sees it: a fifth of the time of opening ours.
_OFF = [
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *(
        "HttpsFirstBalancedModeAutoEnable",
        "LensOverlay",
        "MediaRouter",
        "PaintHolding",
        "ThirdPartyStoragePartitioning",
    ),
    *("AvoidCorsURLLoaderRestartOnRedirect", "TcpPortRandomizationWin", "OptimizationHints"),
    *("NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"),
    *("PreloadTopChromeWebUI", "InitialWebUI", "WebUIReloadButton", "WebUIToolbar", "WebUIOmniboxPopup"),
]
_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    f"--disable-features={','.join(_OFF)}",
]


@dataclass(frozen=True)
class Site:
    """A served installation."""

    url: str
    installation: Installation


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium, "The browser tests need Chromium: sudo apt-get install -y chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield launched
        launched.close()


@contextmanager
def served(installation: Installation, *, accounts: bool = False) -> Iterator[Site]:
    """The application on a free port."""
    listening = open_socket("127.0.0.1", 0)
    web = build_app(get_settings(), accounts=accounts)
    server = uvicorn.Server(uvicorn.Config(web, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server ended while it was starting"
        time.sleep(0.02)
    yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", installation)
    server.should_exit = True
    thread.join()


@pytest.fixture
def site(installation: Installation) -> Iterator[Site]:
    with served(installation) as site:
        yield site


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: str, template: Path) -> Iterator[Site]:
    """One installation for all tests of a module; each adds the images that it works on."""
    home = tmp_path_factory.mktemp("shared") / "home"
    with settings_for(home, tiny_backbone), installed(home, template) as installation, served(installation) as site:
        yield site


def open_page(browser: Browser, width: int, height: int, **options: Any) -> Iterator[Page]:
    """An empty page of this size in px, of a fresh visit with Playwright's options; a script error fails the test."""
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors, errors


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    yield from open_page(browser, 1280, 800)


@pytest.fixture
def korean(browser: Browser) -> Iterator[Page]:
    """An empty page of a browser that prefers Korean."""
    yield from open_page(browser, 1280, 800, locale="ko-KR", timezone_id="Asia/Seoul")


@pytest.fixture
def keep() -> Callable[[Page, str], None]:
    """Call with a page and a name: keeps a screenshot of all of it, for people to look at."""
    _ARTEFACTS.mkdir(parents=True, exist_ok=True)
    return lambda page, name: page.screenshot(path=_ARTEFACTS / f"{name}.png", full_page=True) and None


@pytest.fixture
def canvas(site: Site, page: Page) -> CanvasPage:
    """The page, with no image yet."""
    return CanvasPage(site.url, site.installation, page)


@pytest.fixture
def shared_canvas(shared_site: Site, page: Page) -> CanvasPage:
    """A fresh visit to the module's installation."""
    return CanvasPage(shared_site.url, shared_site.installation, page)
