"""Accounts in the browser: signing in by keyboard, what a viewer is not offered and can't do, and Users in Settings."""

import re
from collections.abc import Iterator
from itertools import combinations

import pytest
from playwright.sync_api import Browser, FloatRect, Page, expect

from db.accounts.users import find_user, list_users
from db.images.rows import count_by_status
from db.projects.projects import ensure_project
from tests.conftest import Installation
from tests.pictures import png
from tests.webapp.people import PASSWORD, ROLES
from tests.webapp.ui.conftest import Site, open_page, served
from workers.accounts.managing import make_user
from workers.images.intake import add_upload

# What lies in the bar, by selectors.
BAR = [
    *(".al-brand", "#tab-inspect-button", "#tab-settings-button", ".al-header-facts", "[data-testid=project-select]"),
    *("[data-testid=account-name]", "[data-testid=sign-out]", "[data-testid=language]"),
]


@pytest.fixture
def closed(installation: Installation) -> Iterator[Site]:
    """A site with an account for every role, and one image."""
    for role in ROLES:
        make_user(installation.store, role, role, PASSWORD)
    add_upload(installation.store, installation.project_id, "part.png", png())
    with served(installation, accounts=True) as site:
        yield site


def sign_in(page: Page, site: Site, name: str, path: str = "/") -> None:
    page.goto(site.url + path)
    page.get_by_test_id("login-name").fill(name)
    page.get_by_test_id("login-password").fill(PASSWORD)
    page.get_by_test_id("login-submit").click()
    expect(page.get_by_test_id("account-name")).to_have_text(name)


def test_one_signs_in_by_keyboard_alone_and_out_again(closed: Site, page: Page, keep) -> None:
    page.goto(closed.url + "/?project=default")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("annotator")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong")
    expect(page.get_by_label("Password")).to_be_focused()
    keep(page, "login")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("account-name")).to_have_text("annotator")
    assert page.url.startswith(closed.url + "/?project=default")
    expect(page.get_by_test_id("filmstrip-item")).to_have_count(1)
    bar, out = page.locator("#places > .tab-wrapper").bounding_box(), page.get_by_test_id("sign-out").bounding_box()
    assert bar and out and abs((bar["y"] + bar["height"] / 2) - (out["y"] + out["height"] / 2)) < 2, (
        "it sits in the bar"
    )
    keep(page, "signed_in")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Name")).to_be_visible()
    page.goto(closed.url)
    expect(page).to_have_url(re.compile("/login"))


@pytest.mark.parametrize("locale", ["en-GB", "ko-KR"])
def test_the_parts_of_the_bar_lie_side_by_side(closed: Site, browser: Browser, keep, locale: str) -> None:
    with closed.installation.store.session() as session:
        ensure_project(session, "a product with a name that is rather long")
    for page in open_page(browser, 1280, 800, locale=locale):
        sign_in(page, closed, "annotator", "/?project=a%20product%20with%20a%20name%20that%20is%20rather%20long")
        expect(page.get_by_test_id("model-line")).to_be_visible()
        for width in (1280, 1024, 800, 360):
            page.set_viewport_size({"width": width, "height": 800})
            expect(page.get_by_test_id("account-name")).to_be_visible(visible=width > 900)
            parts = {part: page.locator(part).first.bounding_box() for part in BAR}
            shown = [(part, box) for part, box in parts.items() if box and box["width"]]
            keep(page, f"bar-{locale}-{width}")
            assert len(shown) >= len(BAR) - 1
            for one, other in combinations(shown, 2):
                assert apart(one[1], other[1]), (width, one, other)
            brand, tab = parts[".al-brand"], parts["#tab-inspect-button"]
            assert brand and tab and abs(middle(brand) - middle(tab)) < 2, "they are in one line"


def middle(box: FloatRect) -> float:
    return box["y"] + box["height"] / 2


def apart(one: FloatRect, other: FloatRect) -> bool:
    """Whether two boxes have nothing in common."""
    across = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
    down = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
    return across or down


def test_a_viewer_looks_and_can_not_write(closed: Site, page: Page) -> None:
    sign_in(page, closed, "viewer")
    page.get_by_test_id("filmstrip-item").click()
    expect(page.get_by_test_id("file-name")).to_have_text("part.png")
    for hidden in ("uploader", "save", "accept", "mark-normal", "tool-brush"):
        expect(page.get_by_test_id(hidden)).to_be_hidden()
    expect(page.get_by_test_id("zoom-in")).to_be_visible()
    page.get_by_test_id("stage").press("n")  # the key is still there: the server says no
    expect(page.get_by_test_id("message")).to_contain_text("This takes the role annotator, and viewer is viewer")
    page.locator("#tab-train-button").click()
    expect(page.get_by_test_id("waiting")).to_be_visible()
    expect(page.locator("#retrain")).to_be_hidden()
    page.evaluate("document.documentElement.dataset.role = 'admin'")  # as someone may who knows how
    page.locator("#retrain").click()
    expect(page.locator(".toast-body")).to_contain_text("This takes the role annotator")
    with closed.installation.store.session(read_only=True) as session:
        assert count_by_status(session, closed.installation.project_id)["corrected"] == 0


def test_an_annotator_corrects_and_an_admin_sees_who_it_was(closed: Site, page: Page) -> None:
    sign_in(page, closed, "annotator")
    page.get_by_test_id("filmstrip-item").click()
    expect(page.get_by_test_id("file-name")).to_have_text("part.png")
    page.get_by_test_id("mark-normal").click()
    expect(page.get_by_test_id("revision")).to_contain_text("annotator")
    page.locator("#tab-settings-button").click()
    expect(page.get_by_test_id("project-row")).to_have_count(1)
    expect(page.locator("#save-settings")).to_be_hidden()
    expect(page.get_by_test_id("users")).to_be_hidden()
    page.get_by_test_id("sign-out").click()

    sign_in(page, closed, "admin")
    page.locator("#tab-settings-button").click()
    page.get_by_test_id("audit").locator("summary").click()
    expect(page.get_by_test_id("audit-log")).to_contain_text("PUT /api/v1/images/{image_id}/annotation")
    with page.expect_download() as whole:
        page.get_by_test_id("audit-export").click()
    assert "PUT /api/v1/images/{image_id}/annotation" in whole.value.path().read_text()
    page.get_by_test_id("audit-to").fill("2001-02-03")
    with page.expect_download() as old:
        page.get_by_test_id("audit-export").click()
    assert old.value.path().read_text("utf-8-sig").splitlines() == ["id,at,user_name,via,address,action,object"]


def test_an_admin_makes_users_changes_them_and_hands_out_tokens(closed: Site, page: Page, keep) -> None:
    sign_in(page, closed, "admin")
    page.locator("#tab-settings-button").click()
    rows = page.get_by_test_id("user-row")
    expect(rows).to_have_count(3)
    page.get_by_test_id("new-user-name").fill("Robot")
    page.get_by_test_id("new-user-make").click()
    robot = rows.filter(has_text="robot")
    expect(robot).to_contain_text("tokens only")
    robot.get_by_test_id("user-token").click()
    page.get_by_test_id("token-purpose").fill("line 3")
    page.get_by_test_id("token-scope").select_option("line")
    page.get_by_test_id("token-project").select_option("default")
    page.get_by_test_id("token-ends").fill("2020-12-31")
    page.get_by_test_id("token-make").click()
    expect(page.get_by_test_id("token-error")).to_contain_text("Choose an end that lies ahead")
    page.get_by_test_id("token-ends").fill("2999-12-31")
    keep(page, "new_token")
    page.get_by_test_id("token-make").click()
    expect(page.get_by_test_id("new-token-value")).to_have_text(re.compile("^aloop_"))
    expect(robot.get_by_test_id("token")).to_contain_text("for line 3 · line, for default alone, until 12/31/2999")
    keep(page, "users")
    page.get_by_test_id("new-token-done").click()
    expect(page.get_by_test_id("new-token-value")).to_be_hidden()
    robot.get_by_test_id("token-revoke").click()
    expect(robot.get_by_test_id("token")).to_have_count(0)
    robot.get_by_test_id("user-role").select_option("viewer")
    robot.get_by_test_id("user-disable").click()
    expect(robot).to_contain_text("disabled")
    rows.filter(has_text="admin").get_by_test_id("user-disable").first.click()
    expect(page.get_by_test_id("users-error")).to_contain_text("the only admin")
    with closed.installation.store.session(read_only=True) as session:
        user = find_user(session, "robot")
        assert user is not None and user.role == "viewer" and user.disabled_at is not None
        assert all(one.disabled_at is None for one in list_users(session) if one.name != "robot")


def test_a_korean_browser_signs_in_and_manages_users_in_korean(closed: Site, korean: Page, keep) -> None:
    korean.goto(closed.url)
    expect(korean.locator("html")).to_have_attribute("lang", "ko")
    korean.get_by_label("사용자 이름").fill("admin")
    korean.get_by_label("비밀번호").fill("wrong horse battery")
    korean.get_by_role("button", name="로그인").click()
    expect(korean.get_by_role("alert")).to_contain_text("사용자 이름이나 비밀번호가 틀렸거나")
    keep(korean, "korean-login")
    korean.get_by_label("비밀번호").fill(PASSWORD)
    korean.keyboard.press("Enter")
    expect(korean.get_by_role("button", name="로그아웃")).to_be_visible(timeout=30_000)

    korean.locator("#tab-settings-button").click()
    users = korean.get_by_test_id("users")
    expect(users.get_by_test_id("user-row")).to_have_count(3)
    expect(users.get_by_label("viewer의 역할")).to_have_text("열람자검사자관리자")
    users.get_by_role("button", name="비활성화: admin").click()
    expect(users.get_by_test_id("users-error")).to_contain_text("로그인할 수 있는 유일한 관리자입니다")
    users.get_by_text("작업 기록").click()
    expect(users.get_by_role("row", name="로그인 거부")).to_be_visible()
    expect(korean.get_by_role("heading", name="작업자와 대기열")).to_be_visible()
    expect(korean.get_by_role("columnheader", name="대기 중")).to_be_visible()
    keep(korean, "korean-users")


def test_ones_own_password_is_changed_in_the_bar(closed: Site, page: Page) -> None:
    sign_in(page, closed, "viewer")
    page.get_by_test_id("account-name").click()
    page.get_by_test_id("password-old").fill("not the old one")
    page.get_by_test_id("password-new").fill("another horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("password-error")).to_contain_text("The name or the password is wrong")
    page.get_by_test_id("password-old").fill(PASSWORD)
    page.get_by_test_id("password-save").click()
    expect(page.get_by_label("Name")).to_be_visible()
    page.get_by_label("Name").fill("viewer")
    page.get_by_label("Password").fill("another horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("account-name")).to_have_text("viewer")


def test_without_accounts_nothing_of_them_is_in_the_bar(site: Site, page: Page) -> None:
    page.goto(site.url)
    page.locator("#tab-settings-button").click()
    expect(page.get_by_test_id("users")).to_contain_text("No one has to sign in here")
    expect(page.get_by_test_id("account")).to_be_hidden()


def test_a_session_that_ended_leads_to_the_form(closed: Site, page: Page) -> None:
    sign_in(page, closed, "annotator")
    page.context.clear_cookies()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.get_by_label("Password")).to_be_visible()
