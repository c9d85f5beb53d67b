"""Import and export over REST; what is exported, `python -m engine evaluate` reads."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from tests.conftest import Installation
from tests.engine.calling import call
from tests.pictures import mask_png, png
from tests.webapp.rest import assert_problem, scored
from tests.workers.exchange.making import packed
from tests.workers.making import correct


def import_files(client: TestClient, *files: tuple[str, bytes], **fields: object) -> Response:
    data = {name: str(value) for name, value in fields.items()}
    return client.post("/api/v1/import", files=[("files", file) for file in files], data=data)


@pytest.mark.parametrize(("kind", "dataset"), [("mvtec", "mvtec_like"), ("masks", "folder")])
def test_evaluate_reads_an_export_back(
    client: TestClient, installation: Installation, tmp_path: Path, tiny_backbone: str, kind: str, dataset: str
) -> None:
    correct(installation, 2)
    correct(installation, 2, normal=True, first_seed=2)
    answer = client.get("/api/v1/export", params={"project": "default", "format": kind})
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="default-{kind}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path / "data")

    evaluated = call(
        tiny_backbone, "evaluate", "--dataset", dataset, "--data", tmp_path / "data", "--out", tmp_path / "out"
    )

    assert evaluated.returncode == 0, evaluated.stderr
    [result] = json.loads((tmp_path / "out" / "results.json").read_text())["results"]
    assert all(result["mean"][name] is not None for name in ("image_auroc", "pixel_auroc", "pixel_aupro"))


def test_only_the_images_that_are_named(client: TestClient, installation: Installation) -> None:
    correct(installation, 3)
    answer = client.get("/api/v1/export", params={"format": "masks", "image": [1, 3]})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {"anomalous/0.png", "anomalous/2.png"} == {n for n in archive.namelist() if n.startswith("anomalous/")}


def test_what_can_not_be_exported_is_a_problem(client: TestClient) -> None:
    assert_problem(client.get("/api/v1/export"), 422, "nothing-to-export", "format csv")
    assert_problem(client.get("/api/v1/export", params={"project": "none"}), 404, "not-found")
    assert_problem(client.get("/api/v1/export", params={"format": "tar"}), 422, "invalid-request")
    assert client.get("/api/v1/export", params={"format": "csv"}).status_code == 200


def test_labels_are_imported_and_each_file_has_its_outcome(client: TestClient, installation: Installation) -> None:
    image_id = scored(client, installation)
    files = {"normal/1.png": png(1), "anomalous/2.png": png(2)}
    answer = import_files(client, ("labels.zip", packed(files)), ("0.png", mask_png()))
    assert answer.status_code == 201
    assert [(one["path"], one["outcome"], one["added"], one["label"]) for one in answer.json()] == [
        ("normal/1.png", "imported", True, "normal"),
        ("anomalous/2.png", "refused", False, None),
        ("0.png", "imported", False, "anomalous"),
    ]
    annotation = client.get(f"/api/v1/images/{image_id}").json()["annotation"]
    assert (annotation["source"], annotation["area"]) == ("imported", 600)


def test_what_was_said_here_is_replaced_only_where_that_is_asked_for(client: TestClient) -> None:
    import_files(client, ("labels.zip", packed({"normal/0.png": png(0)})))
    assert import_files(client, ("0.png", mask_png())).json()[0]["outcome"] == "kept"
    assert import_files(client, ("0.png", mask_png()), replace=True).json()[0]["outcome"] == "imported"


def test_where_nothing_can_be_used_it_is_a_problem_that_lists_the_files(client: TestClient) -> None:
    document = assert_problem(import_files(client, ("0.png", mask_png())), 422, "unusable-labels", "0.png", "No image")
    assert [one["path"] for one in document["files"]] == ["0.png"]
    assert_problem(import_files(client, ("x.zip", b"PK\x05\x06 no")), 422, "unusable-labels", "COCO JSON")
    assert_problem(import_files(client, ("0.png", mask_png()), project="none"), 404, "not-found")
