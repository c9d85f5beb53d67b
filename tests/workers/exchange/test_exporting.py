"""Exports: what lies where, with which scores; and that nothing is taken for another's."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from db.images.images import get_image
from db.projects.projects import update_settings
from engine.evaluation.datasets.index_files import read_index
from engine.images.mask_files import decode_mask
from tests.conftest import Installation
from tests.pictures import encoded, mask_png, picture, png
from tests.workers.exchange.making import export, unpacked
from tests.workers.making import add, correct
from workers.errors import NothingToExport
from workers.exchange.exporting import export_zip
from workers.exchange.rle import decode_segmentation
from workers.images.correcting import mark_anomalous, save_mask
from workers.images.intake import add_upload
from workers.projects.changes import make_project
from workers.scoring.scorer import score_unscored


@pytest.fixture
def labelled(installation: Installation) -> Installation:
    """0.png anomalous, 1.png normal, 2.png not corrected; all scored."""
    correct(installation, 1)
    correct(installation, 1, normal=True, first_seed=1)
    add(installation, seed=2)
    score_unscored(installation.store, installation.project_id, limit=10)
    return installation


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_mvtec_holds_corrected_images_their_masks_and_a_table_with_scores(labelled: Installation) -> None:
    files = unpacked(export(labelled.store, labelled.project_id, "mvtec"))
    assert set(files) == {
        "default/test/anomalous/0.png",
        "default/test/good/1.png",
        "default/ground_truth/anomalous/0_mask.png",
        "index.csv",
    }
    assert files["default/test/anomalous/0.png"] == png(0)
    mask = decode_mask(files["default/ground_truth/anomalous/0_mask.png"], width=90, height=70)
    np.testing.assert_array_equal(mask, decode_mask(mask_png(), width=90, height=70))
    first, second = table(files["index.csv"])
    assert (first["image"], first["label"], second["label"]) == ("default/test/anomalous/0.png", "1", "0")
    assert 0 <= float(first["score"]) <= 1 and first["prompt_version"] == "1"


def test_masks_are_a_plain_folder(labelled: Installation) -> None:
    files = unpacked(export(labelled.store, labelled.project_id, "masks"))
    assert set(files) == {"anomalous/0.png", "normal/1.png", "masks/0.png", "index.csv"}


def test_coco_has_one_annotation_a_region_and_scores_beside_its_own_members(labelled: Installation) -> None:
    two = np.zeros((70, 90), dtype=np.uint8)
    two[5:10, 20:40] = two[50:60, 3] = 255
    image_id = add(labelled, seed=3)
    save_mask(labelled.store, image_id, encoded(Image.fromarray(two)))

    files = unpacked(export(labelled.store, labelled.project_id, "coco"))
    document = json.loads(files["annotations.json"])

    assert {f"images/{entry['file_name']}" for entry in document["images"]} == set(files) - {"annotations.json"}
    assert [entry["label"] for entry in document["images"]] == ["anomalous", "normal", "anomalous"]
    assert document["images"][0]["score"] is not None and document["images"][2]["score"] is None
    annotations = [one for one in document["annotations"] if one["image_id"] == image_id]
    assert [(one["bbox"], one["area"]) for one in annotations] == [([20, 5, 20, 5], 100), ([3, 50, 1, 10], 10)]
    joined = sum(decode_segmentation(one["segmentation"], height=70, width=90) for one in annotations)
    np.testing.assert_array_equal(joined, two // 255)


def test_csv_lists_every_image_corrected_or_not(labelled: Installation) -> None:
    [(name, data)] = unpacked(export(labelled.store, labelled.project_id, "csv")).items()
    rows = table(data)
    assert name == "images.csv"
    assert [(row["file_name"], row["status"], row["label"]) for row in rows] == [
        ("0.png", "corrected", "anomalous"),
        ("1.png", "corrected", "normal"),
        ("2.png", "to_review", ""),
    ]
    assert all(row["score"] and not row["verdict"] for row in rows), "nothing tells these images apart yet"
    with labelled.store.session() as session:
        update_settings(session, labelled.project_id, {"threshold": 0.5})
    [(_, data)] = unpacked(export(labelled.store, labelled.project_id, "csv")).items()
    assert all(row["verdict"] in ("anomalous", "normal") for row in table(data))


@pytest.mark.parametrize("kind", ["csv", "masks"])
def test_a_name_that_a_spreadsheet_would_calculate_stays_text(installation: Installation, kind: str) -> None:
    for seed, name in enumerate(("=1+1.png", "+2.png", "-3.png", "@4.png", "a=5.png")):
        image_id = add_upload(installation.store, installation.project_id, name, png(seed)).image_id
        save_mask(installation.store, image_id, mask_png())
    files = unpacked(export(installation.store, installation.project_id, kind))
    rows = table(files["images.csv" if kind == "csv" else "index.csv"])
    assert {row["file_name"] for row in rows} == {"'=1+1.png", "'+2.png", "'-3.png", "'@4.png", "a=5.png"}
    assert not any(value.startswith(("=", "+", "@")) for row in rows for value in row.values())


def test_a_project_that_a_spreadsheet_would_calculate_is_read_back_with_its_files(
    installation: Installation, tmp_path: Path
) -> None:
    project_id = make_project(installation.store, "-line 2").id
    image_id = add_upload(installation.store, project_id, "a.png", png()).image_id
    save_mask(installation.store, image_id, mask_png())
    for name, data in unpacked(export(installation.store, project_id, "mvtec")).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert "'-line" in (tmp_path / "index.csv").read_text()
    [read] = read_index(tmp_path)
    assert read.image.read_bytes() == png() and read.mask is not None and read.class_name == "-line 2"


def test_names_that_are_alike_are_told_apart_and_odd_ones_get_a_suffix(installation: Installation) -> None:
    names = ["a.png", "A.PNG", "a_mask.png", "photo", "../../etc/passwd.png", "no.suffix.here"]
    for seed, name in enumerate(names):
        data = png(seed) if seed != 3 else encoded(picture(seed), "JPEG")
        save_mask(
            installation.store,
            add_upload(installation.store, installation.project_id, name, data).image_id,
            mask_png(),
        )
    files = unpacked(export(installation.store, installation.project_id, "masks"))
    images = sorted(name for name in files if name.startswith("anomalous/"))
    assert images == sorted(
        f"anomalous/{name}"
        for name in ("a.png", "A-2.PNG", "a_mask-3.png", "photo.jpg", "passwd.png", "no.suffix.here.png")
    )


def test_only_the_images_that_are_asked_for(labelled: Installation) -> None:
    data = b"".join(export_zip(labelled.store, labelled.project_id, "masks", [2, 3, 99]))
    assert set(unpacked(data)) == {"normal/1.png", "index.csv"}


def test_a_file_that_is_missing_is_named_and_the_others_are_there(labelled: Installation) -> None:
    with labelled.store.session(read_only=True) as session:
        labelled.store.blobs.delete(get_image(session, 1).blob_key)
    files = unpacked(export(labelled.store, labelled.project_id, "mvtec"))
    assert set(files) == {"default/test/good/1.png", "index.csv", "problems.txt"}
    assert "0.png" in files["problems.txt"].decode()


def test_the_same_images_make_the_same_zip(labelled: Installation) -> None:
    assert export(labelled.store, labelled.project_id, "mvtec") == export(labelled.store, labelled.project_id, "mvtec")


def test_without_corrections_it_says_what_can_be_exported(installation: Installation) -> None:
    add(installation)
    with pytest.raises(NothingToExport, match="format csv"):
        export_zip(installation.store, installation.project_id, "mvtec")
    with pytest.raises(ValueError, match="mvtec, masks, coco, csv"):
        export_zip(installation.store, installation.project_id, "tar")


@pytest.mark.parametrize("kind", ["mvtec", "masks", "coco"])
def test_an_image_that_is_anomalous_without_a_mask_never_passes_for_normal(labelled: Installation, kind: str) -> None:
    mark_anomalous(labelled.store, add(labelled, seed=3))
    files = unpacked(export(labelled.store, labelled.project_id, kind))
    assert not any(name.endswith("/3.png") for name in files)
    assert "3.png: It is called anomalous, and nobody marked where." in files["problems.txt"].decode()
    assert b"3.png" not in files["annotations.json" if kind == "coco" else "index.csv"]
    everything = table(unpacked(export(labelled.store, labelled.project_id, "csv"))["images.csv"])
    assert next(row for row in everything if row["file_name"] == "3.png")["label"] == "anomalous"


def test_where_no_mask_is_marked_at_all_the_export_says_what_to_do(installation: Installation) -> None:
    mark_anomalous(installation.store, add(installation))
    with pytest.raises(NothingToExport, match="nobody marked where"):
        export_zip(installation.store, installation.project_id, "coco")


ODD_NAMES = ['a:b?"*<>|.png', "CON.png", "nul", "lpt1.x.png", "가" * 80 + ".png", "trailing. .png", "e\u0301.png"]


@pytest.mark.parametrize("kind", ["masks", "mvtec", "coco"])
def test_exported_names_are_taken_by_every_file_system(installation: Installation, kind: str) -> None:
    for seed, name in enumerate([*ODD_NAMES, "가" * 80 + ".PNG"]):
        image_id = add_upload(installation.store, installation.project_id, name, png(seed)).image_id
        save_mask(installation.store, image_id, mask_png())
    files = unpacked(export(installation.store, installation.project_id, kind))
    parts = [part for path in files for part in path.split("/")]
    assert not any(set(part) & set('<>:"\\|?*') for part in parts)
    assert all(len(part.encode()) <= 255 and not part.endswith((" ", ".")) for part in parts)
    assert not any(part.split(".")[0].lower() in ("con", "nul", "lpt1") for part in parts)
    assert any("é" in part for part in parts)
    images = [path for path in files if path.lower().endswith(".png") and "mask" not in path and "truth" not in path]
    assert len(images) == len(ODD_NAMES) + 1


def test_a_table_with_korean_names_is_one_that_excel_understands(installation: Installation) -> None:
    add_upload(installation.store, installation.project_id, "균열.png", png())
    data = unpacked(export(installation.store, installation.project_id, "csv"))["images.csv"]
    assert data.startswith(b"\xef\xbb\xbf") and "균열.png" in data.decode("utf-8-sig")
