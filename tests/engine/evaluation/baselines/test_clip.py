"""CLIP and CLIP-AC score as CLIP itself does; their sentences name the class."""

import pytest
import torch

from engine.evaluation.baselines.clip import clip, clip_ac
from engine.evaluation.baselines.texts import CLIP_AC_STATES, CLIP_TEMPLATES, sentences
from engine.features.encoders import plain_features
from engine.images.preprocessing import preprocess
from engine.serving.engine import Engine
from tests.engine.conftest import picture


def test_plain_features_are_clips_own(backbone):
    engine = Engine(backbone, image_size=32, reference=True)
    images = [picture(seed) for seed in range(2)]
    found = plain_features(engine).encode(images)
    with torch.inference_mode():
        expected = torch.nn.functional.normalize(backbone.model.encode_image(preprocess(images, 32)), dim=-1)
    for one, whole in zip(found, expected, strict=True):
        torch.testing.assert_close(one.global_feature, whole, atol=1e-5, rtol=0)
        assert one.patch_features.shape == (1, 16, 32)


def test_the_score_is_clips_zero_shot_classification(backbone):
    engine = Engine(backbone, reference=True)
    method = clip(engine)
    texts = ["a photo of a normal metal nut", "a photo of an anomalous metal nut"]
    with torch.inference_mode():
        text = torch.nn.functional.normalize(backbone.model.encode_text(backbone.tokenizer(texts)), dim=-1)
        features = method.encoder.encode([picture(3)])[0]
        expected = (features.global_feature @ text.T / 0.07).softmax(dim=-1)[1]
    assert method.score(features, "metal_nut").score == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("make", [clip, clip_ac])
def test_another_class_is_scored_by_other_sentences(backbone, make):
    method = make(Engine(backbone))
    features = method.encoder.encode([picture(3)])[0]
    assert method.score(features, "bottle").score != method.score(features, "carpet").score


def test_the_ensemble_has_every_state_in_every_template():
    normal = sentences(CLIP_AC_STATES[0], CLIP_TEMPLATES, "metal_nut")
    assert len(normal) == len(set(normal)) == len(CLIP_AC_STATES[0]) * len(CLIP_TEMPLATES)
    assert "a photo of the flawless metal nut." in normal
