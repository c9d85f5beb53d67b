"""Features on disk read like those in memory, and leave nothing behind."""

import torch

from engine.features.image_features import ImageFeatures, Surface
from engine.features.spilled import SpilledFeatures
from engine.images.shapes import Grid


def test_what_is_kept_is_what_was_given_and_the_file_goes_with_it(tmp_path):
    given = [ImageFeatures(torch.randn(8).half(), torch.randn(4, 9, 8).half()) for _ in range(5)]
    spilled = SpilledFeatures(tmp_path)
    kept = [spilled.keep(one) for one in given]
    for ours, theirs in zip(kept, given, strict=True):
        torch.testing.assert_close(ours.patch_features, theirs.patch_features, rtol=0, atol=0)
        torch.testing.assert_close(ours.global_feature, theirs.global_feature, rtol=0, atol=0)
    stacked = torch.stack([one.patch_features for one in kept], dim=1)
    assert stacked.shape == (4, 5, 9, 8)
    assert [one.grid for one in kept] == [(3, 3)] * 5
    del spilled
    assert list(tmp_path.iterdir()) == []


def test_a_surface_and_a_grid_are_kept_too(tmp_path):
    textures = torch.randn(24, 8, 8).half(), torch.randn(40, 4, 4).half(), torch.randn(112, 2, 2).half()
    surface = Surface(torch.randint(0, 256, (16, 16, 3), dtype=torch.uint8), textures)
    spilled = SpilledFeatures(tmp_path)
    kept = spilled.keep(ImageFeatures(torch.randn(8).half(), torch.randn(4, 10, 8).half(), Grid(2, 5), surface))
    assert kept.grid == (2, 5) and torch.equal(kept.surface.pixels, surface.pixels)
    assert all(torch.equal(one, other) for one, other in zip(kept.surface.textures, textures, strict=True))
