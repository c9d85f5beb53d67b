"""Imports: each layout, what is matched by name, what stays, and what is refused without harm to the rest."""

import io
import json
import struct
import unicodedata
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from db.images.annotations import newest_annotation
from db.images.exports import file_names
from settings import Settings
from tests.conftest import Installation
from tests.pictures import encoded, mask_png, picture, png
from tests.workers.exchange.making import export, labels, packed, second_project, take_in
from tests.workers.making import add, correct
from workers.errors import LabelFileError, NotFound
from workers.exchange import importing
from workers.images.correcting import mark_anomalous
from workers.images.intake import add_upload

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


def coco_of(annotations: list[dict], **image: object) -> bytes:
    entry = {"id": 1, "file_name": "0.png", "width": 90, "height": 70, **image}
    return json.dumps({"images": [entry], "annotations": annotations}).encode()


BOX = [[10, 20, 40, 20, 40, 40, 10, 40]]
ONE = {"id": 5, "image_id": 1, "segmentation": BOX}


@pytest.mark.parametrize(
    ("document", "area", "named"),
    [
        (coco_of([ONE, {**ONE, "id": 6, "image_id": 99}]), 600, {"annotation 6": "which the COCO file doesn't list"}),
        (coco_of([{**ONE, "image_id": "1"}]), 600, {}),
        (coco_of([{**ONE, "image_id": 1.0}], id="1"), 600, {}),
        (coco_of([ONE], width="90", height="70"), 600, {}),
        (coco_of([ONE], width=0, height=0), 600, {}),
        (coco_of([ONE], width=None, height=None), 600, {}),
        (coco_of([ONE, {**ONE, "id": 6, "segmentation": None}]), 600, {"0.png": "Annotation 6 is passed over"}),
        (coco_of([ONE, {**ONE, "id": 6, "segmentation": [[1, 2]]}]), 600, {"0.png": "fewer than three points"}),
        (coco_of([{**ONE, "segmentation": [0, 2.1, 90, 2.1, 90, 2.2]}]), 90, {}),
        (coco_of([ONE, 7, {"id": 8}]), 600, {"annotation 1": "names no image", "annotation 8": "names no image"}),
        (coco_of([{"image_id": 1, "segmentation": {"size": [70, 90], "counts": [6299.0, 1.0]}}]), 1, {}),
        (b"\xef\xbb\xbf" + coco_of([ONE]), 600, {}),
    ],
)
def test_of_coco_what_is_right_is_taken_and_the_rest_is_named(
    installation: Installation, document: bytes, area: int, named: dict
) -> None:
    add(installation)
    outcomes = take_in(installation.store, installation.project_id, ("x.json", document))
    assert outcomes["0.png"].outcome == "imported"
    label = labels(installation.store, installation.project_id)["0.png"]
    assert label is not None and label[0] == "anomalous" and label[2] == area
    assert {path for path in outcomes if path != "0.png"} == {path for path in named if path != "0.png"}
    for path, words in named.items():
        assert words in outcomes[path].error + outcomes[path].note


def test_boxes_alone_say_that_an_image_is_anomalous_and_not_where(installation: Installation) -> None:
    add(installation)
    document = coco_of([{"id": 1, "image_id": 1, "bbox": [10, 20, 30, 20], "segmentation": []}])
    [outcome] = take_in(installation.store, installation.project_id, ("x.json", document)).values()
    assert outcome.outcome == "imported" and "boxes alone" in outcome.note
    assert labels(installation.store, installation.project_id)["0.png"] == ("anomalous", None, 0, "imported")


def test_coco_of_the_stored_picture_of_a_phone_is_turned_with_it(installation: Installation) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = encoded(picture(width=90, height=70), "JPEG", exif=exif)
    document = coco_of([ONE], file_name="0.jpg")
    files = {"0.jpg": lying, "x.json": document}
    [outcome] = take_in(installation.store, installation.project_id, ("x.zip", packed(files))).values()
    assert outcome.outcome == "imported"
    with installation.store.session(read_only=True) as session:
        annotation = newest_annotation(session, outcome.image_id)
    mask = np.asarray(Image.open(io.BytesIO(installation.store.blobs.get(annotation.mask_blob_key))))
    assert mask.shape == (90, 70) and mask[10:40, 30:50].all() and np.count_nonzero(mask) == 600


@pytest.mark.parametrize("name", ["1a2b3c4d-0.png", "/data/upload/1/1A2B3C4D-0.png", "/data/local-files/?d=a%2F0.png"])
def test_names_of_label_studio_are_understood(installation: Installation, name: str) -> None:
    add(installation)
    [outcome] = take_in(
        installation.store, installation.project_id, ("x.json", coco_of([ONE], file_name=name))
    ).values()
    assert outcome.outcome == "imported"


def test_coco_images_in_the_zip_are_found_by_their_folders(installation: Installation) -> None:
    files = {"a/0.png": png(5), "b/0.png": png(6), "x.json": coco(file_name="b/0.png"), "1.png": png(7)}
    outcomes = take_in(installation.store, installation.project_id, ("coco.zip", packed(files)))
    assert [(path, one.added) for path, one in outcomes.items()] == [("b/0.png", True), ("1.png", True)]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"width": 91}, "COCO says 91×70"),
        ({"file_name": "9.png"}, "No image of the project"),
        ({"id": 9}, "whether it is normal is not sure"),
    ],
)
def test_a_coco_file_that_does_not_fit_is_told(installation: Installation, entry: dict, words: str) -> None:
    add(installation)
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


NAME = "용접_균열.png"


def renamed(name: bytes, data: bytes, *, flags: int = 0, extra: bytes = b"") -> bytes:
    """A zip with one file, whose name's bytes are these."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("x" * len(name))
        entry.extra = extra
        archive.writestr(entry, data)
    zipped = bytearray(buffer.getvalue().replace(b"x" * len(name), name))
    central = zipped.rindex(b"PK\1\2")
    zipped[central + 8 : central + 10] = zipped[6:8] = struct.pack("<H", flags)
    return bytes(zipped)


def unicode_path(raw: bytes, name: str) -> bytes:
    field = b"\1" + struct.pack("<I", zlib.crc32(raw)) + name.encode()
    return struct.pack("<HH", 0x7075, len(field)) + field


@pytest.mark.parametrize(
    "zipped",
    [
        renamed(f"masks/{NAME}".encode(), mask_png()),
        renamed(f"masks/{NAME}".encode("cp949"), mask_png()),
        renamed(f"masks\\{NAME}".encode("cp949"), mask_png()),
        renamed(unicodedata.normalize("NFD", f"masks/{NAME}").encode(), mask_png(), flags=0x800),
        renamed(unicodedata.normalize("NFD", f"masks/{NAME}").encode(), mask_png()),
        renamed(b"m/????.png", mask_png(), extra=unicode_path(b"m/????.png", f"m/{NAME}")),
    ],
    ids=["a Mac", "Windows in Korea", "with backslashes", "decomposed", "decomposed, from a Mac", "Unicode Path"],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_in_zips_of_other_systems_are_those_that_people_see(
    installation: Installation, zipped: bytes, form: str
) -> None:
    name = unicodedata.normalize(form, NAME)
    kept = add_upload(installation.store, installation.project_id, name, png())
    [outcome] = take_in(installation.store, installation.project_id, ("x.zip", zipped)).values()
    assert (outcome.outcome, outcome.image_id) == ("imported", kept.image_id)
    assert unicodedata.normalize("NFC", outcome.path).endswith(NAME)
    assert labels(installation.store, installation.project_id)[name] is not None  # shown as it came


def test_a_mask_is_told_from_a_photograph_by_what_it_shows(installation: Installation) -> None:
    add(installation)
    files = {"gt/0.png": mask_png(), "img/0.png": png(0)}
    for order in (files, dict(reversed(files.items()))):
        outcomes = take_in(installation.store, installation.project_id, ("x.zip", packed(order)))
        assert list(outcomes) == ["img/0.png"] and outcomes["img/0.png"].image_id == 1
        label = labels(installation.store, installation.project_id)["0.png"]
        assert label is not None and label[0::2] == ("anomalous", 600)


def test_a_photograph_alone_is_no_mask(installation: Installation) -> None:
    add(installation)
    outcomes = take_in(
        installation.store, installation.project_id, ("x.zip", packed({"0.png": png(3), "7.png": png(4)}))
    )
    assert all(one.outcome == "refused" and "photograph" in one.error for one in outcomes.values())
    assert labels(installation.store, installation.project_id) == {"0.png": None}


def test_several_masks_of_one_name_are_ambiguous_and_both_are_named(installation: Installation) -> None:
    add(installation)
    files = {"ground_truth/crack/0_mask.png": mask_png(), "ground_truth/stain/0_mask.png": mask_png(box=(0, 0, 5, 5))}
    outcomes = take_in(installation.store, installation.project_id, ("x.zip", packed(files)))
    assert len(outcomes) == 2
    for one in outcomes.values():
        assert one.outcome == "refused" and all(name in one.error for name in files)


def test_an_exact_name_goes_before_a_like_one(installation: Installation) -> None:
    add(installation)
    files = {"m/0_mask.png": mask_png(box=(0, 0, 5, 5)), "n/0.png": mask_png()}
    outcomes = take_in(installation.store, installation.project_id, ("x.zip", packed(files)))
    assert outcomes["n/0.png"].outcome == "imported" and "nearer" in outcomes["m/0_mask.png"].error
    label = labels(installation.store, installation.project_id)["0.png"]
    assert label is not None and label[2] == 600


LAYOUTS = {
    "LOCO": {
        "box/train/good/7.png": png(7),
        "box/validation/good/1.png": png(1),
        "box/test/logical_anomalies/5.png": png(5),
        "box/ground_truth/logical_anomalies/5/000.png": mask_png(),
        "box/ground_truth/logical_anomalies/5/001.png": mask_png(box=(50, 50, 60, 60)),
    },
    "AD 2": {
        "can/train/good/7.png": png(7),
        "can/validation/good/1.png": png(1),
        "can/test_public/bad/5.png": png(5),
        "can/test_public/ground_truth/bad/5_mask.png": mask_png(box=(10, 20, 30, 55)),
    },
    "Real-IAD": {
        "toy/OK/S1/7.jpg": encoded(picture(7), "JPEG"),
        "toy/OK/S2/1.jpg": encoded(picture(1), "JPEG"),
        "toy/NG/BX/S1/5.jpg": encoded(picture(5), "JPEG"),
        "toy/NG/BX/S1/5.png": mask_png(box=(10, 20, 30, 55)),
    },
    "MVTec, in other case": {
        "Screw/Train/Good/7.PNG": png(7),
        "Screw/Test/GOOD/1.PNG": png(1),
        "Screw/Test/Scratch/5.PNG": png(5),
        "Screw/Ground_Truth/scratch/5_MASK.png": mask_png(box=(10, 20, 30, 55)),
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_published_sets(installation: Installation, layout: str) -> None:
    outcomes = take_in(installation.store, installation.project_id, ("x.zip", packed(LAYOUTS[layout])))
    assert {one.outcome for one in outcomes.values()} == {"imported"} and len(outcomes) == 3
    found = labels(installation.store, installation.project_id)
    said = {name.partition(".")[0]: label and label[0::2] for name, label in found.items()}
    assert said == {"7": ("normal", 0), "1": ("normal", 0), "5": ("anomalous", 700)}


def test_a_mask_of_nothing_or_of_nearly_all_is_taken_with_a_note(installation: Installation) -> None:
    add(installation), add(installation, seed=1)
    files = {"0.png": EMPTY, "1.png": mask_png(box=(0, 0, 90, 69))}
    outcomes = take_in(installation.store, installation.project_id, ("x.zip", packed(files)))
    assert "marks nothing" in outcomes["0.png"].note and "98.6 %" in outcomes["1.png"].note


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
    [
        ({"max_import_mb": 0.001}, "MAX_IMPORT_MB"),
        ({"max_import_files": 1}, "MAX_IMPORT_FILES"),
        ({"max_upload_mb": 0.001}, "MAX_UPLOAD_MB"),
    ],
)
def test_more_than_the_limit_is_refused_before_it_is_unpacked(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, limits: dict, words: str
) -> None:
    monkeypatch.setattr(importing, "get_settings", lambda: Settings(**limits))
    bomb = packed({f"normal/{number}.png": np.random.default_rng(0).bytes(5000) for number in range(2)})
    if words != "MAX_UPLOAD_MB":
        with pytest.raises(LabelFileError, match=words):
            take_in(installation.store, installation.project_id, ("x.zip", bomb))
    else:
        outcomes = take_in(installation.store, installation.project_id, ("x.zip", bomb)).values()
        assert all(words in outcome.error for outcome in outcomes)


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
