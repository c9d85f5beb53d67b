"""Names, notes and addresses that are scripts, everywhere they are shown: none runs, and each is there as text."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from db.defects.kinds import add_kind
from db.projects.projects import add_project
from db.tables.accounts import User
from db.training.prompt_versions import active_version, write_note
from db.webhooks.messages import add_webhook
from tests.conftest import Installation
from tests.pictures import mask_png, png
from tests.security.hostile import SCRIPTS
from tests.webapp.people import PASSWORD
from tests.webapp.ui.conftest import Site, served
from tests.workers.making import activate_copy, score_all
from workers.accounts.managing import make_token, make_user, note
from workers.defects.naming import Naming, name_defects
from workers.images.correcting import save_mask
from workers.images.intake import add_upload

PLACES = ("inspect", "library", "train", "settings")
PROJECT = SCRIPTS[0]


@pytest.fixture(scope="module")
def hostile_site(shared: Installation) -> Iterator[Site]:
    """A project, images, versions, people, tokens, webhooks and the audit log with scripts for names."""
    store = shared.store
    admin = make_user(store, "root", "admin", PASSWORD)
    for text in SCRIPTS:
        make_token(store, admin.id, text[:100])
        note(store, user_name=text[:100], via="session", address=text[:100], action=text, object=text)
    with store.session() as session:
        for text in SCRIPTS:
            add_project(session, text[:100])
    _fill(shared, shared.project_id)
    with served(shared, accounts=True) as site:
        yield site


def _fill(installation: Installation, project_id: int) -> None:
    store = installation.store
    for seed, text in enumerate(SCRIPTS):
        name = f"{text.replace('/', '')}.png"
        image_id = add_upload(store, project_id, name, png(seed), text[:100]).image_id
        save_mask(store, image_id, mask_png(), author=text[:100])
        with store.session() as session:
            kind = add_kind(session, project_id, text[:100], description=text, example_ids=[image_id])
        name_defects(store, image_id, [Naming(kind.id, 12, 30)], text)
    with store.session() as session:
        for user in session.query(User).filter(User.name != "root"):
            user.disabled_at = None
    for text in SCRIPTS:
        activate_copy(installation)
        with store.session() as session:
            version = active_version(session, project_id)
            assert version is not None
            write_note(session, version.id, text)
            webhook = add_webhook(session, project_id=None, url=address(text), events=["run.finished"])
            webhook.note = f"{webhook.url} took nothing ({text})."
    score_all(store, project_id)


def address(text: str) -> str:
    """Of a webhook, with the text in it."""
    return f"https://hooks.example/{text}"


def _signed_in(page: Page, url: str) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("Name").fill("root")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button").click()
    page.get_by_test_id("filmstrip").or_(page.locator("#places")).first.wait_for()


def _nothing_ran(page: Page) -> None:
    page.wait_for_timeout(500)
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("query", ["", "?project=" + "%3Cimg%20src%3Dx%20onerror%3Dwindow.hacked%3D1%3E"])
def test_no_name_runs_as_a_script(place: str, query: str, hostile_site: Site, page: Page) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    _signed_in(page, hostile_site.url)
    page.goto(f"{hostile_site.url}/{query}")
    page.get_by_role("tab").nth(PLACES.index(place)).click()
    _nothing_ran(page)


def test_a_project_that_is_none_is_said_as_text(hostile_site: Site, page: Page) -> None:
    _signed_in(page, hostile_site.url)
    page.goto(f"{hostile_site.url}/?project=none%20%3Cimg%20src%3Dx%20onerror%3Dwindow.hacked%3D1%3E")
    for number in range(len(PLACES)):
        page.get_by_role("tab").nth(number).click()
        page.wait_for_timeout(300)
    _nothing_ran(page)
    assert page.locator("img[src=x]").count() == 0


def test_notes_of_versions_are_shown_and_edited_as_text(hostile_site: Site, page: Page) -> None:
    _signed_in(page, hostile_site.url)
    page.get_by_role("tab").nth(PLACES.index("train")).click()
    for number, text in enumerate(SCRIPTS, start=2):
        expect(page.locator(f"tr[data-version='{number}'] .al-version-note")).to_have_text(text)
        page.get_by_test_id(f"note-v{number}").click()
        expect(page.get_by_test_id("note-text")).to_have_value(text)
        page.keyboard.press("Escape")
    _nothing_ran(page)
    assert page.locator("img[src=x]").count() == 0


def test_a_note_that_someone_writes_is_text_at_once(hostile_site: Site, page: Page) -> None:
    _signed_in(page, hostile_site.url)
    page.get_by_role("tab").nth(PLACES.index("train")).click()
    for text in SCRIPTS:
        page.get_by_test_id("note-v1").click()
        page.get_by_test_id("note-text").fill(text)
        page.get_by_test_id("note-save").click()
        expect(page.locator("tr[data-version='1'] .al-version-note")).to_have_text(text)
    _nothing_ran(page)


@pytest.mark.parametrize("text", SCRIPTS)
def test_the_address_of_a_webhook_is_text_wherever_a_browser_shows_it(
    text: str, hostile_site: Site, page: Page
) -> None:
    """They are made over REST: what a browser shows of them are its answers, its refusals, and the audit log."""
    _signed_in(page, hostile_site.url)
    path, headers = f"{hostile_site.url}/api/v1/webhooks", {"origin": hostile_site.url}
    listed = page.request.get(path)
    refused = page.request.post(path, data={"url": text, "events": ["run.finished"]}, headers=headers)
    assert listed.ok and not refused.ok
    for answer in (listed, refused):
        assert answer.headers["content-type"] in ("application/json", "application/problem+json")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert address(text) in [one["url"] for one in listed.json()]
    page.goto(path)
    _nothing_ran(page)
    assert page.locator("img[src=x]").count() == 0
    page.goto(hostile_site.url)
    page.get_by_role("tab").nth(PLACES.index("settings")).click()
    _nothing_ran(page)


@pytest.mark.parametrize("text", SCRIPTS)
def test_the_log_in_page_shows_what_was_typed_as_text(text: str, hostile_site: Site, page: Page) -> None:
    page.goto(f"{hostile_site.url}/login")
    page.get_by_label("Name").fill(text)
    page.get_by_label("Password").fill("not a password of anyone")
    page.get_by_role("button").click()
    _nothing_ran(page)
    assert page.locator("img[src=x]").count() == 0
