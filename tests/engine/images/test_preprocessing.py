"""Images and masks at the sizes that the model takes: height first, and no mark of a person lost."""

import numpy as np
import pytest
from PIL import Image

from engine.images.preprocessing import mask_shares, preprocess, preprocess_mask, to_pixels

SIZE = (24, 60)  # height, width


def test_images_come_to_a_height_and_a_width():
    image = Image.fromarray(np.tile(np.linspace(0, 255, 90, dtype=np.uint8), (70, 1)))
    pixels = to_pixels(image, SIZE)
    assert pixels.shape == (*SIZE, 3)
    assert pixels[0, -1, 0] > pixels[0, 0, 0] + 200 and np.ptp(pixels[:, 30, 0]) == 0  # brighter to the right alone
    assert preprocess([image, image], SIZE).shape == (2, 3, *SIZE)


@pytest.mark.parametrize("lying", [True, False], ids=["lying", "standing"])
def test_a_hairline_beside_a_blob_keeps_its_share_of_area(lying):
    mask = np.zeros((480, 1200), dtype=np.uint8)
    mask[300:301, 100:1100] = 255  # one pixel of 20 in its row of cells
    mask[20:100, 20:200] = 255
    mask, size = (mask, SIZE) if lying else (mask.T, SIZE[::-1])

    shares = mask_shares(mask, size).numpy()

    assert shares.shape == size and shares.dtype == np.float32
    assert shares.sum() * 20 * 20 == pytest.approx(np.count_nonzero(mask), rel=1e-5)
    hairline = shares[15, 10:50] if lying else shares[10:50, 15]
    np.testing.assert_allclose(hairline, 1 / 20, atol=1e-6)
    lost = preprocess_mask(mask, size, keep_small=True).numpy()
    assert (lost[15] if lying else lost[:, 15]).sum() == 0  # what sampling makes of it


@pytest.mark.parametrize("length", [7, 100, 233])
def test_wherever_a_hairline_lies_some_cell_has_it(length):
    for column in range(length):
        mask = np.zeros((30, length), dtype=np.uint8)
        mask[:, column] = 1
        shares = mask_shares(mask, (30, 6)).numpy()
        assert (shares[0] > 0).sum() == 1 and shares[0].max() == pytest.approx(6 / length, rel=0.5)


def test_shares_of_a_mask_finer_than_the_image_are_its_marks():
    mask = np.eye(4, dtype=np.uint8)
    np.testing.assert_array_equal(mask_shares(mask, (8, 8)).numpy(), np.kron(mask, np.ones((2, 2))))


@pytest.mark.parametrize("value", [0, 1, 255])
def test_what_is_marked_wholly_or_not_at_all_has_a_share_of_one_or_nothing(value):
    shares = mask_shares(np.full((50, 31), value, dtype=np.uint8), (9, 4))
    assert shares.unique().tolist() == [float(value > 0)]


def test_masks_too_come_to_a_height_and_a_width():
    mask = np.zeros((48, 120), dtype=np.uint8)
    mask[:, :60] = 1
    found = preprocess_mask(mask, SIZE).numpy()
    assert found.shape == SIZE and found[:, :29].all() and not found[:, 31:].any()
