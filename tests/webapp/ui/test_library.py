"""The library in the browser: finding images, deciding on many at once by mouse and by keyboard, nothing lost."""

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from db.images.annotations import newest_annotation
from db.projects.projects import update_settings
from tests.pictures import png
from tests.running import wait_until
from tests.webapp.ui.canvas_page import CanvasPage
from tests.webapp.ui.conftest import Site, open_page
from tests.workers.making import score_all
from workers.images.correcting import mark_normal
from workers.images.intake import add_upload


class Library:
    """The place as a person uses it."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site, self.page = site, page
        self.store, self.project_id = site.installation.store, site.installation.project_id

    def add(self, count: int, *, score: bool = True) -> list[int]:
        """Pictures of their own names, part-0.png, …; returns their ids."""
        names = [f"part-{seed}.png" for seed in range(count)]
        ids = [add_upload(self.store, self.project_id, name, png(seed)).image_id for seed, name in enumerate(names)]
        if score:
            score_all(self.store, self.project_id)
        return ids

    def open(self) -> None:
        self.page.goto(self.site.url)
        self.page.locator("#tab-library-button").click()

    def part(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def item(self, image_id: int) -> Locator:
        return self.page.locator(f"[data-testid=library-item][data-id='{image_id}']")

    def tick(self, image_id: int) -> Locator:
        return self.page.locator("#library-grid li").filter(has=self.item(image_id)).get_by_test_id("library-tick")

    def expect_ids(self, *ids: int) -> None:
        wait_until(lambda: self.shown() == sorted(ids), f"the images {ids} alone", seconds=20)

    def shown(self) -> list[int]:
        return sorted(self.part("library-item").evaluate_all("all => all.map((one) => Number(one.dataset.id))"))

    def label(self, image_id: int) -> str | None:
        with self.store.session(read_only=True) as session:
            annotation = newest_annotation(session, image_id)
        return annotation.label if annotation else None


@pytest.fixture
def library(site: Site, page: Page) -> Library:
    return Library(site, page)


def test_filters_narrow_the_list_and_are_cleared_again(library: Library) -> None:
    ids = library.add(12)
    mark_normal(library.store, ids[3])
    library.open()
    expect(library.part("filter-corrected")).to_have_text("Corrected 1")
    library.part("toggle-filters").click()

    library.part("filter-name").fill("PART-1")
    library.expect_ids(ids[1], ids[10], ids[11])
    expect(library.part("library-count")).to_have_text("3 images")
    expect(library.part("filter-count")).to_have_text("1")
    library.part("filter-name").fill("no such part")
    expect(library.part("library-empty")).to_contain_text("Clear the filters")

    library.part("filters-clear").click()
    expect(library.part("library-item")).to_have_count(12)
    library.part("filter-label").select_option("normal")
    library.expect_ids(ids[3])
    library.part("filters-clear").click()
    library.part("filter-added-until").fill("2020-01-01")
    expect(library.part("library-item")).to_have_count(0)
    library.part("filters-clear").click()
    library.part("filter-min-score").fill("1")
    expect(library.part("library-item")).to_have_count(0)


def test_images_of_one_person_are_found_where_there_are_several(library: Library) -> None:
    [mine] = library.add(1, score=False)
    library.open()
    library.part("toggle-filters").click()
    expect(library.part("filter-name")).to_be_visible()
    expect(library.part("filter-person")).to_be_hidden()
    hers = add_upload(library.store, library.project_id, "hers.png", png(7), author="anna").image_id

    for _ in range(2):  # closed and opened again: who is there is asked for anew
        library.part("toggle-filters").click()
    library.part("filter-person").select_option("anna")
    library.expect_ids(hers)
    mark_normal(library.store, mine, author="anna")
    library.expect_ids(hers, mine)
    library.part("filters-clear").click()
    library.part("filter-person").select_option("local")
    library.expect_ids(mine)


def test_the_queue_says_its_rule_and_of_each_image_why(library: Library) -> None:
    [image_id] = library.add(1)
    with library.store.session() as session:
        update_settings(session, library.project_id, {"threshold": 0.0})
    library.open()
    expect(library.part("queue-rule")).to_be_hidden()

    library.part("library-order").select_option("uncertain")

    expect(library.part("queue-rule")).to_contain_text("score lies near the threshold")
    expect(library.item(image_id)).to_contain_text("Map unsure")
    with library.store.session() as session:
        score = library.page.request.get(f"{library.site.url}/api/v1/images/{image_id}").json()["score"]
        update_settings(session, library.project_id, {"threshold": score})
    expect(library.item(image_id)).to_contain_text("Near the threshold")


def test_many_are_decided_on_at_once_and_those_that_fail_say_why_and_stay(library: Library) -> None:
    ids = library.add(6)
    library.open()
    library.tick(ids[5]).click()
    library.tick(ids[2]).click(modifiers=["Shift"])  # newest first: 5, 4, 3, 2
    expect(library.part("selection-count")).to_have_text("4 selected")
    library.tick(ids[3]).click()
    # Someone else corrects one of them in between: it must not be overwritten.
    library.page.route(f"**/images/{ids[4]}/annotation", lambda route: corrected_meanwhile(library, ids[4], route))

    library.part("batch-normal").click()

    expect(library.part("batch-message")).to_have_text("2 marked normal, 1 not: they stay selected, each says why.")
    expect(library.item(ids[4])).to_contain_text("someone saved in between")
    expect(library.part("selection-count")).to_have_text("1 selected")
    assert [library.label(one) for one in ids] == [None, None, "normal", None, "normal", "normal"]
    with library.store.session(read_only=True) as session:
        annotation = newest_annotation(session, ids[4])
        assert annotation is not None and annotation.revision == 1


def corrected_meanwhile(library: Library, image_id: int, route: Route) -> None:
    mark_normal(library.store, image_id)
    route.continue_()


def test_deleting_asks_first_and_then_the_images_are_gone(library: Library) -> None:
    ids = library.add(4, score=False)
    library.open()
    library.tick(ids[0]).click()
    library.part("select-all").click()
    library.tick(ids[1]).click()
    library.part("batch-delete").click()
    expect(library.part("delete-dialog")).to_contain_text("Delete 3 images?")
    library.part("keep-images").click()
    expect(library.part("library-item")).to_have_count(4)

    library.part("batch-delete").click()
    library.part("confirm-delete").click()

    expect(library.part("batch-message")).to_have_text("3 deleted.")
    library.expect_ids(ids[1])


def test_everything_can_be_done_by_keyboard(library: Library) -> None:
    ids = library.add(5)
    library.open()
    press = library.page.keyboard.press
    library.item(ids[4]).focus()
    press("ArrowRight")
    expect(library.item(ids[3])).to_be_focused()
    press("Space")
    press("Shift+ArrowRight")
    expect(library.part("selection-count")).to_have_text("2 selected")
    press("n")
    expect(library.part("batch-message")).to_have_text("2 marked normal.")
    assert [library.label(one) for one in ids] == [None, None, "normal", "normal", None]

    press("Control+a")
    expect(library.part("selection-count")).to_have_text("5 selected")
    press("Escape")
    expect(library.part("selection-count")).to_have_text("")
    press("Enter")
    CanvasPage(library.site.url, library.site.installation, library.page).expect_open(ids[2])


def test_thumbnails_and_pages_are_loaded_as_one_scrolls(library: Library) -> None:
    ids = library.add(120, score=False)
    asked: set[str] = set()
    library.page.on("request", lambda request: "thumbnail" in request.url and asked.add(request.url))
    library.open()
    expect(library.part("library-item")).to_have_count(50)
    expect(library.part("library-count")).to_have_text("120 images")
    expect(library.part("library-item").first.locator("img")).to_have_js_property("complete", True)
    assert 0 < len(asked) < 120
    library.part("library-scroll").evaluate("scroller => scroller.scrollTo(0, scroller.scrollHeight)")
    expect(library.part("library-item")).to_have_count(100)
    library.part("library-scroll").evaluate("scroller => scroller.scrollTo(0, scroller.scrollHeight)")
    library.expect_ids(*ids)


def test_all_that_are_selected_are_acted_on_after_a_refresh_too_and_the_place_stays(library: Library) -> None:
    """More than the largest page, so that a refresh shows them in parts."""
    library.add(505, score=False)
    done: set[str] = set()

    def mark(route: Route) -> None:
        done.add(route.request.url)
        route.fulfill(status=201, json={})

    library.page.route("**/images/*/annotation", mark)
    library.open()
    library.part("select-all").wait_for(state="attached")
    library.tick(505).click()
    library.part("select-all").click()
    expect(library.part("selection-count")).to_have_text("505 selected")
    scroller = library.part("library-scroll")
    scroller.evaluate("scroller => scroller.scrollTo(0, 3000)")
    add_upload(library.store, library.project_id, "one more.png", png(9999))
    expect(library.part("library-count")).to_have_text("506 images")
    expect(library.part("library-item")).to_have_count(506)
    assert scroller.evaluate("scroller => scroller.scrollTop") > 2000
    expect(library.part("selection-count")).to_have_text("505 selected")

    library.part("batch-normal").click()

    expect(library.part("batch-message")).to_have_text("505 marked normal.")
    assert len(done) == 505


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(site: Site, browser: Browser, width: int) -> None:
    for page in open_page(browser, width, 740):
        library = Library(site, page)
        library.add(3)
        library.open()
        for button in ("toggle-filters", "toggle-threshold"):
            library.part(button).click()
        library.part("library-order").select_option("uncertain")
        library.tick(1).click()
        expect(library.part("rests-on")).to_contain_text("Not calibrated yet")
        wider = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0
        for name in ("filter-name", "save-threshold", "batch-delete"):
            box = library.part(name).bounding_box()
            assert box is not None and box["x"] + box["width"] <= width, name
