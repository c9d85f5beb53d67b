"""The defect book, kinds on corrections and their counts over REST."""

import csv
import io

from fastapi.testclient import TestClient

from tests.pictures import mask_png
from tests.webapp.rest import assert_problem, kept


def kind(client: TestClient, name: str, **values: object) -> dict:
    return client.post("/api/v1/defects", json={"name": name, **values}).json()


def test_the_book_is_kept_project_by_project(client: TestClient) -> None:
    image_id = kept(client)
    dent = kind(client, "Dent", key="2", description="pressed in", example_ids=[image_id])
    assert dent == {**dent, "name": "Dent", "key": "2", "description": "pressed in", "example_ids": [image_id]}
    changed = client.patch(f"/api/v1/defects/{dent['id']}", json={"colour": "#112233", "key": None}).json()
    assert changed == {**dent, "colour": "#112233", "key": None}
    assert client.get("/api/v1/defects").json() == [changed]
    client.post("/api/v1/projects", json={"name": "other"})
    assert client.get("/api/v1/defects", params={"project": "other"}).json() == []
    assert_problem(client.post("/api/v1/defects", json={"name": "dent"}), 422, "bad-kind", "'dent'")
    assert client.delete(f"/api/v1/defects/{dent['id']}").status_code == 204
    assert_problem(client.delete(f"/api/v1/defects/{dent['id']}"), 404, "not-found")


def test_regions_are_named_counted_and_protect_their_kind(client: TestClient) -> None:
    dent, image_id = kind(client, "-dent"), kept(client)
    path = f"/api/v1/images/{image_id}/annotation"
    naming = {"defects": [{"kind_id": dent["id"], "x": 12, "y": 30}]}
    assert_problem(client.patch(path, json=naming), 422, "not-corrected")
    saved = client.put(path, files={"mask": ("mask.png", mask_png(), "image/png")}).json()
    assert saved["defects"] == [] and saved["comment"] == ""
    said = client.patch(path, json={**naming, "comment": "by the rim"}, headers={"If-Match": "1"}).json()
    [region] = said["defects"]
    assert (region["kind_id"], region["area"], said["revision"]) == (dent["id"], saved["area"], 1)
    assert client.get(f"/api/v1/images/{image_id}").json()["annotation"] == said
    assert_problem(client.patch(path, json=naming, headers={"If-Match": "7"}), 409, "conflict")
    assert_problem(client.patch(path, json={"defects": [{"kind_id": dent["id"]}]}), 422, "bad-naming", "has a mask")
    assert_problem(client.delete(f"/api/v1/defects/{dent['id']}"), 409, "kind-in-use", "'-dent'")

    [counted] = client.get("/api/v1/defects/counts").json()
    assert counted == {"kind": dent, "images": 1, "regions": 1, "area": saved["area"]}
    table = client.get("/api/v1/defects/counts.csv").content.decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(table))
    assert (row["kind"], row["images"], row["regions"], row["area_px"]) == ("'-dent", "1", "1", str(saved["area"]))
