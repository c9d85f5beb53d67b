"""Features of noise, of an engine's shape, for what costs the same whatever an image shows."""

from functools import cache

import torch
from torch.nn import functional as F

from engine.backbone.texture import CHANNELS
from engine.features.image_features import ImageFeatures, Surface
from engine.images.shapes import Grid
from engine.serving.engine import Engine


def noise(engine: Engine, seed: int) -> ImageFeatures:
    """Of a square image; all have one surface, which takes longer to draw than the rest."""
    info, grid = engine.info, engine.grid_for(1, 1)
    generator = torch.Generator().manual_seed(seed)
    patches = torch.randn(len(info.layers), grid.cells, info.embed_dim, generator=generator)
    whole = torch.randn(info.embed_dim, generator=generator)
    units = F.normalize(whole, dim=0).half(), F.normalize(patches, dim=-1).half()
    return ImageFeatures(*units, grid, _surface(engine.surface_for(1, 1)))


@cache
def _surface(size: Grid) -> Surface:
    generator = torch.Generator().manual_seed(0)
    fine, middle, coarse = (
        torch.randn(channels, size.rows // stride, size.columns // stride, generator=generator).half()
        for channels, stride in zip(CHANNELS, (2, 4, 8), strict=True)
    )
    return Surface(torch.randint(0, 256, (*size, 3), dtype=torch.uint8, generator=generator), (fine, middle, coarse))
