"""Members of a project in the browser: an admin says who they are; they work in it, others don't see it."""

from playwright.sync_api import Page, expect

from db.accounts.members import list_members
from db.projects.projects import add_project
from tests.webapp.ui.conftest import Site
from tests.webapp.ui.test_accounts_page import closed, sign_in

__all__ = ["closed"]


def test_an_admin_names_members_who_then_work_in_the_project_and_others_do_not_see_it(
    closed: Site, page: Page, keep
) -> None:
    with closed.installation.store.session() as session:
        project_id = add_project(session, "bolts").id
    sign_in(page, closed, "admin")
    page.locator("#tab-settings-button").click()
    bolts = page.get_by_test_id("project-row").filter(has_text="bolts")
    bolts.get_by_role("button", name="Members of bolts").click()
    page.get_by_label("For its members alone").check()
    for name, role in (("nobody at all", "annotator"), ("viewer", "admin")):
        page.get_by_test_id("members-add").click()
        expect(page.get_by_test_id("member-name").last).to_be_focused()
        page.get_by_test_id("member-name").last.fill(name)
        page.get_by_test_id("member-role").last.select_option(role)
    page.get_by_test_id("members-save").click()
    expect(page.get_by_test_id("members-error")).to_contain_text("There is no user 'nobody at all'")
    page.get_by_test_id("member-remove").first.click()
    keep(page, "members")
    page.get_by_test_id("members-save").click()
    expect(bolts).to_contain_text("members only")
    with closed.installation.store.session(read_only=True) as session:
        assert list_members(session, project_id) == {"viewer": "admin"}
    page.get_by_test_id("sign-out").click()

    sign_in(page, closed, "viewer", "/?project=bolts")
    page.locator("#tab-inspect-button").click()
    expect(page.get_by_test_id("uploader")).to_be_visible()
    page.locator("#tab-settings-button").click()
    expect(page.locator("#save-settings")).to_be_visible()
    expect(page.get_by_test_id("users")).to_be_hidden()
    expect(bolts.get_by_test_id("members-project")).to_be_visible()
    expect(
        page.get_by_test_id("project-row").filter(has_text="default").get_by_test_id("members-project")
    ).to_have_count(0)
    bolts.get_by_test_id("members-project").click()
    expect(page.get_by_test_id("member-name")).to_have_value("viewer")
    page.keyboard.press("Escape")
    page.get_by_test_id("sign-out").click()

    sign_in(page, closed, "annotator", "/?project=bolts")
    expect(page.get_by_test_id("project-alert")).to_contain_text("There is no project “bolts”")
    expect(page.get_by_test_id("project-select").get_by_role("option", name="bolts")).to_have_count(1)
    page.goto(closed.url)
    expect(page.get_by_test_id("project-select")).to_have_value("default")
    expect(page.get_by_test_id("project-select").get_by_role("option", name="bolts")).to_have_count(0)
