"""Taking images in: files, folders, zips, the clipboard; what is refused, what is cancelled, what is sent again."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from db.images.rows import count_by_status
from db.tables.core import Image
from tests.pictures import png
from tests.webapp.ui.conftest import Site
from webapp.page.samples import sample_images


@pytest.fixture
def opened(site: Site, page: Page) -> Page:
    page.goto(site.url)
    expect(page.get_by_test_id("empty-state")).to_be_visible()
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

    expect(opened.get_by_test_id("upload-summary")).to_have_text("11 added, 2 refused")
    refused = opened.locator("[data-testid=upload-item][data-state=failed]")
    expect(refused).to_have_count(2)
    expect(refused.filter(has_text="empty.png")).to_contain_text("The file is empty")
    expect(refused.filter(has_text="notes.png")).to_contain_text("not an image")
    expect(opened.get_by_test_id("filmstrip-item")).to_have_count(11)
    assert images_in(site) == 11


def test_the_same_file_again_is_told_and_kept_once(opened: Page, site: Site) -> None:
    file = {"name": "one.png", "mimeType": "image/png", "buffer": png(1)}
    opened.get_by_test_id("file-input").set_input_files([file])
    expect(opened.get_by_test_id("upload-summary")).to_have_text("1 added")

    opened.get_by_test_id("file-input").set_input_files([file])

    expect(opened.get_by_test_id("upload-summary")).to_have_text("0 added, 1 already here")
    assert images_in(site) == 1


def test_a_request_in_which_every_file_is_bad_tells_each_ones_reason(opened: Page, site: Site) -> None:
    opened.get_by_test_id("file-input").set_input_files(
        [
            {"name": "a.png", "mimeType": "image/png", "buffer": b"text"},
            {"name": "b.png", "mimeType": "image/png", "buffer": png(0, width=4, height=4)},
        ]
    )
    expect(opened.get_by_test_id("upload-summary")).to_have_text("0 added, 2 refused")
    refused = opened.locator("[data-testid=upload-item][data-state=failed]")
    expect(refused.filter(has_text="a.png")).to_contain_text("not an image")
    expect(refused.filter(has_text="b.png")).to_contain_text("4×4 px")
    assert images_in(site) == 0


def test_the_three_samples_are_one_click_away_and_one_opens_scored(opened: Page) -> None:
    opened.get_by_test_id("empty-samples").click()

    expect(opened.get_by_test_id("filmstrip-item")).to_have_count(3)
    expect(opened.get_by_test_id("image-size")).to_have_text("512 × 512 px")
    expect(opened.get_by_test_id("prompt-version")).to_have_text("v1")
    assert sample_images() == sample_images()


def zip_of(files: dict[str, bytes]) -> bytes:
    """A zip whose files are stored and deflated in turn."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, (name, data) in enumerate(files.items()):
            archive.writestr(name, data, (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)[number % 2])
    return buffer.getvalue()


def choose(page: Page, name: str, data: bytes) -> None:
    page.get_by_test_id("file-input").set_input_files(
        [{"name": name, "mimeType": "application/octet-stream", "buffer": data}]
    )


def test_a_zip_gives_its_images_each_with_its_own_outcome(opened: Page, site: Site) -> None:
    files = {f"line 1/부품-{seed}.png": png(seed) for seed in range(5)}
    others = {"line 1/broken.jpg": b"no image" * 50, "readme.txt": b"words", "__MACOSX/line 1/._부품-0.png": b"\0" * 9}

    choose(opened, "parts.ZIP", zip_of(files | others))

    summary = "5 added, 1 refused, 1 other file passed over (readme.txt)"
    expect(opened.get_by_test_id("upload-summary")).to_have_text(summary)
    refused = opened.locator("[data-testid=upload-item][data-state=failed]")
    expect(refused).to_contain_text("line 1/broken.jpg")
    expect(opened.get_by_test_id("filmstrip-item").first).to_contain_text("부품-")
    with site.installation.store.session(read_only=True) as session:
        kept = {image.sha256 for image in session.scalars(select(Image))}
    assert kept == {hashlib.sha256(data).hexdigest() for data in files.values()}


def test_zips_that_can_not_be_read_say_why_and_what_to_do(opened: Page) -> None:
    whole = zip_of({"a.png": png(1)})
    packed, entry = whole.index(b"a.png") + len("a.png"), whole.index(b"PK\x01\x02")
    refused = {
        "words.zip": (b"not a zip at all", "not a zip file"),
        "short.zip": (whole[:-30], "not a zip file"),
        # No packed data begins with this byte.
        "damaged.zip": (whole[:packed] + b"\xff" + whole[packed + 1 :], "damaged inside the zip"),
        # The flag for encryption, in the directory.
        "secret.zip": (whole[: entry + 8] + b"\x01" + whole[entry + 9 :], "is encrypted"),
    }
    for name, (data, reason) in refused.items():
        choose(opened, name, data)
        expect(opened.get_by_test_id("upload-item")).to_contain_text(reason)
        expect(opened.get_by_test_id("upload-summary")).to_have_text("0 added, 1 refused")


def test_a_folder_gives_the_images_in_it(opened: Page, tmp_path: Path) -> None:
    (inner := tmp_path / "batch" / "monday").mkdir(parents=True)
    for seed in range(3):
        (inner / f"{seed}.png").write_bytes(png(seed))
    (tmp_path / "batch" / "log.txt").write_text("words")
    (tmp_path / "batch" / "more.zip").write_bytes(zip_of({"inside.png": png(9)}))

    opened.get_by_test_id("folder-input").set_input_files(tmp_path / "batch")

    summary = "4 added, 1 other file passed over (log.txt)"
    expect(opened.get_by_test_id("upload-summary")).to_have_text(summary)


PASTE_OR_DROP = """([kind, name, bytes]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
    const event = kind === "paste"
        ? new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true })
        : new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
}"""


def test_a_picture_is_taken_from_the_clipboard_and_from_a_drop_in_the_library_too(opened: Page) -> None:
    opened.evaluate(PASTE_OR_DROP, ["paste", "image.png", list(png(1))])
    expect(opened.get_by_test_id("filmstrip-item")).to_contain_text("pasted-20")

    opened.locator("#tab-library-button").click()
    opened.evaluate(PASTE_OR_DROP, ["drop", "dropped.png", list(png(2))])
    expect(opened.get_by_test_id("library-item")).to_have_count(2)
    expect(opened.get_by_test_id("library-upload")).to_have_text("1 added")

    opened.locator("#tab-train-button").click()
    opened.evaluate(PASTE_OR_DROP, ["drop", "elsewhere.png", list(png(3))])
    opened.locator("#tab-library-button").click()
    expect(opened.get_by_test_id("library-item")).to_have_count(2)


def test_what_the_server_did_not_get_can_be_sent_again(opened: Page, site: Site) -> None:
    opened.route(
        "**/api/v1/images", lambda route: route.abort() if route.request.method == "POST" else route.fallback()
    )
    choose(opened, "a.png", png(1))
    expect(opened.get_by_test_id("upload-summary")).to_have_text("0 added, 1 not sent")
    expect(opened.get_by_test_id("upload-item")).to_contain_text("Retry when it runs")
    opened.unroute_all()

    opened.get_by_test_id("upload-retry").click()

    expect(opened.get_by_test_id("upload-summary")).to_have_text("1 added")
    assert images_in(site) == 1


def test_an_upload_is_cancelled_and_taken_up_again(opened: Page, site: Site) -> None:
    posts: list[Route] = []

    def hold_all_but_the_first(route: Route) -> None:
        if route.request.method == "POST":
            posts.append(route)
        if route.request.method != "POST" or len(posts) == 1:
            route.fallback()

    opened.route("**/api/v1/images", hold_all_but_the_first)
    files = [{"name": f"{seed}.png", "mimeType": "image/png", "buffer": png(seed)} for seed in range(30)]
    opened.get_by_test_id("file-input").set_input_files(files)
    expect(opened.locator("[data-testid=upload-item][data-state=kept]")).to_have_count(4)

    opened.get_by_test_id("upload-cancel").click()

    expect(opened.get_by_test_id("upload-summary")).to_have_text("4 added, 26 cancelled")
    opened.unroute_all(behavior="ignoreErrors")
    opened.get_by_test_id("upload-retry").click()
    expect(opened.get_by_test_id("upload-summary")).to_have_text("30 added")
    assert images_in(site) == 30
