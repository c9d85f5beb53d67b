"""The log-in page, locking out who guesses, and signing out."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from db.tables.accounts import AuditEntry, LoginAttempts, SignIn
from settings import get_settings
from tests.conftest import Installation
from tests.webapp.people import PASSWORD
from webapp.access.login_page import local_path
from webapp.server import build_api
from workers.accounts.managing import change_user, make_user


@pytest.fixture
def client(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A browser that nobody is signed in with, and one user, `ada`."""
    make_user(installation.store, "ada", "annotator", PASSWORD)
    yield browser(installation, monkeypatch)


def browser(installation: Installation, monkeypatch: pytest.MonkeyPatch, **settings: object) -> TestClient:
    for name, value in settings.items():
        monkeypatch.setenv(f"ANOMALYLOOP_{name.upper()}", str(value))
    get_settings.cache_clear()
    api = build_api(accounts=True)
    base = str(settings.get("public_url", "http://testserver"))
    return TestClient(
        api, base_url=base, headers={"origin": base}, follow_redirects=False, raise_server_exceptions=False
    )


def log_in(client: TestClient, name: str = "ada", password: str = PASSWORD, target: str = "/") -> Response:
    return client.post("/login", data={"name": name, "password": password, "next": target})


def test_a_page_leads_to_the_form_and_from_there_back(client: TestClient) -> None:
    sent = client.get("/docs?x=1", headers={"accept": "text/html"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=%2Fdocs%3Fx%3D1")
    form = client.get(sent.headers["location"])
    assert 'value="/docs?x=1"' in form.text and 'autocomplete="current-password"' in form.text
    answer = log_in(client, target="/docs?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs?x=1")
    me = client.get("/api/v1/me").json()
    assert (me["name"], me["role"], me["accounts"]) == ("ada", "annotator", True)
    assert client.get("/login").headers["location"] == "/"


def test_the_cookie_is_for_this_server_alone_and_for_no_script(client: TestClient) -> None:
    cookie = log_in(client).headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie and "Domain" not in cookie
    assert "Secure" not in cookie  # the page is at http


def test_with_https_the_cookie_goes_over_nothing_else(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(installation.store, "ada", "annotator", PASSWORD)
    client = browser(installation, monkeypatch, public_url="https://loop.example.org")
    cookie = log_in(client).headers["set-cookie"]
    assert cookie.startswith("__Host-anomalyloop=") and "Secure" in cookie


def test_the_database_keeps_no_secret(client: TestClient, installation: Installation) -> None:
    log_in(client)
    secret = client.cookies["anomalyloop"]
    client.get("/api/v1/me")
    with installation.store.session(read_only=True) as session:
        assert session.query(SignIn).one().secret_sha256 != secret
    files = b"".join(file.read_bytes() for file in installation.home.glob("anomalyloop.db*"))
    assert secret.encode() not in files and PASSWORD.encode() not in files and b"$argon2id$" in files


def test_a_wrong_name_and_a_wrong_password_are_told_alike(client: TestClient) -> None:
    wrong, unknown = log_in(client, password="wrong horse battery"), log_in(client, name="nobody")
    assert wrong.status_code == unknown.status_code == 403
    said = "The name or the password is wrong, or the account is disabled."
    assert said in wrong.text and said in unknown.text
    assert 'value="ada"' in wrong.text and "wrong horse" not in wrong.text
    assert "set-cookie" not in wrong.headers


def test_the_form_and_its_refusal_are_in_the_browsers_language_or_the_chosen_one(client: TestClient) -> None:
    client.headers["accept-language"] = "ko-KR,ko;q=0.9"
    form, wrong = client.get("/login"), log_in(client, password="wrong horse battery")
    assert '<html lang="ko">' in form.text and "비밀번호" in form.text and "Password" not in form.text
    assert "사용자 이름이나 비밀번호가 틀렸거나 비활성화된 계정입니다." in wrong.text
    client.cookies.set("anomalyloop_language", "en")
    assert '<html lang="en">' in client.get("/login").text


@pytest.mark.parametrize("name", ["", "two words", "a" * 150, "<script>", "\u0000", "' OR 1=1 --"])
def test_odd_names_are_refused_and_shown_as_text(client: TestClient, name: str) -> None:
    answer = log_in(client, name=name)
    assert answer.status_code in (403, 422) and "<script>" not in answer.text


def test_capitals_in_a_name_do_not_matter(client: TestClient) -> None:
    assert log_in(client, name=" ADA ").status_code == 303


def test_who_guesses_has_to_wait_with_the_right_password_too_and_after_a_restart(
    client: TestClient, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        assert log_in(client, password="a guess of a password").status_code == 403
    locked = log_in(client)
    assert locked.status_code == 429 and "Too many log-ins failed" in locked.text
    assert 0 < int(locked.headers["retry-after"]) <= 900
    assert log_in(browser(installation, monkeypatch)).status_code == 429


def test_someone_elsewhere_is_not_locked_out(client: TestClient, installation: Installation) -> None:
    for _ in range(6):
        log_in(client, password="a guess of a password")
    assert log_in(from_address(client, "10.0.0.9")).status_code == 303


def from_address(client: TestClient, address: str) -> TestClient:
    """The same server, from elsewhere."""
    headers = {"origin": "http://testserver"}
    return TestClient(client.app, client=(address, 1), headers=headers, follow_redirects=False)


def test_a_shift_change_of_sixty_people_behind_one_address_is_not_locked_out(
    client: TestClient, installation: Installation
) -> None:
    for number in range(60):
        make_user(installation.store, f"person{number}", "annotator", PASSWORD)
    statuses = [log_in(from_address(client, "10.0.0.1"), f"person{number}").status_code for number in range(60)]
    assert statuses == [303] * 60
    assert log_in(from_address(client, "10.0.0.1")).status_code == 303


def test_strangers_at_the_same_address_do_not_keep_the_owner_out_of_a_browser_of_hers(client: TestClient) -> None:
    log_in(client)
    mark = client.cookies["anomalyloop-known"]
    client.post("/logout")
    assert client.cookies["anomalyloop-known"] == mark
    for _ in range(7):
        log_in(from_address(client, "testclient"), password="a guess of a password")
    assert log_in(from_address(client, "testclient")).status_code == 429
    assert log_in(client).status_code == 303


def test_a_mark_is_for_its_user_alone_and_has_few_attempts_too(client: TestClient, installation: Installation) -> None:
    make_user(installation.store, "bob", "annotator", PASSWORD)
    log_in(client)
    mark = client.cookies["anomalyloop-known"]

    def guess(name: str, known: str) -> int:
        guessing = from_address(client, "10.0.0.1")
        guessing.cookies.set("anomalyloop-known", known)
        return log_in(guessing, name, "a guess of a password").status_code

    assert [guess("ada", mark) for _ in range(6)] == [403] * 5 + [429]
    forged = f"{mark.partition('.')[0]}.{'0' * 64}"
    assert [guess("bob", mark) for _ in range(6)] == [403] * 5 + [429]
    assert [guess("bob", one) for one in (mark, forged, "x", ".", "")] == [429] * 5


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
    ],
)
def test_an_ipv6_address_counts_with_its_network(client: TestClient, first: str, second: str, same: bool) -> None:
    for _ in range(6):
        log_in(from_address(client, first), password="a guess of a password")
    assert log_in(from_address(client, second)).status_code == (429 if same else 303)


def test_who_has_to_wait_leaves_no_rows(client: TestClient, installation: Installation) -> None:
    for _ in range(5):
        log_in(client, password="a guess of a password")

    def rows() -> list[int]:
        with installation.store.session(read_only=True) as session:
            return [session.query(table).count() for table in (AuditEntry, LoginAttempts)]

    before = rows()
    for number in range(20):
        log_in(client, password=f"a guess of a password {number}")
    assert rows() == before


@pytest.mark.parametrize("address", ["x" * 300, "1\nERROR all is lost", "<script>", "\x00"])
def test_an_address_that_is_none_does_no_harm(client: TestClient, installation: Installation, address: str) -> None:
    assert log_in(from_address(client, address)).status_code == 303
    with installation.store.session(read_only=True) as session:
        kept = session.query(AuditEntry.address).all()[-1][0]
    assert len(kept) <= 60 and not set(kept) & set("\n<>\x00")


def test_the_wait_ends(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    make_user(installation.store, "ada", "annotator", PASSWORD)
    client = browser(installation, monkeypatch, login_attempts=1, login_wait_minutes=1e-6)
    assert log_in(client, password="a guess of a password").status_code == 403
    assert log_in(client).status_code == 303


def test_right_passwords_are_not_counted(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    make_user(installation.store, "ada", "annotator", PASSWORD)
    client = browser(installation, monkeypatch, login_attempts=2)
    for _ in range(3):
        assert log_in(client, password="a guess of a password").status_code == 403
        assert log_in(client).status_code == 303


def test_signing_out_ends_the_session_here_and_in_the_database(client: TestClient) -> None:
    log_in(client)
    secret = client.cookies["anomalyloop"]
    assert client.post("/logout").headers["location"] == "/login"
    client.cookies.set("anomalyloop", secret)
    assert client.get("/api/v1/me").status_code == 401


def test_a_disabled_account_and_a_new_password_end_all_sessions(client: TestClient, installation: Installation) -> None:
    store, ada = installation.store, 1
    log_in(client)
    change_user(store, ada, password="another horse battery")
    assert client.get("/api/v1/me").status_code == 401
    log_in(client, password="another horse battery")
    assert client.get("/api/v1/me").status_code == 200
    change_user(store, ada, disabled=True)
    assert client.get("/api/v1/me").status_code == 401
    assert log_in(client, password="another horse battery").status_code == 403


def test_a_session_that_nobody_uses_ends(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    make_user(installation.store, "ada", "annotator", PASSWORD)
    client = browser(installation, monkeypatch, session_hours=1e-9)
    log_in(client)
    assert client.get("/api/v1/me").status_code == 401


def test_ones_own_password_is_changed_with_the_old_one(client: TestClient) -> None:
    log_in(client)
    wrong = client.put("/api/v1/me/password", json={"old": "not the old one", "new": "another horse battery"})
    assert wrong.status_code == 403 and wrong.json()["type"].endswith("wrong-password")
    short = client.put("/api/v1/me/password", json={"old": PASSWORD, "new": "short"})
    assert short.status_code == 422 and short.json()["type"].endswith("bad-password")
    done = client.put("/api/v1/me/password", json={"old": PASSWORD, "new": "another horse battery"})
    assert done.status_code == 204
    assert log_in(client, password="another horse battery").status_code == 303


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:1", "", "/\n"]
)
def test_the_form_leads_to_no_other_server(client: TestClient, target: str) -> None:
    assert local_path(target) == "/"
    assert log_in(client, target=target).headers["location"] == "/"
