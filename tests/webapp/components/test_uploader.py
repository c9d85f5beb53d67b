from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from db.images import count_by_status
from tests.pictures import png
from tests.webapp.components.conftest import Site
from webapp.samples import sample_images


@pytest.fixture
def opened(site: Site, page: Page) -> Page:
    page.goto(site.url)
    expect(page.get_by_test_id("empty-state")).to_be_visible(timeout=20_000)
    return page


def images_in(site: Site) -> int:
    with site.installation.store.session(read_only=True) as session:
        return sum(count_by_status(session, site.installation.project_id).values())


def test_many_files_are_kept_and_bad_ones_are_listed_with_the_reason(opened: Page, site: Site, tmp_path: Path) -> None:
    files = [tmp_path / f"picture-{seed}.png" for seed in range(11)]
    for seed, file in enumerate(files):
        file.write_bytes(png(seed))
    (empty := tmp_path / "empty.png").write_bytes(b"")
    (text := tmp_path / "notes.png").write_text("not an image")

    opened.get_by_test_id("file-input").set_input_files([*files[:6], empty, text, *files[6:]])

    expect(opened.get_by_test_id("upload-summary")).to_have_text("11 added, 2 refused", timeout=30_000)
    refused = opened.locator("[data-testid=upload-item][data-state=failed]")
    expect(refused).to_have_count(2)
    expect(refused.filter(has_text="empty.png")).to_contain_text("The file is empty")
    expect(refused.filter(has_text="notes.png")).to_contain_text("not an image")
    expect(opened.get_by_test_id("filmstrip-item")).to_have_count(11)
    assert images_in(site) == 11


def test_the_same_file_again_is_told_and_kept_once(opened: Page, site: Site) -> None:
    file = {"name": "one.png", "mimeType": "image/png", "buffer": png(1)}
    opened.get_by_test_id("file-input").set_input_files([file])
    expect(opened.get_by_test_id("upload-summary")).to_have_text("1 added", timeout=20_000)

    opened.get_by_test_id("file-input").set_input_files([file])

    expect(opened.get_by_test_id("upload-summary")).to_have_text("0 added, 1 already here", timeout=20_000)
    assert images_in(site) == 1


def test_a_request_in_which_every_file_is_bad_tells_each_ones_reason(opened: Page, site: Site) -> None:
    opened.get_by_test_id("file-input").set_input_files(
        [
            {"name": "a.png", "mimeType": "image/png", "buffer": b"text"},
            {"name": "b.png", "mimeType": "image/png", "buffer": png(0, width=4, height=4)},
        ]
    )
    expect(opened.get_by_test_id("upload-summary")).to_have_text("0 added, 2 refused", timeout=20_000)
    refused = opened.locator("[data-testid=upload-item][data-state=failed]")
    expect(refused.filter(has_text="a.png")).to_contain_text("not an image")
    expect(refused.filter(has_text="b.png")).to_contain_text("4×4 px")
    assert images_in(site) == 0


def test_the_three_samples_are_one_click_away_and_one_opens_scored(opened: Page) -> None:
    opened.get_by_test_id("empty-samples").click()

    expect(opened.get_by_test_id("filmstrip-item")).to_have_count(3, timeout=20_000)
    expect(opened.get_by_test_id("image-size")).to_have_text("512 × 512 px", timeout=20_000)
    expect(opened.get_by_test_id("prompt-version")).to_have_text("v1", timeout=30_000)
    assert sample_images() == sample_images()
