"""The loss on the patch grid against the loss on pixels."""

import pytest
import torch

from engine.losses import glocal_loss, patch_glocal_loss


def test_with_whole_patches_the_patch_loss_is_the_pixel_loss():
    generator = torch.Generator().manual_seed(0)
    probs = torch.rand(3, 2, 16, generator=generator) * 0.98 + 0.01  # (L, B, n)
    shares = (torch.rand(2, 16, generator=generator) > 0.7).float()
    similarities, labels = torch.randn(2, 2, generator=generator) * 0.1, torch.tensor([1, 0])

    def pixels(values):
        return values.unflatten(-1, (4, 4)).repeat_interleave(8, -1).repeat_interleave(8, -2)

    layers = [torch.stack([1 - pixels(one), pixels(one)], dim=1) for one in probs]
    full = glocal_loss(similarities, layers, labels, pixels(shares))
    patch = patch_glocal_loss(similarities, probs, labels, shares, 64)
    for name in ("image", "focal", "dice_anomalous", "dice_normal", "total"):
        torch.testing.assert_close(getattr(patch, name), getattr(full, name), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_certain_and_right_costs_nothing_and_stays_finite(share):
    probs = torch.full((1, 1, 4), share, requires_grad=True)
    loss = patch_glocal_loss(torch.zeros(1, 2), probs, torch.tensor([int(share)]), torch.full((1, 4), share), 64, 1.0)
    assert float(loss.focal) == pytest.approx(0.0, abs=1e-6)
    loss.total.backward()
    assert probs.grad.isfinite().all()
