"""Masks as COCO writes them; the texts were written by pycocotools 2.0.10."""

import numpy as np
import pytest

from workers.exchange.rle import BadSegmentation, decode_segmentation, encode_rle

SMALL = np.array([[0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1]], dtype=np.uint8)
SMALL_TEXT = "9220002O"


def encode(mask: np.ndarray) -> dict:
    rows, columns = np.nonzero(mask)
    return encode_rle(rows, columns, height=mask.shape[0], width=mask.shape[1])


def test_a_mask_becomes_the_text_that_pycocotools_writes() -> None:
    assert encode(SMALL) == {"size": [4, 6], "counts": SMALL_TEXT}


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_every_mask_is_read_back_as_it_was(share: float) -> None:
    mask = (np.random.default_rng(1).random((53, 71)) < share).astype(np.uint8)
    np.testing.assert_array_equal(decode_segmentation(encode(mask), height=53, width=71), mask)


def test_run_lengths_as_numbers_are_read_too() -> None:
    rle = {"size": [4, 6], "counts": [9, 2, 2, 2, 2, 2, 4, 1]}
    np.testing.assert_array_equal(decode_segmentation(rle, height=4, width=6), SMALL)


def test_a_polygon_holds_the_pixels_whose_centres_are_inside_and_several_are_joined() -> None:
    mask = decode_segmentation([[1, 1, 4, 1, 4, 3, 1, 3], [5, 0, 6, 0, 6, 1, 5, 1]], height=4, width=6)
    expected = np.zeros((4, 6), dtype=np.uint8)
    expected[1:3, 1:4] = 1
    expected[0, 5] = 1
    np.testing.assert_array_equal(mask, expected)


def test_a_polygon_beyond_the_image_ends_at_its_edge() -> None:
    assert decode_segmentation([[-1e9, -1e9, 1e9, -1e9, 1e9, 1e9, -1e9, 1e9]], height=4, width=6).all()


@pytest.mark.parametrize(
    "segmentation",
    [
        None,
        [],
        [[1, 2, 3, 4]],
        [[1, 2, 3, 4, 5]],
        [["a", "b", "c", "d", "e", "f"]],
        [[0, 0, float("nan"), 1, 2, 2]],
        {"size": [6, 4], "counts": SMALL_TEXT},
        {"size": [4, 6], "counts": "9220002"},
        {"size": [4, 6], "counts": "\x00"},
        {"size": [4, 6], "counts": "o" * 100},
        {"size": [4, 6], "counts": [9, -2, 17]},
        {"size": [4, 6], "counts": [23.5]},
        {"size": [4, 6], "counts": [True, 23]},
    ],
)
def test_what_is_no_segmentation_of_the_image_is_refused(segmentation: object) -> None:
    with pytest.raises(BadSegmentation):
        decode_segmentation(segmentation, height=4, width=6)


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [4, 6], "counts": [9.0, 2.0, 13.0]},
        {"size": ["4", "6"], "counts": ["9", 2, 13]},
        {"size": [0, 0], "counts": [9, 2, 13]},
        {"counts": [9, 2, 13]},
    ],
)
def test_numbers_as_text_or_floats_and_a_size_that_is_missing_are_understood(segmentation: object) -> None:
    expected = decode_segmentation({"size": [4, 6], "counts": [9, 2, 13]}, height=4, width=6)
    np.testing.assert_array_equal(decode_segmentation(segmentation, height=4, width=6), expected)


@pytest.mark.parametrize(
    "polygons", [[[0, 1, 6, 1, 6, 3, 0, 3]], [0, 1, 6, 1, 6, 3, 0, 3], [None, [0, 1, 6, 1, 6, 3, 0, 3], []]]
)
def test_a_list_of_polygons_may_be_one_polygon_and_may_hold_nothing_beside_others(polygons: list) -> None:
    mask = decode_segmentation(polygons, height=4, width=6)
    assert mask[1:3].all() and mask.sum() == 12


@pytest.mark.parametrize(
    ("polygon", "area"),
    [([0, 2.1, 6, 2.1, 6, 2.2], 6), ([2.1, 0, 2.2, 0, 2.2, 4], 4), ([1.1, 1.1, 1.2, 1.1, 1.2, 1.2], 1)],
)
def test_a_hairline_marks_the_pixels_along_it(polygon: list, area: int) -> None:
    assert decode_segmentation([polygon], height=4, width=6).sum() == area


def test_a_polygon_outside_of_the_image_marks_nothing() -> None:
    assert not decode_segmentation([[100, 100, 200, 100, 200, 200]], height=4, width=6).any()
