"""The glocal loss, on pixels and on the patch grid, against its terms on whole maps."""

import pytest
import torch
from torch.nn import functional as F

from engine.images.shapes import Grid
from engine.learning.losses import Batch, dice_loss, focal_loss, glocal_loss, patch_glocal_loss


def drawn():
    """Similarities, P(anomalous) of 4 × 4 patches in 3 layers of 2 images, labels, and which patches are anomalous."""
    generator = torch.Generator().manual_seed(0)
    probs = torch.rand(3, 2, 16, generator=generator) * 0.98 + 0.01
    shares = (torch.rand(2, 16, generator=generator) > 0.7).float()
    return torch.randn(2, 2, generator=generator) * 0.1, probs, torch.tensor([1, 0]), shares


def to_pixels(values: torch.Tensor) -> torch.Tensor:
    return values.unflatten(-1, (4, 4)).repeat_interleave(8, -1).repeat_interleave(8, -2)


def assert_terms(loss, layer_maps, masks, *, focal_within: float) -> None:
    """The local terms are those of whole maps: one (B, s, s) of P(anomalous) a layer."""
    for layer, maps in enumerate(layer_maps):
        both = torch.stack([1 - maps, maps], dim=1)
        torch.testing.assert_close(loss.focal[layer], focal_loss(both, masks), rtol=focal_within, atol=0)
        torch.testing.assert_close(loss.dice_anomalous[layer], dice_loss(maps, masks), rtol=1e-5, atol=0)
        torch.testing.assert_close(loss.dice_normal[layer], dice_loss(1 - maps, 1 - masks), rtol=1e-5, atol=0)


def test_the_pixel_loss_is_that_of_maps_upsampled_bilinearly():
    similarities, probs, labels, _ = drawn()
    masks = (torch.rand(2, 32, 32, generator=torch.Generator().manual_seed(1)) > 0.7).to(torch.uint8)
    maps = F.interpolate(probs.unflatten(2, (4, 4)), size=(32, 32), mode="bilinear", align_corners=False)
    assert_terms(glocal_loss(Batch(similarities, probs, labels), masks), maps, masks, focal_within=1e-5)


def test_the_patch_loss_of_whole_patches_is_that_of_maps_with_even_patches():
    similarities, probs, labels, shares = drawn()
    loss = patch_glocal_loss(
        Batch(similarities, probs, labels), shares, 64
    )  # its focal term smooths labels in another way
    assert_terms(loss, to_pixels(probs), to_pixels(shares), focal_within=1e-3)


def test_the_total_is_the_image_term_and_the_weighted_local_ones():
    similarities, probs, labels, shares = drawn()
    loss = patch_glocal_loss(Batch(similarities, probs, labels), shares, 64, weight=2.5)
    local = (loss.focal + loss.dice_anomalous + loss.dice_normal).sum()
    torch.testing.assert_close(loss.image, F.cross_entropy(similarities / 0.07, labels))
    torch.testing.assert_close(loss.total, loss.image + 2.5 * local)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_certain_and_right_costs_nothing_and_stays_finite(share):
    probs = torch.full((1, 1, 4), share, requires_grad=True)
    loss = patch_glocal_loss(
        Batch(torch.zeros(1, 2), probs, torch.tensor([int(share)])), torch.full((1, 4), share), 64, 1.0
    )
    assert float(loss.focal) == pytest.approx(0.0, abs=1e-6)
    loss.total.backward()
    assert probs.grad.isfinite().all()


def test_the_pixel_loss_on_a_grid_that_is_no_square_is_that_of_its_maps():
    similarities, probs, labels, _ = drawn()
    grid = Grid(2, 8)
    masks = (torch.rand(2, 16, 64, generator=torch.Generator().manual_seed(1)) > 0.7).to(torch.uint8)
    maps = F.interpolate(probs.unflatten(2, grid), size=(16, 64), mode="bilinear", align_corners=False)
    assert_terms(glocal_loss(Batch(similarities, probs, labels), masks, grid=grid), maps, masks, focal_within=1e-5)


def test_shares_of_zero_and_one_cost_what_a_mask_costs():
    similarities, probs, labels, _ = drawn()
    masks = (torch.rand(2, 32, 32, generator=torch.Generator().manual_seed(1)) > 0.7).to(torch.uint8)
    by_mask, by_shares = (glocal_loss(Batch(similarities, probs, labels), one) for one in (masks, masks.float()))
    torch.testing.assert_close(by_shares.total, by_mask.total, rtol=1e-3, atol=0)


def test_a_share_of_a_half_draws_the_map_to_a_half():
    """A pixel that is half anomalous is neither: both certain answers cost more than the middle one."""
    similarities, _, labels, _ = drawn()
    costs = [
        float(glocal_loss(Batch(similarities, torch.full((1, 2, 16), p), labels), torch.full((2, 32, 32), 0.5)).focal)
        for p in (0.02, 0.5, 0.98)
    ]
    assert costs[1] < min(costs[0], costs[2])
