"""From the embedded model to a ViT-B/16 by clicks, fetched from a hub on the loopback, and back: two pages, uploads."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import open_clip
import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from safetensors.torch import save

from tests.e2e.conftest import ARTEFACTS
from tests.loopback_hub import LoopbackHub
from tests.pictures import mask_png, png
from tests.running import RunningApp, wait_until
from tests.webapp.ui.conftest import open_page

NAME = "ViT-B-16-quickgelu/openai"
REPO = "timm/vit_base_patch16_clip_224.openai"


@pytest.fixture(scope="module")
def hub() -> Iterator[LoopbackHub]:
    """Random weights of the real size under the real name."""
    torch.manual_seed(0)
    model = open_clip.CLIP(**open_clip.get_model_config("ViT-B-16-quickgelu"))
    weights = save({name: tensor.half().contiguous() for name, tensor in model.state_dict().items()})
    served = LoopbackHub()
    served.files[REPO] = {"open_clip_model.safetensors": weights}
    yield served
    served.stop()


@pytest.fixture
def app(hub: LoopbackHub, tmp_path: Path) -> Iterator[RunningApp]:
    variables = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hub"), "NO_PROXY": "127.0.0.1"}
    # A small square: a real ViT-B/16 takes seconds for an image of its own size on few cores.
    running = RunningApp(tmp_path / "home", "", variables=variables, image_size=160)
    yield running
    running.end()


class Uploads:
    """Somebody goes on adding images, and keeps what was refused."""

    def __init__(self, app: RunningApp) -> None:
        self.client = httpx.Client(base_url=app.client.base_url, timeout=60, trust_env=False)
        self.ids: list[int] = []
        self.refused: list[str] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(1.0):
            number = len(self.ids)
            answer = self.client.post("/api/v1/images", files={"files": (f"part-{number}.png", png(number))})
            if answer.status_code == 201:
                self.ids.append(answer.json()[0]["id"])
            else:
                self.refused.append(answer.text)


def use(page: Page, name: str) -> None:
    page.locator(f'[data-testid=model-row][data-name="{name}"] [data-testid=use-model]').click()


def in_use(app: RunningApp) -> str:
    return app.client.get("/api/v1/models").json()["name"]


def all_scored(app: RunningApp) -> bool:
    return app.client.get("/api/v1/models").json()["rescoring"]["unscored"] == 0


def learnt_for(app: RunningApp) -> str:
    """Have a run carried out; for which backbone its version is."""
    run = app.client.post("/api/v1/runs", json={"project": "default", "epochs": 1}).json()["id"]
    wait_until(lambda: state_of(app, run) not in ("queued", "running", "evaluating"), "the run's end")
    assert state_of(app, run) == "succeeded", app.client.get(f"/api/v1/runs/{run}").json()
    return app.client.get("/api/v1/prompts").json()[0]["backbone_name"]


def state_of(app: RunningApp, run: int) -> str:
    return app.client.get(f"/api/v1/runs/{run}").json()["state"]


def errors_of(page: Page) -> list[str]:
    found: list[str] = []
    page.on("console", lambda one: found.append(one.text) if one.type == "error" else None)
    return found


def test_a_model_is_fetched_and_used_and_left_again_while_images_come_in(
    app: RunningApp, hub: LoopbackHub, browser: Browser, tmp_path: Path
) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    wait_until(app.ready, "ready")
    uploads = Uploads(app)
    pages = [open_page(browser, 1440, 1000), open_page(browser, 1280, 800)]
    settings, inspect = (next(one) for one in pages)
    said = errors_of(settings), errors_of(inspect)
    address = str(app.client.base_url)
    inspect.goto(address)
    expect(inspect.get_by_test_id("model-offer-words")).to_contain_text("ViT-B/16")
    inspect.screenshot(path=ARTEFACTS / "models-1-offer.png")
    settings.goto(address)
    settings.locator("#tab-settings-button").click()
    expect(settings.get_by_test_id("model-row")).to_have_count(4)
    wait_until(lambda: len(uploads.ids) >= 3 and all_scored(app), "the first scores")
    settings.screenshot(path=ARTEFACTS / "models-2-list.png", full_page=True)

    hub.slow = 0.02
    use(settings, NAME)
    expect(settings.get_by_test_id("model-change-words")).to_contain_text("GB of 0.3")
    settings.screenshot(path=ARTEFACTS / "models-3-fetching.png")
    expect(inspect.get_by_test_id("model-offer-words")).to_contain_text("fetched")
    wait_until(lambda: any(part.stat().st_size for part in (tmp_path / "hub").rglob("*.incomplete")), "the first bytes")
    settings.get_by_test_id("model-cancel").click()
    expect(settings.get_by_test_id("model-change")).to_be_hidden()
    wait_until(lambda: "is not wanted any more" in app.log, "the end of the download")
    assert in_use(app) == "embedded"
    hub.slow = 0.0
    use(settings, NAME)
    wait_until(lambda: in_use(app) == NAME, "the swap")
    assert any(one.startswith("bytes=") for one in hub.sent()), "it did not go on from where it was"
    expect(inspect.locator(".al-old-score").first).to_be_visible()
    inspect.screenshot(path=ARTEFACTS / "models-4-old-scores.png")
    expect(settings.locator(f'[data-testid=model-row][data-name="{NAME}"]')).to_contain_text("In use")
    settings.screenshot(path=ARTEFACTS / "models-5-scored-anew.png", full_page=True)
    wait_until(lambda: all_scored(app), "all scored by the new model")
    inspect.screenshot(path=ARTEFACTS / "models-6-new-scores.png")
    for image_id in uploads.ids[:2]:
        app.client.put(f"/api/v1/images/{image_id}/annotation", files={"mask": mask_png()}).raise_for_status()
    assert learnt_for(app) == NAME  # by the worker, a process of its own

    settings.get_by_test_id("model-back").click()
    wait_until(lambda: in_use(app) == "embedded", "the way back")
    uploads.stop()
    wait_until(lambda: all_scored(app), "all scored by the embedded model")
    settings.screenshot(path=ARTEFACTS / "models-7-back.png", full_page=True)

    assert learnt_for(app) == "embedded"
    wait_until(lambda: all_scored(app), "all scored by what was learnt")
    assert not uploads.refused and len(uploads.ids) > 6
    images = [app.client.get(f"/api/v1/images/{one}").json() for one in uploads.ids]
    assert all(one["score"] is not None and one["scoring_error"] is None for one in images)
    assert app.ready() and not any(said), said
    assert "ERROR" not in app.log, app.log
    for one in pages:
        one.close()
