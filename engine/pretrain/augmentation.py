"""A drawing looks different each time it is seen, so that neither it nor the way it was drawn is learnt by heart.

A run shows most drawings several times. Here each showing gets its own place and scale, its own random filter
(random convolutions: Xu et al., "Robust and Generalizable Visual Representation Learning via Random Convolutions",
ICLR 2021), tones and noise. What is odd about a place stays odd under all of them.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.pretrain.batches import Batch

_MOVED, _FILTERED, _TONED, _NOISY = 0.6, 0.4, 0.5, 0.3
_NEAREST, _FARTHEST = 0.55, 1.6  # share of the picture's side that is shown
_SQUEEZE, _FLICKERS = 0.2, 0.3  # logarithms of scale: between height and width; from which on a view is smoothed first
_KERNEL = 5  # px


def augmented(batch: Batch, seed: int, step: int) -> Batch:
    """The batch as it is shown at `step`: images (B, 3, s, s) uint8 and labels (B, s, s) changed, texts as they were.

    The same arguments give the same images on the same device.
    """
    rng = torch.Generator(batch.images.device).manual_seed(seed * 1_000_003 + step)
    images, labels = _moved(batch.images.float() / 255, batch.labels, rng)
    images = _filtered(images, rng)
    images = _toned(images, rng)
    images = _noisy(images, rng)
    return replace(batch, images=(images.clamp(0, 1) * 255).round().to(torch.uint8), labels=labels)


def _uniform(rng: torch.Generator, low: float, high: float, *shape: int) -> Tensor:
    return torch.rand(shape, generator=rng, device=rng.device) * (high - low) + low


def _some(rng: torch.Generator, share: float, count: int) -> Tensor:
    """(count, 1, 1, 1) bool: about `share` of the images."""
    return _uniform(rng, 0, 1, count, 1, 1, 1) < share


def _moved(images: Tensor, labels: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Turned by any angle, nearer or farther, squeezed; mirrored where the view reaches beyond the rim."""
    count = images.shape[0]
    turn, squeeze = _uniform(rng, -math.pi, math.pi, count), _uniform(rng, -_SQUEEZE, _SQUEEZE, count)
    reach = _uniform(rng, math.log(_NEAREST), math.log(_FARTHEST), count)
    across, down = (reach + squeeze).exp(), (reach - squeeze).exp()
    views = torch.zeros(count, 2, 3, device=images.device)
    views[:, 0, 0], views[:, 0, 1] = turn.cos() * across, -turn.sin() * down
    views[:, 1, 0], views[:, 1, 1] = turn.sin() * across, turn.cos() * down
    views[:, :, 2] = _uniform(rng, -1, 1, count, 2) * (1 - reach.exp()).clamp(min=0)[:, None]
    grid = F.affine_grid(views, list(images.shape), align_corners=False)
    farther = reach[:, None, None, None]  # log of the scale
    smooth = torch.where(farther > _FLICKERS, _smoothed(images), images)
    seen = F.grid_sample(smooth, grid, padding_mode="reflection", align_corners=False)
    # A line that becomes thinner than a pixel must not fall between the pixels that are kept.
    marked = labels[:, None].float()
    marked = torch.where(farther > 0, F.max_pool2d(marked, 3, stride=1, padding=1), marked)
    where = F.grid_sample(marked, grid, mode="nearest", padding_mode="reflection", align_corners=False)[:, 0]
    chosen = _some(rng, _MOVED, count)
    return torch.where(chosen, seen, images), torch.where(chosen[:, 0], where.to(labels.dtype), labels)


def _smoothed(images: Tensor) -> Tensor:
    """Binomial 3 × 3 filter, so that what is finer than the pixels of a far view does not flicker."""
    weights = torch.tensor([1.0, 2.0, 1.0], device=images.device) / 4
    kernel = (weights[:, None] * weights).expand(images.shape[1], 1, 3, 3)
    return F.conv2d(F.pad(images, [1, 1, 1, 1], mode="reflect"), kernel, groups=images.shape[1])


def _filtered(images: Tensor, rng: torch.Generator) -> Tensor:
    """Mixed with a random convolution of itself over 1, 3 or 5 px that keeps mean and deviation of each channel."""
    count, channels = images.shape[:2]
    kernels = torch.randn(count, channels, channels, _KERNEL, _KERNEL, generator=rng, device=rng.device)
    radius = torch.randint(0, _KERNEL // 2 + 1, (count,), generator=rng, device=rng.device)
    offset = (torch.arange(_KERNEL, device=rng.device) - _KERNEL // 2).abs()
    kernels = kernels * (torch.maximum(offset[:, None], offset) <= radius[:, None, None])[:, None, None]
    padded = F.pad(images, [_KERNEL // 2] * 4, mode="reflect").flatten(0, 1)[None]  # one group an image
    other = F.conv2d(padded, kernels.flatten(0, 1), groups=count).reshape(images.shape)
    other = _levelled(other, images)
    share = _uniform(rng, 0, 1, count, 1, 1, 1)
    return torch.where(_some(rng, _FILTERED, count), images + share * (other - images), images).clamp(0, 1)


def _levelled(images: Tensor, like: Tensor) -> Tensor:
    """`images` with the mean and the deviation that each channel of `like` has."""
    spread, mean = torch.std_mean(images, dim=(2, 3), keepdim=True)
    wanted_spread, wanted_mean = torch.std_mean(like, dim=(2, 3), keepdim=True)
    return (images - mean) / (spread + 1e-3) * (wanted_spread + 1e-3) + wanted_mean


def _toned(images: Tensor, rng: torch.Generator) -> Tensor:
    """Other gamma, contrast, brightness and saturation; now and then grey, negative, or with channels exchanged."""
    count = images.shape[0]
    grey = images.mean(dim=1, keepdim=True)
    toned = grey + (images - grey) * _uniform(rng, 0, 1.6, count, 1, 1, 1)
    toned = toned.clamp(0, 1) ** _uniform(rng, -0.6, 0.6, count, 1, 1, 1).exp()
    middle = toned.mean(dim=(1, 2, 3), keepdim=True)
    toned = (toned - middle) * _uniform(rng, -0.4, 0.4, count, 1, 1, 1).exp() + middle
    toned = toned + _uniform(rng, -0.15, 0.15, count, 1, 1, 1)
    toned = torch.where(_some(rng, 0.2, count), 1 - toned, toned)
    order = torch.rand(count, 3, generator=rng, device=rng.device).argsort(dim=1)
    exchanged = toned.gather(1, order[:, :, None, None].expand_as(toned))
    toned = torch.where(_some(rng, 0.3, count), exchanged, toned)
    return torch.where(_some(rng, _TONED, count), toned, images).clamp(0, 1)


def _noisy(images: Tensor, rng: torch.Generator) -> Tensor:
    """A sensor's noise, other for each image."""
    count = images.shape[0]
    noise = torch.randn(images.shape, generator=rng, device=rng.device) * _uniform(rng, 0, 0.04, count, 1, 1, 1)
    return torch.where(_some(rng, _NOISY, count), images + noise, images)
