"""From the embedded model to a ViT-B/16 by clicks, fetched from a hub on the loopback, and back: two pages, uploads.

Once as one command starts it, and once on servers: PostgreSQL, Redis, two pages' processes, and two workers.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import open_clip
import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from safetensors.torch import save
from sqlalchemy import Engine

from db.operations.worker_reports import worker_reports
from db.session import Database
from tests.db.conftest import postgres, schema_url
from tests.e2e.conftest import ARTEFACTS
from tests.loopback_hub import LoopbackHub
from tests.pictures import mask_png, png
from tests.running import ROOT, RunningApp, answers, wait_until
from tests.webapp.ui.conftest import open_page

__all__ = ["postgres"]

# A database of Redis that no other file of tests uses.
BROKER = "redis://127.0.0.1:6379/14"
# A small square: a real ViT-B/16 takes seconds for an image of its own size on few cores.
SIDE = 160
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
    running = RunningApp(tmp_path / "home", "", variables=variables_for(hub, tmp_path), image_size=SIDE)
    yield running
    running.end()


def variables_for(hub: LoopbackHub, folder: Path) -> dict[str, str]:
    return {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "hub"), "NO_PROXY": "127.0.0.1"}


class Servers:
    """Two processes of the page, each with its REST, and two workers that each take work of every kind."""

    def __init__(self, hub: LoopbackHub, folder: Path, database_url: str) -> None:
        common = {"home": folder / "home", "image_size": SIDE, "broker_url": BROKER, "database_url": database_url}
        variables = variables_for(hub, folder)
        ours = {f"ANOMALYLOOP_{name.upper()}": str(value) for name, value in common.items()}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANOMALYLOOP_")}
        self._environment = environment | variables | ours
        self._database = Database(database_url)
        self._celery("purge", "-f").wait()
        self.logs = [folder / f"worker{number}.log" for number in range(2)]
        self.workers = [self._worker(log, beat=number == 0) for number, log in enumerate(self.logs)]
        self.pages = [RunningApp(folder / "home", "", variables=variables | ours) for _ in range(2)]

    def log(self) -> str:
        return "\n".join([*(page.log for page in self.pages), *(log.read_text() for log in self.logs)])

    def in_use(self) -> list[str]:
        """What each worker scores with, by its last report."""
        with self._database.session(read_only=True) as session:
            return [one.engine["name"] for one in worker_reports(session)]

    def stop(self) -> None:
        self._database.close()
        for page in self.pages:
            page.end()
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(60)

    def _worker(self, log: Path, *, beat: bool) -> "subprocess.Popen[bytes]":
        words = ("-n", f"{log.stem}@%h", "-Q", "scoring,default,tuning", *(["--beat"] if beat else []))
        return self._celery("worker", *words, log=log)

    def _celery(self, *words: str, log: Path = Path(os.devnull)) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "celery", "-A", "workers.celery_app", *words]
        with log.open("wb") as file:
            return subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=file, stderr=file)


@pytest.fixture
def servers(hub: LoopbackHub, tmp_path: Path, postgres: Engine | None) -> Iterator[Servers]:
    if not answers(BROKER):
        pytest.skip(f"Redis does not answer at {BROKER}")
    with schema_url(postgres) as url:
        running = Servers(hub, tmp_path, url)
        yield running
        running.stop()


class Uploads:
    """Somebody goes on adding images, and keeps what was refused."""

    def __init__(self, app: RunningApp, name: str = "part", first_seed: int = 0, pause: float = 1.0) -> None:
        self.client = httpx.Client(base_url=app.client.base_url, timeout=60, trust_env=False)
        self._name, self._first_seed, self._pause = name, first_seed, pause
        self.ids: list[int] = []
        self.refused: list[str] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._pause):
            number = len(self.ids)
            picture = (f"{self._name}-{number}.png", png(self._first_seed + number))
            answer = self.client.post("/api/v1/images", files={"files": picture})
            if answer.status_code == 201:
                self.ids.append(answer.json()[0]["id"])
            else:
                self.refused.append(answer.text)


def use(page: Page, name: str) -> None:
    page.locator(f'[data-testid=model-row][data-name="{name}"] [data-testid=use-model]').click()


def in_use(app: RunningApp) -> str:
    return app.client.get("/api/v1/models").json()["name"]


def scored(app: RunningApp, image_id: int) -> bool:
    return app.client.get(f"/api/v1/images/{image_id}").json()["score"] is not None


def all_of(app: RunningApp, image_ids: list[int]) -> bool:
    return all(scored(app, image_id) for image_id in image_ids)


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
    uploads = Uploads(app, pause=3.0)
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
    wait_until(lambda: len(uploads.ids) >= 3 and all_of(app, uploads.ids[:3]), "the first scores")
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
    came_before = list(uploads.ids)  # others come in meanwhile: on a busy machine there is always one that waits
    wait_until(lambda: all_of(app, came_before), "all scored by the new model", seconds=300)
    inspect.screenshot(path=ARTEFACTS / "models-6-new-scores.png")
    for image_id in uploads.ids[:2]:
        app.client.put(f"/api/v1/images/{image_id}/annotation", files={"mask": mask_png()}).raise_for_status()
    assert learnt_for(app) == NAME  # by the worker, a process of its own

    settings.get_by_test_id("model-back").click()
    wait_until(lambda: in_use(app) == "embedded", "the way back")
    uploads.stop()
    wait_until(lambda: all_scored(app), "all scored by the embedded model", seconds=300)
    settings.screenshot(path=ARTEFACTS / "models-7-back.png", full_page=True)

    assert learnt_for(app) == "embedded"
    # One by one: corrected images count as such in the figures, also before the new version has scored them.
    wait_until(lambda: all_of(app, uploads.ids), "all scored by what was learnt", seconds=300)
    assert not uploads.refused and len(uploads.ids) > 6
    images = [app.client.get(f"/api/v1/images/{one}").json() for one in uploads.ids]
    assert [one for one in images if one["score"] is None or one["scoring_error"] is not None] == []
    assert app.ready() and not any(said), said
    assert "ERROR" not in app.log, app.log
    for one in pages:
        one.close()


def test_two_workers_and_two_pages_change_together_while_images_come_in(servers: Servers, browser: Browser) -> None:
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    one, other = servers.pages
    wait_until(lambda: one.ready() and other.ready(), "ready, with workers elsewhere")
    uploads = [Uploads(one, "one", 0, pause=3.0), Uploads(other, "other", 1000, pause=3.0)]
    opened = [open_page(browser, 1440, 1000), open_page(browser, 1280, 800)]
    settings, inspect = (next(page) for page in opened)
    said = errors_of(settings), errors_of(inspect)
    settings.goto(str(one.client.base_url))
    inspect.goto(str(other.client.base_url))
    settings.locator("#tab-settings-button").click()
    expect(settings.get_by_test_id("model-row")).to_have_count(4)
    wait_until(
        lambda: all(some.ids and scored(other, some.ids[0]) for some in uploads), "the first scores", seconds=300
    )

    use(settings, NAME)
    wait_until(lambda: in_use(other) == NAME, "the swap", seconds=400)
    expect(settings.locator(f'[data-testid=model-row][data-name="{NAME}"]')).to_contain_text("In use")
    expect(inspect.locator(".al-old-score").first).to_be_visible()
    inspect.screenshot(path=ARTEFACTS / "models-servers-1-old-scores.png")
    wait_until(lambda: servers.in_use() == [NAME, NAME], "both workers have it", seconds=240)
    settings.screenshot(path=ARTEFACTS / "models-servers-2-in-use.png", full_page=True)

    settings.get_by_test_id("model-back").click()
    wait_until(lambda: servers.in_use() == ["embedded", "embedded"], "the way back", seconds=240)
    for some in uploads:
        some.stop()
    wait_until(lambda: all_scored(one) and all_scored(other), "all scored", seconds=400)
    inspect.screenshot(path=ARTEFACTS / "models-servers-3-back.png")
    settings.screenshot(path=ARTEFACTS / "models-servers-4-back.png", full_page=True)

    for some in uploads:
        assert not some.refused and len(some.ids) > 6
        images = [other.client.get(f"/api/v1/images/{image_id}").json() for image_id in some.ids]
        assert all(image["score"] is not None and image["scoring_error"] is None for image in images)
    assert one.ready() and other.ready() and not any(said), said
    assert "ERROR" not in servers.log(), servers.log()
    for page in opened:
        page.close()
