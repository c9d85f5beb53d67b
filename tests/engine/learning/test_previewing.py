"""A preview: what the newest corrections make of an image, learnt in a moment from defects that are marked."""

import numpy as np
import pytest
import torch
from PIL import Image

from engine.backbone.loading import load_backbone
from engine.detector.prompt_files import shipped_prompts
from engine.features.image_features import surface_of
from engine.images.preprocessing import mask_shares
from engine.learning.corrections import Correction
from engine.learning.previewing import balanced, preview_detector
from engine.serving.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(load_backbone("embedded", "cpu"))


def part(seed: int, *, scratched: bool) -> tuple[Image.Image, np.ndarray]:
    """A noisy grey part of 128 px, and where its bright scratch lies."""
    random = np.random.default_rng(seed)
    pixels = random.normal(110, 12, (128, 128))
    mask = np.zeros((128, 128), np.uint8)
    if scratched:
        row, left = int(random.integers(20, 100)), int(random.integers(10, 50))
        mask[row : row + 5, left : left + 60] = 1
    pixels[mask == 1] += 90
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).convert("RGB"), mask


def corrected(engine: Engine, seed: int, *, label: int, marked: bool = True) -> Correction:
    picture, mask = part(seed, scratched=bool(label))
    features = engine.encode([picture], surface=True)[0]
    size = surface_of(features).pixels.shape[:2]
    shares = torch.from_numpy(np.asarray(mask_shares(mask, size))) if label else torch.zeros(*size)
    return Correction(f"{seed}-{label}", features, label, shares if marked else None, f"{seed}-{label}.png")


def test_a_defect_that_was_marked_is_found_on_the_next_image(engine: Engine) -> None:
    root = engine.detector_of(shipped_prompts(engine.backbone))
    corrections = [corrected(engine, seed, label=seed % 2) for seed in range(6)]
    detector = preview_detector(engine, root, corrections)
    assert detector is not None and "refiner" in detector.parts and not detector.said

    unseen = corrected(engine, 101, label=1)
    assert unseen.marked is not None
    marked = unseen.marked.numpy() > 0.5
    found = detector.score([unseen.features])[0].anomaly_map
    assert found[marked].mean() > 0.5 > 0.3 > found[~marked].mean()


def test_the_same_corrections_give_the_same_preview(engine: Engine) -> None:
    root = engine.detector_of(shipped_prompts(engine.backbone))
    corrections = [corrected(engine, seed, label=seed % 2) for seed in range(4)]
    first, second = (preview_detector(engine, root, corrections) for _ in range(2))
    assert first is not None and second is not None
    maps = [one.score([corrections[0].features])[0].anomaly_map for one in (first, second)]
    np.testing.assert_array_equal(*maps)


@pytest.mark.parametrize("labels", [[], [0, 0], [1]], ids=["none", "normal ones", "one that nobody marked"])
def test_without_a_marked_defect_there_is_none(engine: Engine, labels: list[int]) -> None:
    root = engine.detector_of(shipped_prompts(engine.backbone))
    corrections = [corrected(engine, seed, label=label, marked=not label) for seed, label in enumerate(labels)]
    assert preview_detector(engine, root, corrections) is None


def test_of_many_corrections_the_newest_of_both_labels_are_taken(engine: Engine) -> None:
    one = corrected(engine, 1, label=1)
    many = [Correction(str(number), one.features, int(number % 5 == 0), one.marked) for number in range(60)]
    taken = balanced(many, most=24)
    assert len(taken) == 24 and sum(each.label for each in taken) == 12
    assert [each.key for each in taken if not each.label] == [str(n) for n in range(15) if n % 5][:12]
    few = balanced([*many[1:5], *many[6:40]], most=10)
    assert len(few) == 10
