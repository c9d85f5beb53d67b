import numpy as np
import pytest
import torch
from PIL import Image

from engine.backbone.clip import Backbone
from engine.backbone.loading import load_backbone
from engine.features.image_features import ImageFeatures
from engine.learning.tuning_loop import Example
from engine.serving.engine import Engine
from tests.tiny_backbone import write_tiny_backbone


@pytest.fixture(scope="session")
def tiny_spec(tmp_path_factory) -> str:
    return write_tiny_backbone(tmp_path_factory.mktemp("backbone"))


@pytest.fixture(scope="session")
def backbone(tiny_spec) -> Backbone:
    return load_backbone(tiny_spec, "cpu")


@pytest.fixture
def engine(backbone, tmp_path) -> Engine:
    return Engine(backbone, cache_folder=tmp_path / "features")


def picture(seed: int, width: int = 90, height: int = 70) -> Image.Image:
    """A noisy RGB image."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def separable_examples(engine: Engine, count: int, *, anomalous: int) -> list[Example]:
    """Examples whose anomalous patches lie in one direction of the joint space, so that prompts can find them.

    The first `anomalous` of them have a square of anomalous patches.
    """
    generator = torch.Generator().manual_seed(5)
    info = engine.info
    grid = engine.image_size // info.patch_size
    direction = torch.nn.functional.normalize(torch.randn(info.embed_dim, generator=generator), dim=0)
    examples = []
    for number in range(count):
        mask = torch.zeros(grid, grid)
        if number < anomalous:
            row, column = number % (grid - 2), (3 * number) % (grid - 2)
            mask[row : row + 2, column : column + 2] = 1
        patches = torch.randn(len(info.layers), grid * grid, info.embed_dim, generator=generator)
        patches = torch.nn.functional.normalize(patches, dim=-1) + 1.5 * mask.flatten()[None, :, None] * direction
        whole = torch.randn(info.embed_dim, generator=generator) * 0.1 + bool(number < anomalous) * direction
        features = ImageFeatures(
            torch.nn.functional.normalize(whole, dim=-1).half(), torch.nn.functional.normalize(patches, dim=-1).half()
        )
        full = mask.repeat_interleave(info.patch_size, 0).repeat_interleave(info.patch_size, 1)
        examples.append(Example(features, full.to(torch.uint8)))
    return examples
