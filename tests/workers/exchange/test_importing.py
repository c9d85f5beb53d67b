"""Imports: each layout, what is matched by name, what stays, and what is refused without harm to the rest."""

import json

import numpy as np
import pytest

from db.exports import file_names
from settings import Settings
from tests.conftest import Installation
from tests.pictures import mask_png, png
from tests.workers.exchange.making import export, labels, packed, second_project, take_in
from tests.workers.making import add, correct
from workers.correcting import mark_anomalous
from workers.errors import LabelFileError, NotFound
from workers.exchange import importing
from workers.intake import add_upload

EMPTY = mask_png(box=None)


@pytest.mark.parametrize("kind", ["mvtec", "masks", "coco"])
def test_what_was_exported_comes_back_into_another_project_as_it_was(installation: Installation, kind: str) -> None:
    store = installation.store
    correct(installation, 2)
    correct(installation, 2, normal=True, first_seed=2)
    before = labels(store, installation.project_id)
    other = second_project(store)

    outcomes = take_in(store, other, ("labels.zip", export(store, installation.project_id, kind)))

    assert [(one.outcome, one.added) for one in outcomes.values()] == [("imported", True)] * 4
    after = labels(store, other)
    assert {name: one and one[:3] for name, one in after.items()} == {
        name: one and one[:3] for name, one in before.items()
    }
    assert {one[3] for one in after.values() if one} == {"imported"}


def test_importing_the_same_again_changes_nothing(installation: Installation) -> None:
    correct(installation, 2)
    before = labels(installation.store, installation.project_id)
    data = export(installation.store, installation.project_id, "mvtec")
    outcomes = take_in(installation.store, installation.project_id, ("labels.zip", data))
    assert {(one.outcome, one.added) for one in outcomes.values()} == {("unchanged", False)}
    assert labels(installation.store, installation.project_id) == before


def test_masks_alone_go_to_the_images_of_their_names_and_an_empty_one_says_normal(installation: Installation) -> None:
    for seed in range(3):
        add(installation, seed=seed)
    files = {"deep/er/0_mask.png": mask_png(), "1.tif.png": mask_png(), "2.PNG": EMPTY}
    outcomes = take_in(installation.store, installation.project_id, ("masks.zip", packed(files)))
    assert {path: (one.outcome, one.image_id) for path, one in outcomes.items()} == {
        "deep/er/0_mask.png": ("imported", 1),
        "1.tif.png": ("refused", None),
        "2.PNG": ("imported", 3),
    }
    assert "No image of the project has this name" in outcomes["1.tif.png"].error
    found = labels(installation.store, installation.project_id)
    assert found["0.png"] is not None and found["0.png"][0::2] == ("anomalous", 600)
    assert found["2.png"] is not None and found["2.png"][0] == "normal"


def test_loose_masks_need_no_zip(installation: Installation) -> None:
    add(installation)
    [outcome] = take_in(installation.store, installation.project_id, ("0.png", mask_png())).values()
    assert outcome.outcome == "imported"


def test_what_was_said_here_stays_unless_it_is_to_be_replaced(installation: Installation) -> None:
    correct(installation, 1, normal=True)
    store, project_id = installation.store, installation.project_id
    [outcome] = take_in(store, project_id, ("0.png", mask_png())).values()
    assert outcome.outcome == "kept"
    assert labels(store, project_id)["0.png"] == ("normal", None, 0, "marked_normal")
    [outcome] = take_in(store, project_id, ("0.png", mask_png()), replace=True).values()
    assert outcome.outcome == "imported"
    label = labels(store, project_id)["0.png"]
    assert label is not None and label[0::3] == ("anomalous", "imported")


def coco(**entry: object) -> bytes:
    document = {
        "images": [
            {"id": 7, "file_name": "0.png", "width": 90, "height": 70, **entry},
            {"id": 8, "file_name": "1.png"},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "segmentation": [[10, 20, 30, 20, 30, 50, 10, 50]]},
            {"id": 2, "image_id": 7, "category_id": 4, "segmentation": {"size": [70, 90], "counts": [6299, 1]}},
        ],
        "categories": [{"id": 3, "name": "scratch"}, {"id": 4, "name": "dent"}],
    }
    return json.dumps(document).encode()


def test_coco_polygons_and_rle_of_all_categories_are_joined_and_none_says_normal(installation: Installation) -> None:
    add(installation), add(installation, seed=1)
    outcomes = take_in(installation.store, installation.project_id, ("instances.json", coco()))
    assert [one.outcome for one in outcomes.values()] == ["imported", "imported"]
    found = labels(installation.store, installation.project_id)
    assert found["0.png"] is not None and found["0.png"][2] == 20 * 30 + 1
    assert found["1.png"] is not None and found["1.png"][0] == "normal"


def test_coco_images_in_the_zip_are_found_by_their_folders(installation: Installation) -> None:
    files = {"a/0.png": png(5), "b/0.png": png(6), "x.json": coco(file_name="b/0.png"), "1.png": png(7)}
    outcomes = take_in(installation.store, installation.project_id, ("coco.zip", packed(files)))
    assert [(path, one.added) for path, one in outcomes.items()] == [("b/0.png", True), ("1.png", True)]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"width": 91}, "COCO says 91×70"),
        ({"file_name": "9.png"}, "No image of the project"),
        ({"id": 9}, "incomplete"),
    ],
)
def test_a_coco_file_that_does_not_fit_is_told(installation: Installation, entry: dict, words: str) -> None:
    add(installation)
    if words == "incomplete":
        with pytest.raises(LabelFileError, match=words):
            take_in(installation.store, installation.project_id, ("x.json", coco(**entry)))
    else:
        outcomes = take_in(installation.store, installation.project_id, ("x.json", coco(**entry)))
        assert words in next(iter(outcomes.values())).error


def test_what_is_wrong_with_one_file_keeps_no_other_out(installation: Installation) -> None:
    files = {
        "screw/train/good/0.png": png(0),
        "screw/test/dent/1.png": png(1),
        "screw/test/dent/2.png": png(2),
        "screw/test/dent/3.png": b"not an image",
        "screw/test/dent/4.png": png(4),
        "screw/ground_truth/dent/1_mask.png": mask_png(),
        "screw/ground_truth/dent/3_mask.png": mask_png(),
        "screw/ground_truth/dent/4.png": mask_png(width=80),
        "__MACOSX/screw/test/dent/._1.png": b"Mac",
        "../../../etc/cron.d/evil": b"* * * * *",
        "license.txt": b"free",
    }
    outcomes = take_in(installation.store, installation.project_id, ("mvtec.zip", packed(files)))
    told = {path.removeprefix("screw/"): (one.outcome, one.error.partition(".")[0]) for path, one in outcomes.items()}
    assert told == {
        "train/good/0.png": ("imported", ""),
        "test/dent/1.png": ("imported", ""),
        "test/dent/2.png": ("refused", "It is anomalous and has no mask in screw/ground_truth/dent/"),
        "test/dent/3.png": ("refused", "The file is not an image in a format that can be read"),
        "test/dent/4.png": ("refused", "The mask is 80×70 px and the image is 90×70 px"),
    }
    with installation.store.session(read_only=True) as session:
        assert [name for _, name in file_names(session, installation.project_id)] == ["0.png", "1.png", "4.png"]


def test_two_images_of_one_name_are_not_guessed_between(installation: Installation) -> None:
    for seed in range(2):
        add_upload(installation.store, installation.project_id, "same.png", png(seed))
    [outcome] = take_in(installation.store, installation.project_id, ("same.png", mask_png())).values()
    assert outcome.outcome == "refused" and "Several images" in outcome.error


def damaged(data: bytes) -> bytes:
    """The zip with one byte of its first file changed."""
    at = data.index(b"IDAT") + 20
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_a_file_that_is_damaged_in_the_zip_is_told(installation: Installation) -> None:
    add(installation)
    [outcome] = take_in(
        installation.store, installation.project_id, ("x.zip", damaged(packed({"0.png": png(0)})))
    ).values()
    assert outcome.outcome == "refused" and "damaged in the zip" in outcome.error


@pytest.mark.parametrize(
    ("limits", "words"),
    [({"max_import_mb": 0.001}, "MAX_IMPORT_MB"), ({"max_upload_mb": 0.001}, "MAX_UPLOAD_MB")],
)
def test_more_than_the_limit_is_refused_before_it_is_unpacked(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, limits: dict, words: str
) -> None:
    monkeypatch.setattr(importing, "get_settings", lambda: Settings(**limits))
    bomb = packed({"normal/0.png": np.random.default_rng(0).bytes(5000)})
    if words == "MAX_IMPORT_MB":
        with pytest.raises(LabelFileError, match=words):
            take_in(installation.store, installation.project_id, ("x.zip", bomb))
    else:
        [outcome] = take_in(installation.store, installation.project_id, ("x.zip", bomb)).values()
        assert words in outcome.error


@pytest.mark.parametrize("name", ["notes.txt", "broken.zip", "empty.json"])
def test_what_holds_no_labels_says_what_would(installation: Installation, name: str) -> None:
    with pytest.raises(LabelFileError, match="COCO JSON"):
        take_in(installation.store, installation.project_id, (name, b"{}"))


def test_a_project_that_does_not_exist(installation: Installation) -> None:
    with pytest.raises(NotFound):
        take_in(installation.store, 99, ("0.png", mask_png()))


def test_normal_elsewhere_is_not_the_same_as_anomalous_here_without_a_mask(installation: Installation) -> None:
    image_id = add(installation)
    mark_anomalous(installation.store, image_id)
    outcomes = take_in(installation.store, installation.project_id, ("0_mask.png", EMPTY))
    assert [one.outcome for one in outcomes.values()] == ["kept"]
