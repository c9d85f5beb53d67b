"""Kinds of defect for the regions of a correction, and what a later mask takes over of them."""

import numpy as np
import pytest
from PIL import Image

from db.defects.kinds import add_kind
from db.defects.naming import named_regions
from db.errors import BadNaming, Conflict, NotCorrected
from db.images.annotations import newest_annotation
from tests.conftest import Installation
from tests.pictures import encoded
from tests.workers.making import add
from workers.defects.naming import Naming, name_defects
from workers.images.correcting import mark_anomalous, mark_normal, save_mask

# Two regions of 90×70 px: one of 10×10 at the upper left, one of 5×4 further down.
FIRST, SECOND = (slice(5, 15), slice(5, 15)), (slice(40, 44), slice(50, 55))


def mask(*places: tuple[slice, slice]) -> bytes:
    pixels = np.zeros((70, 90), np.uint8)
    for place in places:
        pixels[place] = 255
    return encoded(Image.fromarray(pixels))


@pytest.fixture
def kinds(installation: Installation) -> tuple[int, int]:
    with installation.store.session() as session:
        return tuple(add_kind(session, installation.project_id, name).id for name in ("dent", "rust"))  # type: ignore[return-value]


def said(installation: Installation, image_id: int) -> tuple[list[tuple], str, int]:
    """Kind, pixel and area of each named region of the newest revision; its comment; its number."""
    with installation.store.session(read_only=True) as session:
        newest = newest_annotation(session, image_id)
        assert newest is not None
        found = named_regions(session, [newest.id]).get(newest.id, [])
        return [(one.kind_id, one.x, one.y, one.area) for one in found], newest.comment, newest.revision


def test_regions_have_kinds_and_the_correction_stays_the_revision_that_it_was(
    installation: Installation, kinds: tuple[int, int]
) -> None:
    dent, rust = kinds
    store, image_id = installation.store, add(installation)
    save_mask(store, image_id, mask(FIRST, SECOND))
    name_defects(store, image_id, [Naming(rust, 52, 41), Naming(dent, 6, 6)], " at the edge ", expected_revision=1)
    assert said(installation, image_id) == ([(dent, 6, 6, 100), (rust, 52, 41, 20)], "at the edge", 1)
    name_defects(store, image_id, [Naming(rust, 6, 6)], None)
    assert said(installation, image_id) == ([(rust, 6, 6, 100)], "at the edge", 1)
    name_defects(store, image_id, [], "")
    assert said(installation, image_id) == ([], "", 1)


def test_a_later_mask_takes_over_the_kinds_of_the_regions_that_it_overlaps(
    installation: Installation, kinds: tuple[int, int]
) -> None:
    dent, rust = kinds
    store, image_id = installation.store, add(installation)
    save_mask(store, image_id, mask(FIRST, SECOND))
    name_defects(store, image_id, [Naming(dent, 6, 6), Naming(rust, 52, 41)], "seen twice")
    left, right = (slice(5, 15), slice(5, 8)), (slice(5, 15), slice(12, 16))  # the first, cut in two and wider
    save_mask(store, image_id, mask(left, right))
    named, comment, revision = said(installation, image_id)
    assert {(one[0], one[3]) for one in named} == {(dent, 30), (dent, 40)} and comment == "seen twice" and revision == 2
    mark_normal(store, image_id)
    assert said(installation, image_id) == ([], "", 3)


def test_an_image_without_a_mask_has_one_kind_as_a_whole(installation: Installation, kinds: tuple[int, int]) -> None:
    dent, rust = kinds
    store, image_id = installation.store, add(installation)
    mark_anomalous(store, image_id)
    name_defects(store, image_id, [Naming(dent)], None)
    mark_anomalous(store, image_id)
    assert said(installation, image_id) == ([(dent, None, None, 0)], "", 2)
    for wrong in ([Naming(dent), Naming(rust)], [Naming(dent, 1, 1)]):
        with pytest.raises(BadNaming, match="has no mask"):
            name_defects(store, image_id, wrong, None)


def test_what_names_no_region_is_refused(installation: Installation, kinds: tuple[int, int]) -> None:
    dent, rust = kinds
    store, image_id = installation.store, add(installation)
    with pytest.raises(NotCorrected):
        name_defects(store, image_id, [Naming(dent, 1, 1)], None)
    save_mask(store, image_id, mask(FIRST))
    for wrong, words in (
        ([Naming(dent, 30, 30)], "is not marked"),
        ([Naming(dent, 900, 3)], "is not marked"),
        ([Naming(dent, 6, 6), Naming(rust, 7, 7)], "two kinds"),
        ([Naming(dent)], "has a mask"),
        ([Naming(99, 6, 6)], "no kind of defect 99"),
    ):
        with pytest.raises(BadNaming, match=words):
            name_defects(store, image_id, wrong, None)
    with pytest.raises(Conflict):
        name_defects(store, image_id, [], None, expected_revision=7)
