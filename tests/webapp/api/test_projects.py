"""Projects over REST: making, starting from another's prompts, renaming, archiving, settings."""

import pytest
from fastapi.testclient import TestClient

from tests.conftest import Installation
from tests.pictures import png
from tests.webapp.api.test_prompts import import_file, our_file
from tests.webapp.rest import assert_problem, scored, upload
from workers.projects.shipped_prompts import ensure_shipped_prompts
from workers.scoring.engine_host import get_engine
from workers.scoring.scorer import score_unscored

URL = "/api/v1/projects"


def make(client: TestClient, name: str, **values: object) -> dict:
    answer = client.post(URL, json={"name": name, **values})
    assert answer.status_code == 201, answer.text
    return answer.json()


def names(client: TestClient, **parameters: object) -> list[str]:
    return [project["name"] for project in client.get(URL, params=parameters).json()]


def test_a_project_is_made_listed_and_gets_the_backbones_prompts(
    client: TestClient, installation: Installation
) -> None:
    screws = make(client, "screws")
    assert (screws["prompt_version"], screws["archived_at"], sum(screws["images"].values())) == (None, None, 0)
    assert names(client) == ["default", "screws"]
    ensure_shipped_prompts(installation.store, get_engine())
    assert client.get(f"{URL}/{screws['id']}").json()["prompt_version"] == 1


def test_a_project_has_images_of_its_own(client: TestClient, installation: Installation) -> None:
    scored(client, installation)
    make(client, "screws", like="default")
    [kept] = upload(client, ("0.png", png(0)), project="screws").json()
    assert not kept["duplicate"]
    assert [project["images"]["unscored"] for project in client.get(URL).json()] == [0, 1]
    assert client.get("/api/v1/images", params={"project": "screws"}).json()["total"] == 1


def test_a_project_starts_with_another_ones_prompts_thresholds_and_schedule(
    client: TestClient, installation: Installation
) -> None:
    scored(client, installation)
    version = import_file(client, our_file()).json()
    client.post(f"/api/v1/prompts/{version['id']}/activate")
    [default] = client.get(URL).json()
    client.patch(f"{URL}/{default['id']}", json={"settings": {"threshold": 0.8, "schedule": False}})

    screws = make(client, "screws", like="default")

    assert screws["settings"]["threshold"] == 0.8 and screws["settings"]["schedule"] is False
    [copied] = client.get("/api/v1/prompts", params={"project": "screws"}).json()
    assert (copied["state"], copied["number"], copied["sha256"]) == ("active", 1, version["sha256"])
    assert copied["note"] == "version 2 of the project default"
    upload(client, ("0.png", png(0)), project="screws")
    score_unscored(installation.store, screws["id"], limit=10)
    score_unscored(installation.store, installation.project_id, limit=10)
    scores = [
        client.get("/api/v1/images", params={"project": one}).json()["items"][0]["score"] for one in names(client)
    ]
    assert scores[0] == scores[1]


def test_names_that_can_not_be_used(client: TestClient) -> None:
    make(client, "screws")
    assert_problem(client.post(URL, json={"name": "screws"}), 409, "name-taken", "screws")
    assert_problem(client.post(URL, json={"name": " "}), 422, "bad-name", "1 to 200")
    assert_problem(client.post(URL, json={"name": "bolts", "like": "nuts"}), 404, "not-found", "nuts")
    assert_problem(client.post(URL, json={"name": "bolts", "like": "screws"}), 503, "not-ready", "screws")
    assert names(client) == ["default", "screws"]


def test_a_project_is_renamed_and_is_the_same(client: TestClient) -> None:
    screws = make(client, "screws")
    assert client.patch(f"{URL}/{screws['id']}", json={"name": "bolts"}).json()["id"] == screws["id"]
    assert names(client) == ["bolts", "default"]
    assert_problem(client.patch(f"{URL}/{screws['id']}", json={"name": "default"}), 409, "name-taken")
    assert_problem(client.patch(f"{URL}/99", json={"name": "nuts"}), 404, "not-found")


def test_an_archived_project_rests_until_it_is_restored(client: TestClient, installation: Installation) -> None:
    screws = make(client, "screws", like="default")
    url = f"{URL}/{screws['id']}"
    assert client.patch(url, json={"archived": True}).json()["archived_at"] is not None
    assert (names(client), names(client, archived=True)) == (["default"], ["screws"])
    refused = [
        upload(client, ("0.png", png(0)), project="screws"),
        client.post("/api/v1/runs", json={"project": "screws"}),
        client.post("/api/v1/import", files={"files": ("0.png", png(0))}, data={"project": "screws"}),
    ]
    for answer in refused:
        assert_problem(answer, 409, "project-archived", "Restore it first")
    assert client.get("/api/v1/images", params={"project": "screws"}).json()["total"] == 0
    client.patch(url, json={"archived": False})
    assert upload(client, ("0.png", png(0)), project="screws").status_code == 201


def test_a_project_is_not_archived_while_it_is_tuned(client: TestClient) -> None:
    screws = make(client, "screws", like="default")
    [kept] = upload(client, ("0.png", png(0)), project="screws").json()
    client.put(f"/api/v1/images/{kept['id']}/annotation", json={"label": "normal"})
    run = client.post("/api/v1/runs", json={"project": "screws"}).json()
    assert_problem(client.patch(f"{URL}/{screws['id']}", json={"archived": True}), 409, "run-in-progress")
    client.post(f"/api/v1/runs/{run['id']}/cancel")
    assert client.patch(f"{URL}/{screws['id']}", json={"archived": True}).status_code == 200


@pytest.mark.parametrize("change", [{"name": "other"}, {"archived": True}, {"name": "other", "archived": True}])
def test_the_default_project_stays_what_requests_mean_by_it(client: TestClient, change: dict) -> None:
    [default] = client.get(URL).json()
    assert_problem(
        client.patch(f"{URL}/{default['id']}", json=change), 422, "bad-name", "requests that name no project"
    )
    assert names(client) == ["default"]


def test_a_change_happens_wholly_or_not_at_all(client: TestClient) -> None:
    screws = make(client, "screws")
    change = {"name": "bolts", "settings": {"threshold": 7}}
    assert_problem(client.patch(f"{URL}/{screws['id']}", json=change), 422, "bad-setting", "threshold")
    assert client.get(f"{URL}/{screws['id']}").json() == screws
