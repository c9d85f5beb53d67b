"""Drawn corrections: noisy parts on which a bright mark lies, or none; and features that need no image."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from engine.backbone.texture import CHANNELS
from engine.features.image_features import ImageFeatures, Surface, surface_of
from engine.images.preprocessing import mask_shares
from engine.learning.corrections import Correction
from engine.serving.engine import Engine


def drawn(seed: int, *, marked: bool, width: int = 96, height: int = 96) -> tuple[Image.Image, np.ndarray]:
    """A noisy grey part, and a mask of the bright bar on it."""
    random = np.random.default_rng(seed)
    pixels = random.normal(110, 12, (height, width))
    mask = np.zeros((height, width), np.uint8)
    if marked:
        row, left = int(random.integers(8, height - 16)), int(random.integers(8, width // 2))
        mask[row : row + 6, left : left + width // 3] = 1
    pixels[mask == 1] += 90
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert("RGB"), mask


def correction(engine: Engine, seed: int, label: int, *, weak: bool = False, **size: int) -> Correction:
    """A corrected image; `weak`: nobody says where."""
    picture, mask = drawn(seed, marked=bool(label), **size)
    features = engine.encode([picture], surface=True)[0]
    height, width = surface_of(features).pixels.shape[:2]
    return Correction(
        f"{seed}-{label}", features, label, None if weak and label else mask_shares(mask, (height, width))
    )


def corrections(engine: Engine, labels: Sequence[int], *, first_seed: int = 0, weak: bool = False) -> list[Correction]:
    """A corrected image for each label."""
    return [correction(engine, first_seed + seed, label, weak=weak) for seed, label in enumerate(labels)]


def with_textures(one: Correction, textures: Sequence[torch.Tensor]) -> Correction:
    """The same with these textures, as the eye would give them, and pixels that say nothing."""
    height, width = (2 * side for side in textures[0].shape[1:])
    surface = Surface(torch.full((height, width, 3), 128, dtype=torch.uint8), tuple(textures))
    return replace(one, features=replace(one.features, surface=surface))


def random_textures(seed: int) -> tuple[torch.Tensor, ...]:
    """Textures of an image of 32 px."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randn(channels, side, side, generator=generator)
        for channels, side in zip(CHANNELS, (16, 8, 4), strict=True)
    )


def without_surface(seed: int, label: int, name: str = "", *, like: int | None = None) -> Correction:
    """A correction of random features alone; of those of another seed, where it is to be the same picture."""
    generator = torch.Generator().manual_seed(seed if like is None else like)
    whole, patches = torch.randn(16, generator=generator), torch.randn(2, 9, 16, generator=generator)
    features = ImageFeatures(F.normalize(whole, dim=0).half(), F.normalize(patches, dim=-1).half())
    return Correction(f"key {seed}", features, label, None, name or f"{seed}.png")
