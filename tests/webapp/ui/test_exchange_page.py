"""Import and export on the page."""

import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from tests.pictures import mask_png, png
from tests.webapp.ui.conftest import Site
from tests.workers.exchange.making import labels, packed, second_project
from tests.workers.making import add, correct


@pytest.fixture
def opened(site: Site, page: Page) -> Page:
    page.goto(site.url)
    page.locator("#tab-settings-button").click()
    expect(page.get_by_test_id("export-mvtec")).to_be_visible()
    return page


def download(page: Page, kind: str) -> Download:
    with page.expect_download() as waiting:
        page.get_by_test_id(f"export-{kind}").click()
    return waiting.value


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    kinds = {"png": "image/png", "zip": "application/zip"}  # the page refuses what the browser says is neither
    given = [{"name": name, "mimeType": kinds[name[-3:]], "buffer": data} for name, data in files]
    page.locator("#import-labels input[type=file]").set_input_files(given)


def test_an_export_is_downloaded_and_imported_into_another_project(opened: Page, site: Site, tmp_path: Path) -> None:
    installation = site.installation
    correct(installation, 2)
    correct(installation, 1, normal=True, first_seed=2)
    other = second_project(installation.store)
    zipped = tmp_path / "export.zip"
    found = download(opened, "mvtec")
    assert found.suggested_filename == "default-mvtec.zip"
    found.save_as(zipped)

    opened.goto(f"{site.url}/?project=second")
    opened.locator("#tab-settings-button").click()
    choose(opened, ("export.zip", zipped.read_bytes()))

    expect(opened.get_by_test_id("import-summary")).to_have_text("3 imported, 3 new images")
    before, after = labels(installation.store, installation.project_id), labels(installation.store, other)
    assert {name: one and one[:3] for name, one in after.items()} == {n: one and one[:3] for n, one in before.items()}


def test_every_format_is_a_link_of_its_own(opened: Page, site: Site) -> None:
    correct(site.installation, 1)
    for kind, name in (("masks", "masks/0.png"), ("coco", "annotations.json"), ("csv", "images.csv")):
        with zipfile.ZipFile(io.BytesIO(Path(download(opened, kind).path()).read_bytes())) as archive:
            assert name in archive.namelist()


def test_refused_files_are_listed_and_what_was_said_here_stays_until_it_is_to_go(
    opened: Page, site: Site, keep
) -> None:
    correct(site.installation, 1, normal=True)
    add(site.installation, seed=1)
    files = {"0.png": mask_png(), "1.png": mask_png(width=50), "unknown.png": mask_png()}

    choose(opened, ("masks.zip", packed(files)))
    expect(opened.get_by_test_id("import-summary")).to_have_text("1 kept what was said here, 2 refused")
    expect(opened.get_by_test_id("import-refused")).to_contain_text("unknown.png No image of the project has this name")
    expect(opened.get_by_test_id("import-refused")).to_contain_text("The mask is 50×70 px")
    keep(opened, "import")

    opened.locator("#import-replace input").check()
    choose(opened, ("0.png", mask_png()))
    expect(opened.get_by_test_id("import-summary")).to_have_text("1 imported")
    label = labels(site.installation.store, site.installation.project_id)["0.png"]
    assert label is not None and label[0::3] == ("anomalous", "imported")


def test_what_is_no_label_says_what_would_be(opened: Page) -> None:
    choose(opened, ("broken.zip", b"PK" + png(0)))
    expect(opened.get_by_test_id("import-error")).to_contain_text("COCO JSON")
