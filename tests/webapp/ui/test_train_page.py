"""Train as a person uses it: the history of runs, notes, comparing, going back, and the rule of the schedule."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from db.projects.projects import update_settings
from db.training.prompt_versions import active_version, list_versions
from tests.conftest import Installation, installed, settings_for
from tests.webapp.ui.conftest import Site, open_page
from tests.workers.making import add, correct, score_all
from workers.scoring.engine_host import get_engine
from workers.training.runs import start_run
from workers.training.tuning_run import tune


def finish_run(installation: Installation, *, seed: int = 0) -> int:
    """A run from its start to its end, as a worker does it."""
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=4, seed=seed)
    tune(installation.store, get_engine(), run_id)
    return run_id


@pytest.fixture(scope="module")
def template(template: Path, tmp_path_factory: pytest.TempPathFactory, tiny_backbone: str) -> Path:
    """What every installation here is a copy of: six corrections, and two finished runs on them."""
    home = tmp_path_factory.mktemp("tuned") / "home"
    with settings_for(home, tiny_backbone), installed(home, template) as installation:
        correct(installation, 3)
        correct(installation, 3, normal=True, first_seed=3)
        for seed in (1, 2):
            finish_run(installation, seed=seed)
    return home


@pytest.fixture
def tuned(site: Site, page: Page) -> Page:
    """Train, open."""
    page.goto(site.url)
    page.locator("#tab-train-button").click()
    expect(page.get_by_test_id("run-history")).to_be_visible()
    return page


def test_every_run_of_the_history_can_be_looked_at(tuned: Page, keep) -> None:
    panel = tuned.get_by_test_id("run-panel")
    expect(panel).to_have_attribute("data-run-id", "2")
    expect(tuned.get_by_test_id("metric-chart")).to_contain_text("Pixel AUROC")
    keep(tuned, "train")
    tuned.get_by_test_id("show-run-1").focus()
    tuned.keyboard.press("Enter")
    expect(panel).to_have_attribute("data-run-id", "1")
    expect(tuned.locator("tr[data-run-id='1']")).to_have_attribute("aria-current", "true")
    expect(panel.get_by_test_id("loss-chart")).to_be_hidden()  # figures are folded below the sentence
    panel.get_by_test_id("run-figures").locator("summary").click()
    expect(panel.get_by_test_id("loss-chart")).to_be_visible()
    expect(panel.get_by_test_id("offers")).to_be_visible()
    tuned.wait_for_timeout(2000)  # the page is drawn anew meanwhile, and the choice stays
    expect(panel).to_have_attribute("data-run-id", "1")


def test_what_to_correct_next_is_said_and_opened(tuned: Page, site: Site) -> None:
    waits = add(site.installation, seed=77)
    score_all(site.installation.store, site.installation.project_id)
    expect(tuned.get_by_test_id("next-step")).to_contain_text("What helps most now: paint the defects of more images.")
    tuned.get_by_test_id("open-queue").click()
    expect(tuned.get_by_test_id("mask-canvas")).to_have_attribute("data-image-id", str(waits))
    expect(tuned.get_by_test_id("filmstrip-order")).to_have_value("uncertain")


@pytest.fixture
def in_seoul(browser: Browser) -> Iterator[Page]:
    yield from open_page(browser, 1280, 800, timezone_id="Asia/Seoul")


def test_times_are_in_the_viewers_zone_and_stay_so_when_their_words_alone_are_drawn_anew(
    site: Site, in_seoul: Page
) -> None:
    in_seoul.goto(site.url)
    in_seoul.locator("#tab-train-button").click()
    started = in_seoul.get_by_test_id("run-history").locator("time").first
    moment = datetime.fromisoformat(started.get_attribute("datetime") or "").astimezone(ZoneInfo("Asia/Seoul"))
    expect(started).to_contain_text(f"{moment:%I:%M %p}")
    started.evaluate("time => { time.firstChild.data = '2026-01-02 03:04 UTC'; }")
    expect(started).to_contain_text(f"{moment:%I:%M %p}")


def test_candidate_and_active_are_shown_where_they_differ_most(tuned: Page, keep) -> None:
    tuned.get_by_test_id("show-differences").click()
    comparison = tuned.get_by_test_id("comparison")
    expect(comparison).to_contain_text("Where they differ most", timeout=60_000)
    rows = tuned.get_by_test_id("difference")
    expect(rows).to_have_count(6)
    expect(rows.first.locator("img")).to_have_js_property("complete", True)
    assert rows.first.locator("img").evaluate("image => image.naturalWidth") > 300
    expect(rows.filter(has_text="anomalous").first).to_contain_text(re.compile(r"pixel AP \d\.\d\d → \d\.\d\d"))
    keep(tuned, "train-differences")
    name = rows.first.get_by_role("button").inner_text()
    rows.first.get_by_role("button").click()
    expect(tuned.get_by_test_id("mask-canvas")).to_be_visible()
    expect(tuned.locator("[data-testid=filmstrip-item][aria-current=true]")).to_contain_text(name)


def test_any_two_versions_are_compared(tuned: Page) -> None:
    tuned.get_by_test_id("compare-first").select_option(label=option(tuned, "v1"))
    tuned.get_by_test_id("compare-second").select_option(label=option(tuned, "v3"))
    tuned.get_by_test_id("compare").click()
    table = tuned.get_by_test_id("comparison").get_by_test_id("metrics-table")
    expect(table.locator("caption")).to_contain_text("v3 against v1, on 6 corrected images", timeout=60_000)
    tuned.get_by_test_id("compare-first").select_option(label=option(tuned, "v3"))
    tuned.get_by_test_id("compare").click()
    expect(tuned.get_by_test_id("comparison-refused")).to_contain_text("two different versions")


def option(page: Page, version: str) -> str:
    words = page.get_by_test_id("compare-first").locator("option").all_inner_texts()
    return next(one for one in words if one.startswith(version))


def test_a_note_is_written_and_stays(tuned: Page, site: Site, keep) -> None:
    tuned.get_by_test_id("note-v2").click()
    expect(tuned.get_by_test_id("note-text")).to_be_focused()
    tuned.get_by_test_id("note-text").fill('for the <new> "camera"')
    keep(tuned, "train-note")
    tuned.get_by_test_id("note-save").click()
    expect(tuned.locator("tr[data-version='2'] .al-version-note")).to_have_text('for the <new> "camera"')
    with site.installation.store.session(read_only=True) as session:
        assert list_versions(session, site.installation.project_id)[1].note == 'for the <new> "camera"'
    tuned.get_by_test_id("note-v2").click()
    tuned.keyboard.press("Escape")
    expect(tuned.get_by_test_id("note-dialog")).to_have_count(0)


def test_another_version_is_put_to_use_and_the_first_one_again(tuned: Page, site: Site) -> None:
    def in_use() -> int:
        with site.installation.store.session(read_only=True) as session:
            version = active_version(session, site.installation.project_id)
            assert version is not None
            return version.number

    other = 1 if in_use() != 1 else 3
    first = in_use()
    for number in (other, first):
        tuned.get_by_test_id(f"activate-v{number}").click()
        expect(tuned.locator(f"tr[data-version='{number}']")).to_have_attribute("data-state", "active")
        assert in_use() == number


def test_the_rule_of_the_schedule_is_told_with_what_is_missing(site: Site, page: Page) -> None:
    correct(site.installation, 2, first_seed=6)
    page.goto(site.url)
    page.locator("#tab-train-button").click()
    rule = page.get_by_test_id("train-rule")
    expect(rule).to_contain_text("A run starts by itself after 10 new corrections")
    expect(rule).to_contain_text("8 corrections more, or 23 h 59 min more, and one starts.")
    with site.installation.store.session() as session:
        update_settings(session, site.installation.project_id, {"schedule": False})
    expect(rule).to_contain_text("Runs start only when someone presses Retrain.")
