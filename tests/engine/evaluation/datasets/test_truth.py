"""Masks as data sets save them: lossy, with a palette, in other depths and sizes, or not readable at all."""

import numpy as np
import pytest
from PIL import Image

from engine.errors import ImageError
from engine.evaluation.datasets.truth import read_mask

TRUTH = np.zeros((40, 48), dtype=np.uint8)
TRUTH[9:23, 13:38] = 1


def save(path, mode):
    grey = Image.fromarray(TRUTH * 255)
    if mode == "palette":
        picture = Image.fromarray(TRUTH)
        picture.putpalette([0, 0, 0, 128, 0, 0])
    elif mode == "index":
        picture = Image.fromarray(TRUTH)  # 0 and 1, as segmentation tools save it
    elif mode == "sixteen":
        picture = Image.fromarray(TRUTH.astype(np.uint16) * 65535)
    else:
        picture = grey.convert(mode)
    picture.save(path)
    return path


@pytest.mark.parametrize("mode", ["L", "1", "RGB", "RGBA", "LA", "palette", "index", "sixteen"])
def test_every_way_of_saving_gives_the_same_mask(tmp_path, mode):
    found = read_mask(save(tmp_path / "mask.png", mode), width=48, height=40)
    np.testing.assert_array_equal(found, TRUTH)


def test_what_jpeg_smears_is_not_anomalous(tmp_path):
    file = tmp_path / "mask.jpg"
    Image.fromarray(TRUTH * 255).save(file, quality=60)
    assert (np.asarray(Image.open(file)) > 0).sum() > TRUTH.sum()
    assert np.abs(read_mask(file, width=48, height=40).astype(int) - TRUTH).mean() < 0.01


def test_an_empty_jpeg_stays_empty(tmp_path):
    Image.new("L", (48, 40)).save(tmp_path / "mask.jpg")
    assert not read_mask(tmp_path / "mask.jpg", width=48, height=40).any()


def test_a_smaller_mask_of_the_same_picture_is_taken(tmp_path):
    assert read_mask(save(tmp_path / "mask.png", "L"), width=480, height=401).shape == (40, 48)


def test_a_mask_of_another_shape_is_refused(tmp_path):
    with pytest.raises(ImageError, match="48×40 px and its image 100×40 px: they are not the same picture"):
        read_mask(save(tmp_path / "mask.png", "L"), width=100, height=40)


def test_a_damaged_mask_is_named(tmp_path):
    (tmp_path / "mask.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(ImageError, match=r"mask\.png can't be read"):
        read_mask(tmp_path / "mask.png", width=48, height=40)
