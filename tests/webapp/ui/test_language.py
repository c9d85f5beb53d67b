"""The page in Korean and English: as the browser prefers, or as chosen in the bar."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.webapp.ui.canvas_page import CanvasPage
from tests.webapp.ui.conftest import Site

# Place → its name, and something that is said in it once it is all there.
PLACES = {
    "inspect": ("검사", "그린 것이 없습니다. 저장하면 정상으로 기록됩니다"),
    "library": ("라이브러리", "검토 대기"),
    "train": ("학습", "모델 기본 제공"),
    "settings": ("설정", "새 수정이 10건 모이거나"),
}


def test_a_korean_browser_gets_every_place_in_korean(
    shared_site: Site, korean: Page, keep: Callable[[Page, str], None]
) -> None:
    canvas = CanvasPage(shared_site.url, shared_site.installation, korean)
    canvas.open(canvas.add(seed=1))

    expect(korean.locator("html")).to_have_attribute("lang", "ko")
    for place, (name, words) in PLACES.items():
        tab = korean.locator(f"#tab-{place}-button")
        expect(tab).to_have_text(name)
        tab.click()
        expect(korean.get_by_text(words).filter(visible=True).first).to_be_visible()
        keep(korean, f"korean-{place}")
    expect(korean.locator("#save-settings")).to_have_text("설정 저장")
    expect(korean.get_by_label("이미지 임계값").first).to_be_visible()


def test_the_language_chosen_in_the_bar_is_kept_by_the_browser(shared_site: Site, page: Page) -> None:
    page.goto(shared_site.url)
    expect(page.locator("#tab-train-button")).to_have_text("Train")

    page.get_by_test_id("language").select_option(label="한국어")

    expect(page.locator("#tab-train-button")).to_have_text("학습")
    page.reload()
    page.locator("#tab-train-button").click()
    expect(page.locator("#retrain")).to_have_text("재학습")
    page.get_by_test_id("language").select_option(label="English")
    expect(page.locator("#retrain")).to_have_text("Retrain")


def test_what_the_server_refuses_is_said_in_korean(shared_site: Site, korean: Page) -> None:
    korean.goto(shared_site.url)
    korean.get_by_test_id("file-input").set_input_files(
        {"name": "empty.png", "mimeType": "image/png", "buffer": b"no image at all"}
    )
    expect(korean.get_by_test_id("upload-item")).to_contain_text("읽을 수 있는 이미지 형식이 아닙니다")
