"""Kinds of defect go out with labels and come back with them: COCO's categories, and names in tables."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from db.defects.kinds import add_kind, list_kinds
from db.defects.naming import named_regions
from db.images.annotations import newest_per_image
from tests.conftest import Installation
from tests.pictures import encoded
from tests.workers.exchange.making import export, second_project, take_in, unpacked
from tests.workers.making import add
from workers.defects.naming import Naming, name_defects
from workers.images.correcting import mark_anomalous, save_mask


@pytest.fixture
def named(installation: Installation) -> Installation:
    """0.png: a dent, rust, and a region without a kind; 1.png: a dent as a whole, without a mask."""
    store = installation.store
    with store.session() as session:
        dent, rust = (add_kind(session, installation.project_id, name).id for name in ("Dent", "rust"))
    pixels = np.zeros((70, 90), np.uint8)
    for place in ((slice(5, 15), slice(5, 15)), (slice(40, 44), slice(50, 55)), (slice(60, 62), slice(3, 5))):
        pixels[place] = 255
    first, second = add(installation), add(installation, seed=1)
    save_mask(store, first, encoded(Image.fromarray(pixels)))
    name_defects(store, first, [Naming(dent, 14, 14), Naming(rust, 52, 41)], "=at the edge")
    mark_anomalous(store, second)
    name_defects(store, second, [Naming(dent)], None)
    return installation


def kinds_in(installation: Installation, project_id: int) -> dict[str, list[tuple[str, int]]]:
    """File name → name and area of its named regions, the largest first."""
    with installation.store.session(read_only=True) as session:
        names = {kind.id: kind.name for kind in list_kinds(session, project_id)}
        newest = newest_per_image(session, project_id)
        regions = named_regions(session, [one.id for one in newest])
        return {
            one.image.file_name: [(names[region.kind_id], region.area) for region in regions.get(one.id, [])]
            for one in newest
        }


def test_coco_carries_kinds_there_and_back(named: Installation) -> None:
    exported = export(named.store, named.project_id, "coco")
    document = json.loads(unpacked(exported)["annotations.json"])
    categories = {one["id"]: one["name"] for one in document["categories"]}
    assert list(categories.values()) == ["anomaly", "Dent", "rust"]
    found = [(categories[one["category_id"]], one["area"]) for one in document["annotations"]]
    assert found == [("Dent", 100), ("rust", 20), ("anomaly", 4)]
    assert document["images"][0]["comment"] == "=at the edge"

    other = second_project(named.store)
    assert take_in(named.store, other, ("labels.zip", exported))["0.png"].outcome == "imported"
    assert kinds_in(named, other) == {"0.png": [("Dent", 100), ("rust", 20)]}
    back = json.loads(unpacked(export(named.store, other, "coco"))["annotations.json"])
    assert [one["segmentation"] for one in back["annotations"]] == [
        one["segmentation"] for one in document["annotations"]
    ]
    assert back["categories"] == document["categories"]
    for replace in (False, True):
        again = take_in(named.store, other, ("labels.zip", exported), replace=replace)
        assert again["0.png"].outcome == "unchanged"


def test_tables_name_the_kinds_and_the_comment(named: Installation) -> None:
    for form, name in (("masks", "index.csv"), ("mvtec", "index.csv"), ("csv", "images.csv")):
        table = unpacked(export(named.store, named.project_id, form))[name].decode("utf-8-sig")
        rows = {row["file_name"]: row for row in csv.DictReader(io.StringIO(table))}
        assert (rows["0.png"]["kinds"], rows["0.png"]["comment"]) == ("Dent; rust", "'=at the edge")
    assert rows["1.png"]["kinds"] == "Dent"


def coco(annotations: list[dict], categories: object) -> bytes:
    image = {"id": 1, "file_name": "0.png", "width": 90, "height": 70}
    return json.dumps({"images": [image], "annotations": annotations, "categories": categories}).encode()


def box(category: object, left: int, right: int) -> dict:
    return {"image_id": 1, "category_id": category, "segmentation": [[left, 20, right, 20, right, 40, left, 40]]}


CATEGORIES = [
    {"id": 3, "name": " Scratch "},
    {"id": "4", "name": "dent"},
    {"id": 5, "name": "ANOMALY"},
    "odd",
    {"id": 6},
]


@pytest.mark.parametrize(
    ("annotations", "found", "note"),
    [
        ([box(3, 10, 20), box(4, 50, 55)], [("Scratch", 200), ("dent", 100)], ""),
        ([box("3", 10, 20), box(4, 20, 55)], [("dent", 900)], "Some regions have several categories"),
        ([box(5, 10, 20), box(6, 30, 40), box(None, 50, 60), box(99, 70, 80)], [], ""),
        ([{"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]}], [("Scratch", 0)], "boxes alone"),
    ],
)
def test_categories_become_kinds_of_the_book(
    installation: Installation, annotations: list[dict], found: list[tuple], note: str
) -> None:
    add(installation)
    [outcome] = take_in(
        installation.store, installation.project_id, ("coco.json", coco(annotations, CATEGORIES))
    ).values()
    assert outcome.outcome == "imported" and note in outcome.note
    assert kinds_in(installation, installation.project_id) == {"0.png": found}


def test_kinds_that_were_given_here_stay_unless_they_may_be_replaced(installation: Installation) -> None:
    store, project_id = installation.store, installation.project_id
    other = coco([box(4, 10, 20)], CATEGORIES)
    add(installation)
    take_in(store, project_id, ("coco.json", coco([box(3, 10, 20)], CATEGORIES)))
    [kept] = take_in(store, project_id, ("coco.json", other)).values()
    assert kept.outcome == "unchanged" and kinds_in(installation, project_id) == {"0.png": [("Scratch", 200)]}
    [taken] = take_in(store, project_id, ("coco.json", other), replace=True).values()
    assert taken.outcome == "imported" and kinds_in(installation, project_id) == {"0.png": [("dent", 200)]}
