"""What the gate refuses whoever asks, what it adds to answers, and what it writes down."""

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from db.accounts.audit import AuditFilter, list_entries
from db.accounts.credentials import revoke_token
from db.images.annotations import newest_annotation
from db.tables.core import Annotation, Image
from settings import get_settings
from tests.conftest import Installation
from tests.pictures import mask_png, png
from tests.webapp.people import People
from tests.webapp.rest import assert_problem, kept, upload
from webapp.access.callers import LOCAL, Caller, Role
from webapp.access.rate_limit import RateLimit, TooFast
from webapp.readiness_watch import watch
from webapp.server import build_api
from workers.accounts.managing import change_user, make_token, make_user

NORMAL = {"label": "normal"}


def test_writes_that_another_site_makes_a_browser_send_are_refused(people: People) -> None:
    admin = people.clients["admin"]
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://testserver.evil.example"},
        {"origin": "http://testserver", "sec-fetch-site": "cross-site"},
        {"origin": "http://testserver", "sec-fetch-site": "same-site"},
        {"origin": ""},
    ):
        answer = admin.post("/api/v1/projects", json={"name": "theirs"}, headers=headers)
        assert_problem(answer, 403, "foreign-request", "another site")
    assert "theirs" not in admin.get("/api/v1/projects").text


def test_a_cookie_without_a_word_of_whose_page_it_is_writes_nothing(people: People) -> None:
    admin = people.clients["admin"]
    request = admin.build_request("POST", "/api/v1/projects", json={"name": "theirs"})
    del request.headers["origin"]
    assert_problem(admin.send(request), 403, "foreign-request", "token")


def test_other_sites_can_not_sign_a_browser_in_or_out(people: People) -> None:
    evil = {"origin": "https://evil.example"}
    data = {"name": "viewer", "password": "correct horse battery"}
    assert_problem(people.clients["nobody"].post("/login", data=data, headers=evil), 403, "foreign-request")
    assert_problem(people.clients["viewer"].post("/logout", headers=evil), 403, "foreign-request")
    assert people.clients["viewer"].get("/api/v1/me").status_code == 200


def test_what_the_own_page_sends_passes(people: People) -> None:
    admin = people.clients["admin"]
    for headers in ({"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {}):
        answer = admin.put("/api/v1/threshold", json={"threshold": 0.5}, headers=headers)
        assert answer.status_code == 200


def test_programs_with_a_token_need_no_page(people: People) -> None:
    answer = people.clients["token"].put("/api/v1/images/999999/annotation", json=NORMAL)
    assert_problem(answer, 404, "not-found")


def test_without_accounts_too_other_sites_write_nothing(client: TestClient) -> None:
    answer = client.post("/api/v1/projects", json={"name": "theirs"}, headers={"origin": "https://evil.example"})
    assert_problem(answer, 403, "foreign-request")
    assert client.post("/api/v1/projects", json={"name": "ours"}).status_code == 201


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "192.168.0.7", "127.0.0.1.evil.example", ""])
def test_without_accounts_names_that_are_not_this_machines_are_refused(installation: Installation, host: str) -> None:
    client = TestClient(build_api(check_host=True), raise_server_exceptions=False)
    assert_problem(client.get("/api/v1/images", headers={"host": host}), 421, "foreign-host", "127.0.0.1")


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "127.0.0.1:80", "[::1]:7860"])
def test_without_accounts_this_machines_own_names_do(installation: Installation, host: str) -> None:
    client = TestClient(build_api(check_host=True), raise_server_exceptions=False)
    assert client.get("/api/v1/images", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["x/login?", "x/healthz?", "x/robots.txt#", "x/login", "/healthz?", "x:80/login?"])
def test_no_host_header_makes_a_request_look_like_another(host: str, people: People) -> None:
    for who in ("nobody", "viewer"):
        answer = people.clients[who].get("/api/v1/users", headers={"host": host})
        assert answer.status_code == (401 if who == "nobody" else 403)


@pytest.mark.parametrize("path", ["/healthz", "/login", "/api/v1/images", "/api/v1/nothing", "/docs"])
def test_every_answer_has_the_headers_that_keep_browsers_safe(path: str, people: People) -> None:
    for client in people.clients.values():
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY" and "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("token", ["nonsense", "aloop_" + "x" * 43, "", "aloop_\u00e9"])
def test_a_token_that_opens_nothing_is_told_so(token: str, people: People) -> None:
    headers = {"authorization": f"Bearer {token}".encode()}
    assert_problem(people.clients["nobody"].get("/api/v1/me", headers=headers), 401, "not-signed-in", "token")


def test_a_wrong_token_is_not_made_up_for_by_a_cookie(people: People) -> None:
    headers = {"authorization": "Bearer nonsense"}
    assert people.clients["admin"].get("/api/v1/me", headers=headers).status_code == 401


def test_tokens_end_with_their_account_and_when_they_are_revoked(installation: Installation) -> None:
    store, client = installation.store, TestClient(build_api(accounts=True))
    user = make_user(store, "robot", "annotator")
    first, second = make_token(store, user.id, "one"), make_token(store, user.id, "two")

    def works(secret: str) -> bool:
        return client.get("/api/v1/me", headers={"authorization": f"Bearer {secret}"}).status_code == 200

    assert works(first.secret) and works(second.secret)
    with store.session() as session:
        revoke_token(session, user.id, first.token.id)
    assert not works(first.secret) and works(second.secret)
    change_user(store, user.id, disabled=True)
    assert not works(second.secret)


def test_who_did_it_is_kept_with_it_and_in_the_audit_log(people: People) -> None:
    client, store = people.clients["annotator"], people.installation.store
    image_id = kept(client, seed=11)
    client.put(f"/api/v1/images/{image_id}/annotation", files={"mask": ("mask.png", mask_png())})
    with store.session(read_only=True) as session:
        annotation, image = newest_annotation(session, image_id), session.get(Image, image_id)
        assert isinstance(annotation, Annotation) and isinstance(image, Image)
        assert (image.author, annotation.author) == ("annotator", "annotator")
        by_token = upload(people.clients["token"], ("12.png", png(12)))
        assert by_token.status_code == 201
        entries = list_entries(session, AuditFilter("annotator"), limit=3)
    with store.session(read_only=True) as session:
        entries = list_entries(session, AuditFilter("annotator"), limit=3)
    assert [(one.via, one.action) for one in entries] == [
        ("token", "POST /api/v1/images"),
        ("session", "PUT /api/v1/images/{image_id}/annotation"),
        ("session", "POST /api/v1/images"),
    ]
    assert entries[1].object == f"/api/v1/images/{image_id}/annotation" and entries[1].address == "testclient"
    assert entries[2].object == f"project default: images {image_id}"


def test_what_was_refused_and_what_was_only_read_is_not_in_the_audit_log(people: People) -> None:
    def newest() -> int:
        return people.clients["admin"].get("/api/v1/audit?limit=1").json()[0]["id"]

    people.clients["admin"].put("/api/v1/threshold", json={"threshold": 0.5})
    before = newest()
    people.clients["viewer"].post("/api/v1/images/samples", json={})
    people.clients["annotator"].delete("/api/v1/images/999999")
    people.clients["viewer"].get("/api/v1/images")
    assert newest() == before


def test_without_accounts_deletions_alone_are_written_down(client: TestClient) -> None:
    image_id = kept(client)
    client.delete(f"/api/v1/images/{image_id}")
    [entry] = client.get("/api/v1/audit").json()
    assert (entry["user_name"], entry["via"]) == ("local", "local")
    assert (entry["action"], entry["object"]) == ("DELETE /api/v1/images/{image_id}", f"/api/v1/images/{image_id}")


def test_an_admin_manages_accounts_and_the_last_one_stays(installation: Installation) -> None:
    client = TestClient(build_api())
    ada = client.post("/api/v1/users", json={"name": "Ada", "role": "admin", "password": "correct horse battery"})
    assert ada.status_code == 201 and ada.json()["name"] == "ada" and "correct horse" not in ada.text
    path = f"/api/v1/users/{ada.json()['id']}"
    for change in ({"role": "viewer"}, {"disabled": True}):
        assert_problem(client.patch(path, json=change), 422, "bad-setting", "only admin")
    assert_problem(client.post("/api/v1/users", json={"name": "ADA", "role": "viewer"}), 409, "name-taken", "user")
    made = client.post(f"{path}/tokens", json={"name": "line 3"}).json()
    assert made["token"].startswith("aloop_") and made["token"].startswith(made["hint"])
    [listed] = client.get(f"{path}/tokens").json()
    assert "token" not in listed and listed["name"] == "line 3"
    assert client.delete(f"{path}/tokens/{made['id']}").status_code == 204
    assert client.get(f"{path}/tokens").json() == []


def test_who_is_not_signed_in_is_told_what_is_not_ready_and_nothing_more(people: People) -> None:
    watch.look(people.installation.store)
    told = people.clients["nobody"].get("/readyz").json()
    assert told["not_ready"] == ["worker"] and told["backbone"]["fingerprint"] == ""
    assert {component["detail"] for component in told["components"]} == {"Sign in to see more."}
    assert "No worker answers" in people.clients["viewer"].get("/readyz").json()["detail"]


def test_who_is_not_signed_in_has_nobody_asked_and_nothing_written(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.stop()
    monkeypatch.setattr("workers.operations.readiness._broadcast", lambda: pytest.fail("a worker was asked"))
    monkeypatch.setattr(people.installation.store.blobs, "ping", lambda: pytest.fail("the blobs were asked"), False)
    for _ in range(3):
        told = people.clients["nobody"].get("/readyz").json()
        assert told["not_ready"] == ["server"] and told["backbone"]["state"] == "unknown"


def test_readiness_writes_nothing(people: People) -> None:
    before = sorted(path.stat().st_mtime_ns for path in people.installation.home.rglob("blobs*"))
    people.clients["viewer"].get("/readyz")
    assert sorted(path.stat().st_mtime_ns for path in people.installation.home.rglob("blobs*")) == before


def test_an_upload_key_is_its_users_own(people: People) -> None:
    headers = {"idempotency-key": "a word that all take"}

    def sent(who: str, seed: int) -> Response:
        files = {"files": (f"{seed}.png", png(seed))}
        return people.clients[who].post("/api/v1/images", files=files, headers=headers)

    assert [sent("annotator", 41).status_code, sent("admin", 42).status_code] == [201, 201]
    assert sent("annotator", 41).headers["idempotency-replayed"] == "true"
    assert_problem(sent("annotator", 43), 422, "key-reused", "a word that all take")


def test_a_body_that_is_too_large_is_refused_before_it_is_kept(client: TestClient) -> None:
    large = client.post("/api/v1/runs", content=b"x" * 2_000_000, headers={"content-type": "application/json"})
    assert_problem(large, 413, "too-large", "1 MB")


def test_a_body_that_does_not_tell_its_size_is_counted_as_it_comes(client: TestClient) -> None:
    parts = (b"x" * 100_000 for _ in range(20))
    answer = client.post("/api/v1/runs", content=parts, headers={"content-type": "application/json"})
    assert_problem(answer, 413, "too-large", "1 MB")


def test_more_files_than_the_limit_are_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANOMALYLOOP_MAX_FILES", "2")
    get_settings.cache_clear()
    files = [(f"{number}.png", png(number)) for number in range(3)]
    assert_problem(upload(client, *files), 413, "too-large", "3 files", "MAX_FILES")
    assert upload(client, *files[:2]).status_code == 201


@pytest.mark.usefixtures("installation")
def test_the_limit_of_files_is_the_one_that_is_set_also_beyond_what_forms_have_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANOMALYLOOP_MAX_FILES", "1200")
    get_settings.cache_clear()
    client = TestClient(build_api(), raise_server_exceptions=False)
    taken = upload(client, ("0.png", png(0)), *[(f"{number}.txt", b"-") for number in range(1100)])
    assert taken.status_code == 201 and len(taken.json()) == 1101
    refused = upload(client, *[(f"{number}.txt", b"-") for number in range(1201)])
    assert_problem(refused, 413, "too-large", "over 1200 files", "ANOMALYLOOP_MAX_FILES")


def test_who_sends_more_than_a_minutes_share_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = get_settings().model_copy(update={"max_minute_files": 10, "max_minute_mb": 1.0})
    rate_limit, ada, bob = RateLimit(), Caller("ada", Role.ANNOTATOR, "session"), Caller("bob", Role.ANNOTATOR, "token")
    rate_limit.take(ada, settings, files=10, size=1)
    with pytest.raises(TooFast, match="10 files within a minute"):
        rate_limit.take(ada, settings, files=1, size=1)
    rate_limit.take(bob, settings, files=1, size=900_000)
    with pytest.raises(TooFast, match="1 MB within a minute"):
        rate_limit.take(bob, settings, files=1, size=200_000)
    for _ in range(3):
        rate_limit.take(LOCAL, settings, files=10, size=10_000_000)


def test_too_fast_is_a_problem_that_says_when(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANOMALYLOOP_MAX_MINUTE_FILES", "1")
    get_settings.cache_clear()
    client = people.clients["annotator"]
    upload(client, ("20.png", png(20)))
    refused = upload(client, ("21.png", png(21)))
    assert_problem(refused, 429, "too-fast", "1 files", "ANOMALYLOOP_MAX_MINUTE_FILES")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    monkeypatch.undo()
    get_settings.cache_clear()
