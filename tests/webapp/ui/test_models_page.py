"""Models, in Settings and in the line of Inspect: what is chosen, what fails, what the environment says."""

import json
from collections.abc import Callable, Iterator

import pytest
import torch
from open_clip import CLIP
from playwright.sync_api import Page, expect
from safetensors.torch import save

from settings import Settings
from tests.loopback_hub import LoopbackHub, loopback_hub
from tests.tiny_backbone import MODEL_CFG
from tests.webapp.ui.conftest import Site, served

NAME = "hf-hub:me/small"
FILE = "open_clip_model.safetensors"


@pytest.fixture
def hub(tmp_path) -> Iterator[LoopbackHub]:
    torch.manual_seed(7)
    weights = save({name: tensor.contiguous() for name, tensor in CLIP(**MODEL_CFG).state_dict().items()})
    with loopback_hub(tmp_path / "hub") as running:
        config = json.dumps({"model_cfg": MODEL_CFG}).encode()
        running.files["me/small"] = {"open_clip_config.json": config, FILE: weights}
        yield running


@pytest.fixture
def free(installation, hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site whose environment names no model, on a machine with room."""
    monkeypatch.setattr(Settings, "backbone_is_set", False)
    monkeypatch.setattr("workers.backbones.choosing.free_memory", lambda: 64 << 30)
    monkeypatch.setattr("workers.backbones.choosing._free_disk", lambda: 64 << 30)
    with served(installation) as site:
        yield site


def open_models(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.locator("#tab-settings-button").click()
    expect(page.get_by_test_id("model-row").first).to_be_visible()


def ask_for(page: Page, name: str) -> None:
    details = page.get_by_test_id("other-model")
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    page.get_by_test_id("model-name").fill(name)
    page.get_by_test_id("model-use").click()


def test_what_the_environment_names_can_only_be_looked_at(site: Site, page: Page) -> None:
    open_models(page, site)
    expect(page.get_by_test_id("models-about")).to_contain_text("ANOMALYLOOP_BACKBONE")
    expect(page.get_by_test_id("use-model")).to_have_count(0)
    expect(page.get_by_test_id("other-model")).to_be_hidden()
    page.locator("#tab-inspect-button").click()
    expect(page.get_by_test_id("model-offer")).to_be_hidden()


def test_a_model_by_name_comes_into_use_and_a_failure_is_said_with_a_way_on(
    free: Site, hub: LoopbackHub, page: Page, keep: Callable[[Page, str], None]
) -> None:
    hub.wrong = True
    open_models(page, free)
    ask_for(page, NAME)
    expect(page.get_by_test_id("model-change")).to_have_attribute("data-state", "failed")
    expect(page.get_by_test_id("model-change-words")).to_contain_text("is not that file")
    keep(page, "models_failed")
    hub.wrong = False
    page.get_by_test_id("model-again").click()
    row = page.locator(f'[data-testid=model-row][data-name="{NAME}"]')
    expect(row).to_contain_text("In use")
    expect(row).to_contain_text("s an image here (cpu)")
    expect(page.get_by_test_id("model-change")).to_be_hidden()
    keep(page, "models_in_use")


def test_what_never_fits_is_refused_by_its_reason(free: Site, page: Page) -> None:
    open_models(page, free)
    ask_for(page, "RN50-quickgelu/openai")
    expect(page.get_by_test_id("model-change-words")).to_contain_text("ResNet")
    ask_for(page, "ViT-B-16@/etc/passwd")
    expect(page.get_by_test_id("models-error")).to_contain_text("without a folder")


def test_no_room_is_said_before_it_is_asked_for(free: Site, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.backbones.choosing._free_disk", lambda: 900_000_000)
    open_models(page, free)
    large = page.locator('[data-testid=model-row][data-name="ViT-L-14-336-quickgelu/openai"]')
    expect(large).to_contain_text("Needs 1.7 GB on disk, 0.90 GB are free.")


def test_a_file_is_uploaded_and_named(free: Site, page: Page) -> None:
    open_models(page, free)
    page.get_by_test_id("other-model").locator("summary").click()
    file = {"name": "own.safetensors", "mimeType": "application/octet-stream", "buffer": b"weights"}
    page.get_by_test_id("model-file").set_input_files(file)
    expect(page.get_by_test_id("model-files")).to_contain_text("own.safetensors")
    expect(page.get_by_test_id("model-file-outcome")).to_contain_text("Write model/tag@own.safetensors above")


def test_the_line_leads_to_the_models_and_is_sent_away_for_good(
    free: Site, korean: Page, keep: Callable[[Page, str], None]
) -> None:
    korean.goto(free.url)
    expect(korean.get_by_test_id("model-offer-words")).to_contain_text("ViT-B/16")
    korean.get_by_test_id("model-offer-open").click()
    expect(korean.get_by_test_id("model-list")).to_be_in_viewport()
    keep(korean, "models_korean")
    korean.locator("#tab-inspect-button").click()
    korean.get_by_test_id("model-offer-away").click()
    expect(korean.get_by_test_id("model-offer")).to_be_hidden()
    korean.reload()
    expect(korean.get_by_test_id("pick-files")).to_be_visible()
    asked = "() => performance.getEntriesByType('resource').some((one) => one.name.endsWith('/models'))"
    korean.wait_for_function(asked)
    expect(korean.get_by_test_id("model-offer")).to_be_hidden()
