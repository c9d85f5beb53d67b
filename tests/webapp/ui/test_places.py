"""Train and Settings, in the browser; how a run itself goes is tested end to end."""

import dataclasses
import re

import pytest
from playwright.sync_api import Page, expect

from db.projects.projects import get_project
from db.tables.core import TuningRun
from db.training.prompt_versions import active_version
from db.training.runs import create_run
from engine.detector.prompt_files import prompts_to_bytes
from engine.detector.prompts import default_prompts
from tests.e2e.conftest import ARTEFACTS
from tests.webapp.ui.canvas_page import CanvasPage
from tests.webapp.ui.conftest import Site
from tests.workers.making import activate_copy
from workers.images.correcting import mark_normal
from workers.operations.worker_reports import Reporter
from workers.scoring.engine_host import get_engine


@pytest.fixture
def opened(site: Site, page: Page) -> Page:
    page.goto(site.url)
    expect(page.get_by_test_id("model-line")).to_have_attribute("data-state", "ready")
    return page


def live_run(site: Site, **values: object) -> int:
    with site.installation.store.session() as session:
        run: TuningRun = create_run(
            session,
            project_id=site.installation.project_id,
            trigger="manual",
            config={"epochs": 3},
            seed=0,
            training_annotation_ids=[1],
            holdout_annotation_ids=[],
            parent_version_id=None,
        )
        for name, value in values.items():
            setattr(run, name, value)
        return run.id


def test_the_bar_names_the_model_its_fingerprint_and_what_it_is_good_for(opened: Page) -> None:
    info = get_engine().info
    line = opened.get_by_test_id("model-line")
    expect(line).to_contain_text(info.name)
    expect(line).to_contain_text(info.fingerprint[:8])
    expect(line).to_contain_text(info.description)


@pytest.mark.parametrize("width", [1190, 1280, 1440])
def test_the_bar_has_room_for_what_a_model_of_a_long_name_is_good_for(opened: Page, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 800})
    name = "ViT-L-14-336-quickgelu/openai, from a file of ours"
    opened.evaluate("name => document.querySelector('.al-model b').textContent = name", name)
    line, about = (opened.locator(one).bounding_box() for one in (".al-model", ".al-model-about"))
    assert about and line and about["width"] > 150 and about["height"] < 25 and line["height"] < 42
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    opened.screenshot(path=ARTEFACTS / f"header-{width}.png")


def test_retraining_without_corrections_says_what_is_missing(opened: Page) -> None:
    opened.locator("#tab-train-button").click()
    opened.locator("#retrain").click()
    expect(opened.locator(".toast-body")).to_contain_text("correct 1 more")


def test_a_live_run_is_shown_from_the_database_also_after_a_reload_and_can_be_cancelled(
    opened: Page, site: Site
) -> None:
    opened.locator("#tab-train-button").click()
    expect(opened.get_by_test_id("run-panel")).to_have_attribute("data-state", "none")

    live_run(site, state="running", progress=0.42, stage="tuning, epoch 1 of 3")

    expect(opened.get_by_test_id("run-stage")).to_have_text("tuning, epoch 1 of 3")
    expect(opened.get_by_test_id("run-chip")).to_have_text("Retraining, 42 %")
    opened.reload()
    expect(opened.get_by_test_id("run-progress")).to_have_attribute("aria-valuenow", "42")
    opened.locator("#cancel-run").click()
    expect(opened.get_by_test_id("run-state")).to_have_text("Cancelling…")


def test_the_number_of_waiting_corrections_is_shown(opened: Page, site: Site) -> None:
    image_id = CanvasPage(site.url, site.installation, opened).add(score=False)
    mark_normal(site.installation.store, image_id)
    opened.locator("#tab-train-button").click()
    expect(opened.get_by_test_id("waiting")).to_contain_text("1 correction waits")


def test_an_earlier_version_can_be_activated_again(opened: Page, site: Site) -> None:
    activate_copy(site.installation)
    opened.locator("#tab-train-button").click()

    opened.get_by_test_id("activate-v1").click()

    expect(opened.locator("tr[data-version='1']")).to_have_attribute("data-state", "active")
    expect(opened.locator("tr[data-version='2']")).to_have_attribute("data-state", "retired")
    with site.installation.store.session(read_only=True) as session:
        active = active_version(session, site.installation.project_id)
        assert active is not None and active.number == 1


def test_a_prompt_file_can_be_imported_and_a_wrong_one_is_refused(opened: Page) -> None:
    opened.locator("#tab-train-button").click()

    choose_prompts(opened, "wrong.pth", b"no prompts")
    expect(opened.locator(".toast-body")).to_contain_text("not a safetensors file")

    shipped = default_prompts(get_engine().backbone)
    prompts = dataclasses.replace(shipped, normal_context=shipped.normal_context + 0.5)
    choose_prompts(opened, "p.safetensors", prompts_to_bytes(prompts))
    expect(opened.locator("tr[data-version='2']")).to_contain_text("imported from p.safetensors")


def choose_prompts(page: Page, name: str, data: bytes) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator("#import-prompts").click()
    chooser.value.set_files({"name": name, "mimeType": "application/octet-stream", "buffer": data})


def test_workers_and_queues_are_told_in_settings(opened: Page, site: Site) -> None:
    Reporter("celery@<b>elsewhere</b>", ["scoring", "tuning"]).report()
    opened.locator("#tab-settings-button").click()
    operations = opened.get_by_test_id("operations")
    expect(operations.get_by_role("row", name="celery@<b>elsewhere</b> scoring, tuning")).to_contain_text("s ago")
    expect(operations.get_by_role("row", name=re.compile(r"^tuning \d+$"))).to_be_visible()


def test_settings_are_kept_and_the_rule_is_told_in_words(opened: Page, site: Site) -> None:
    opened.locator("#tab-settings-button").click()
    expect(opened.get_by_test_id("schedule-rule")).to_contain_text("after 10 new corrections")
    opened.locator("#retrain-after input").fill("3")
    expect(opened.get_by_test_id("schedule-rule")).to_contain_text("after 3 new corrections")
    opened.locator("#threshold input[type=number]").fill("0.7")

    opened.locator("#save-settings").click()

    expect(opened.locator(".toast-body")).to_contain_text("saved")
    with site.installation.store.session(read_only=True) as session:
        settings = get_project(session, site.installation.project_id).settings
    assert (settings["retrain_after"], settings["threshold"]) == (3, 0.7)


def test_the_library_filters_by_status_and_opens_an_image_in_inspect(opened: Page, site: Site) -> None:
    canvas = CanvasPage(site.url, site.installation, opened)
    reviewed, waiting = canvas.add(seed=1), canvas.add(seed=2)
    mark_normal(site.installation.store, reviewed)
    opened.locator("#tab-library-button").click()
    expect(opened.get_by_test_id("library-item")).to_have_count(2)

    opened.get_by_test_id("filter-to_review").click()

    expect(opened.get_by_test_id("library-item")).to_have_count(1)
    opened.get_by_test_id("library-item").click()
    canvas.expect_open(waiting)
    expect(opened.get_by_test_id("stage")).to_be_visible()
