"""What a detector says: of prompts alone what it always was, and whatever its parts, in the image's own shape."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.detector.detector import Detector, score_by_texts
from engine.detector.heads import Heads
from engine.detector.prompts import encode_prompts, random_prompts
from engine.detector.scoring import TEMPERATURE, anomaly_maps, probabilities
from engine.images.shapes import LONGEST, NEARLY_SQUARE
from engine.serving.engine import Engine
from tests.engine.conftest import picture
from tests.engine.detector.making import random_detector

SHAPES = [(90, 70), (200, 60), (60, 200), (900, 64), (64, 64)]  # width, height


@pytest.fixture
def plain(engine) -> Detector:
    return engine.detector_of(random_prompts(engine.backbone, 1))


@pytest.fixture
def full(engine) -> Detector:
    return random_detector(engine)


def test_prompts_alone_say_what_the_paper_says(engine, plain):
    """½(1 − S_n) + ½S_a, mean over layers, upsampled and filtered; the score is that of the global feature."""
    features = engine.encode([picture(1)])[0]
    text = encode_prompts(engine.backbone, plain.prompts)
    layers = probabilities(features.patch_features[:, None].float(), text)
    expected = anomaly_maps(layers, engine.image_size)[0] / len(layers)

    found = plain.score([features])[0]

    assert found.score == pytest.approx(float(probabilities(features.global_feature.float(), text)[1]), abs=1e-6)
    np.testing.assert_allclose(found.anomaly_map, expected.numpy(), atol=1e-6)


def test_with_the_references_choices_maps_are_sums_and_images_are_squashed(backbone):
    engine = Engine(backbone, reference=True)
    detector = engine.detector_of(random_prompts(backbone, 1))
    features = engine.encode([picture(1, width=300)])[0]
    layers = probabilities(features.patch_features[:, None], detector.text_features)
    found = detector.score([features])[0].anomaly_map
    assert found.shape == (64, 64)
    np.testing.assert_allclose(found, anomaly_maps(layers, 64)[0].numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", ["plain", "full"])
def test_maps_have_the_proportions_of_their_images(request, engine, kind):
    detector = request.getfixturevalue(kind)
    images = [picture(seed, *shape) for seed, shape in enumerate(SHAPES)]
    for image, one in zip(images, engine.score_images(images, detector), strict=True):
        height, width = one.anomaly_map.shape
        ratio = image.width / image.height
        nearly_square = max(ratio, 1 / ratio) <= NEARLY_SQUARE
        proportions = 1.0 if nearly_square and kind == "plain" else np.clip(ratio, 1 / LONGEST, LONGEST)
        assert width / height == pytest.approx(proportions, rel=0.25)
        assert 0 <= one.anomaly_map.min() <= one.anomaly_map.max() <= 1
        assert 0 <= one.score <= 1


@pytest.mark.parametrize("kind", ["plain", "full"])
def test_images_of_mixed_shapes_together_are_scored_as_one_by_one(request, engine, kind):
    detector = request.getfixturevalue(kind)
    images = [picture(seed, *SHAPES[seed % len(SHAPES)]) for seed in range(7)]
    together = engine.score(engine.encode(images, surface=True), detector)
    for image, found in zip(images, together, strict=True):
        alone = engine.score(engine.encode([image], surface=True), detector)[0]
        assert found.score == pytest.approx(alone.score, abs=2e-3)  # features are kept in float16
        np.testing.assert_allclose(found.anomaly_map, alone.anomaly_map, atol=5e-3)


def test_a_defect_is_found_where_it_is_in_a_long_image(engine):
    """Rows and columns don't get mixed up: the map rises where the patches are anomalous."""
    text = torch.nn.functional.normalize(torch.randn(2, 32, generator=torch.Generator().manual_seed(0)), dim=-1)
    features = engine.encode([picture(1, width=240, height=80)])[0]
    grid = features.grid
    assert grid.columns > 2 * grid.rows
    patches = text[0].repeat(3, grid.cells, 1)
    patches[:, 1 * grid.columns + 9] = text[1]
    found = score_by_texts([replace(features, patch_features=patches)], text, 8)[0].anomaly_map
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert (row // 8, column // 8) == (1, 9)


def test_a_head_of_zeros_says_what_the_prompts_say(engine, plain):
    layers, width = len(engine.info.layers), engine.info.embed_dim
    zeros = Heads(torch.zeros(layers, width), torch.zeros(layers), torch.zeros(width), torch.zeros(()))
    features = engine.encode([picture(2)])
    expected, found = plain.score(features)[0], replace(plain, heads=zeros).score(features)[0]
    assert found.score == pytest.approx(expected.score, abs=1e-5)
    np.testing.assert_allclose(found.anomaly_map, expected.anomaly_map, atol=1e-5)


def test_a_heads_bias_moves_the_logit_of_its_layer(engine, plain):
    layers, width = len(engine.info.layers), engine.info.embed_dim
    bias = Heads(torch.zeros(layers, width), torch.tensor([40.0, 0, 0]), torch.zeros(width), torch.tensor(-1.0))
    features = engine.encode([picture(2)])[0]
    logit = float(features.global_feature.float() @ (plain.text_features[1] - plain.text_features[0]) / TEMPERATURE)
    found = replace(plain, heads=bias).score([features])[0]
    assert found.score == pytest.approx(1 / (1 + np.exp(1 - logit)), abs=1e-4)
    assert found.anomaly_map.min() > plain.score([features])[0].anomaly_map.min() + 0.05  # a third of it is 1


def test_a_refiner_has_a_map_of_the_surface_and_takes_its_share(engine, plain, full):
    features = engine.encode([picture(3, width=300, height=100)], surface=True)
    surface = features[0].surface
    assert surface is not None and surface.pixels.shape[1] > surface.pixels.shape[0]
    nothing = replace(plain, refiner=replace(full.refiner, share=0.0))
    refined = replace(plain, refiner=full.refiner).score(features)[0]
    untouched = nothing.score(features)[0]
    assert refined.anomaly_map.shape == untouched.anomaly_map.shape == tuple(surface.pixels.shape[:2])
    assert np.abs(refined.anomaly_map - untouched.anomaly_map).max() > 0.05
    assert refined.score == plain.score(features)[0].score  # the map alone is refined
    middle = untouched.anomaly_map.mean()
    assert middle == pytest.approx(plain.score(features)[0].anomaly_map.mean(), abs=0.01)


def test_the_shift_moves_the_scores_logit_alone(engine, plain):
    features = engine.encode([picture(4)])
    before, after = plain.score(features)[0], replace(plain, shift=1.5).score(features)[0]
    assert after.score / (1 - after.score) == pytest.approx(np.exp(1.5) * before.score / (1 - before.score), rel=1e-4)
    np.testing.assert_array_equal(after.anomaly_map, before.anomaly_map)


def test_without_their_surface_a_refiner_refuses_features(engine, full):
    with pytest.raises(ValueError, match="encode with surface=True"):
        full.score(engine.encode([picture(5)]))


def test_prompts_alone_are_left_when_all_else_is_taken_away(engine, full):
    alone = full.prompts_alone()
    assert alone.parts == ("prompts",) and not alone.sees_surface and alone.said == {} and alone.shift == 0
    features = engine.encode([picture(6)])
    assert alone.score(features)[0].score == engine.detector_of(full.prompts).score(features)[0].score
