"""Parts: given at upload and inspection, read from names and EXIF, shown, searched, exported, and told in events."""

import csv
import io
import json
import zipfile

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from db.projects.projects import update_settings
from db.webhooks.messages import add_webhook, list_messages
from tests.conftest import Installation
from tests.pictures import encoded, picture, png
from tests.webapp.rest import assert_problem
from workers.scoring.scorer import score_unscored

FACTS = {
    "part": "A-17",
    "lot": "L7",
    "station": "north",
    "captured_at": "2026-11-28T10:30:05+01:00",
    "tags": ["a", "b"],
}
KEPT = {**FACTS, "captured_at": "2026-11-28T09:30:05Z"}


def of_part(answer: dict) -> dict:
    return {name: answer[name] for name in FACTS}


@pytest.mark.parametrize("path", ["images", "inspect"])
def test_what_is_given_is_kept_and_shown(client: TestClient, path: str) -> None:
    [made] = client.post(f"/api/v1/{path}", files={"files": ("1.png", png(1))}, data=FACTS).json()
    assert of_part(client.get(f"/api/v1/images/{made['id']}").json()) == KEPT
    for name, count in (("l7", 1), ("A-17", 1), ("NORTH", 1), ("1.png", 1), ("south", 0)):
        assert client.get("/api/v1/images", params={"name": name}).json()["total"] == count


def test_the_projects_pattern_and_exif_say_what_nobody_gave(client: TestClient, installation: Installation) -> None:
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"name_pattern": "{station}_{lot}_{part}.jpg"})
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:11:28 10:30:05"
    exif.get_ifd(0x8769)[0x9011] = "+01:00"
    data = encoded(picture(1), "JPEG", exif=exif)
    [made] = client.post("/api/v1/images", files={"files": ("east_L9_B-2.jpg", data)}, data={"lot": "L10"}).json()
    seen = of_part(client.get(f"/api/v1/images/{made['id']}").json())
    assert seen == {**KEPT, "part": "B-2", "lot": "L10", "station": "east", "tags": []}


def test_facts_that_can_not_be_kept_are_refused(client: TestClient) -> None:
    for wrong in ({"part": "x" * 201}, {"tags": [str(one) for one in range(21)]}, {"captured_at": "yesterday"}):
        assert_problem(
            client.post("/api/v1/inspect", files={"files": ("1.png", png(1))}, data=wrong), 422, "invalid-request"
        )


def test_exports_have_them(client: TestClient) -> None:
    [made] = client.post("/api/v1/images", files={"files": ("1.png", png(1))}, data=FACTS).json()
    client.put(f"/api/v1/images/{made['id']}/annotation", json={"label": "normal"})

    def exported(form: str, name: str) -> bytes:
        answer = client.get("/api/v1/export", params={"format": form})
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            [found] = [one for one in archive.namelist() if one.endswith(name)]
            return archive.read(found)

    [row] = csv.DictReader(io.StringIO(exported("csv", "images.csv").decode("utf-8-sig")))
    assert [row[name] for name in FACTS] == ["A-17", "L7", "north", "2026-11-28T09:30:05+00:00", "a b"]
    [image] = json.loads(exported("coco", "annotations.json"))["images"]
    assert (image["part"], image["tags"]) == ("A-17", ["a", "b"])


def test_events_have_them_and_listeners_choose_by_verdict_and_station(
    client: TestClient, installation: Installation
) -> None:
    with installation.store.session() as session:
        hooks = [
            add_webhook(session, project_id=None, url="http://x", events=["image.inspected"], **wanted).id
            for wanted in (
                {},
                {"station": "north"},
                {"station": "south"},
                {"verdict": "anomalous"},
                {"verdict": "normal"},
            )
        ]
    verdicts = []
    for seed, path in ((1, "inspect"), (2, "images")):
        [made] = client.post(f"/api/v1/{path}", files={"files": (f"{seed}.png", png(seed))}, data=FACTS).json()
        score_unscored(installation.store, installation.project_id, 10)
        client.post("/api/v1/inspect", files={"files": (f"{seed}.png", png(seed))})  # known: nothing new is told
        verdicts.append(client.get(f"/api/v1/images/{made['id']}").json()["verdict"])
    with installation.store.session(read_only=True) as session:
        told = [[message.body for message in list_messages(session, hook)] for hook in hooks]
    assert [len(one) for one in told] == [2, 2, 0, verdicts.count("anomalous"), verdicts.count("normal")]
    body = told[0][0]
    assert (body["station"], body["tags"], body["project"]) == ("north", ["a", "b"], "default")
    assert body["verdict"] == verdicts[1] and body["image_id"] == made["id"] and body["prompt_version"] == 1


def test_an_image_that_is_not_kept_is_told_of_too(client: TestClient, installation: Installation) -> None:
    with installation.store.session() as session:
        hook = add_webhook(session, project_id=None, url="http://x", events=["image.inspected"]).id
        update_settings(session, installation.project_id, {"keep": "none"})
    client.post("/api/v1/inspect", files={"files": ("1.png", png(1))}, data=FACTS)
    with installation.store.session(read_only=True) as session:
        [message] = list_messages(session, hook)
    assert message.body["image_id"] is None and message.body["part"] == "A-17"
    assert message.body["verdict"] is None  # nothing tells one image from others yet
