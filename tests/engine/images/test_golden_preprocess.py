"""Preprocessing equals the reference's, in every mode that files come in."""

import numpy as np
import pytest
from PIL import Image

from engine.images.preprocessing import preprocess, preprocess_mask
from tests.engine.golden import load, requires_golden

pytestmark = requires_golden


def test_golden_preprocess_images_and_masks():
    golden = load("preprocess")
    size = int(golden["image_size"])
    for index in range(sum(name.startswith("rgb") for name in golden.files)):
        ours = preprocess([Image.fromarray(golden[f"rgb{index}"])], size)[0].numpy()
        np.testing.assert_allclose(ours, golden[f"tensor{index}"], rtol=0, atol=1e-5)
        np.testing.assert_array_equal(preprocess_mask(golden[f"mask{index}"], size), golden[f"target{index}"])


def test_golden_preprocess_at_the_paper_size():
    golden, sources = load("preprocess_518"), load("preprocess")
    size, stride, offset = (int(golden[name]) for name in ("image_size", "stride", "offset"))
    for index in range(sum(name.startswith("rgb") for name in sources.files)):
        ours = preprocess([Image.fromarray(sources[f"rgb{index}"])], size)[0].double().numpy()
        for found, name in (
            (ours[:, offset::stride, offset::stride], "sub"),
            (ours[:, 259], "row259"),
            (ours[:, :, 259], "col259"),
            (ours.mean(axis=(1, 2)), "mean"),
            (ours.std(axis=(1, 2)), "std"),
        ):
            np.testing.assert_allclose(found, golden[f"tensor{index}_{name}"], rtol=0, atol=1e-5)
        target = preprocess_mask(sources[f"mask{index}"], size).numpy()
        expected = np.unpackbits(golden[f"target{index}_packed"], axis=1)[:, :size]
        np.testing.assert_array_equal(target, expected)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "bilevel"])
def test_golden_preprocess_resizes_in_the_mode_of_the_file(mode):
    golden = load("preprocess_modes")
    if mode == "P":
        image = Image.fromarray(golden["P_indices"], "P")
        image.putpalette(golden["P_palette"].tobytes())
    else:
        image = Image.fromarray(golden[mode])
    ours = preprocess([image], int(golden["image_size"]))[0].numpy()
    np.testing.assert_allclose(ours, golden[f"tensor_{mode}"], rtol=0, atol=1e-5)
