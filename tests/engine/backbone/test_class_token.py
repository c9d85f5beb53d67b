"""The class token: straight, as the reference takes it, or normed, as CLIP was trained; a version's file says which."""

import json
from dataclasses import replace

import pytest
import safetensors.torch
import torch
from torch.nn import functional as F

from engine.backbone.loading import load_backbone
from engine.detector.detector import Detector
from engine.detector.files import detector_to_bytes, read_detector
from engine.detector.prompt_files import prompts_from_bytes, prompts_to_bytes
from engine.detector.prompts import random_prompts
from engine.detector.scoring import probabilities
from engine.errors import PromptError
from engine.exports.onnx_file import TOLERANCE, export_onnx
from engine.features.image_features import FeatureCache, ImageFeatures
from engine.learning.corrections import Correction, seen_by
from engine.learning.prompt_tuning import Tuner
from engine.learning.tuning_loop import Example, TuningConfig
from engine.serving.engine import Engine
from tests.pictures import picture


@pytest.fixture(scope="module")
def engine(tiny_spec) -> Engine:
    return Engine(load_backbone(tiny_spec, "cpu"))


@pytest.fixture(scope="module")
def prompts(engine):
    return replace(random_prompts(engine.backbone, 3), class_token="normed")


@pytest.fixture(scope="module")
def features(engine) -> ImageFeatures:
    return engine.encode([picture(1, width=64, height=64)], surface=True)[0]


def test_the_normed_token_is_what_clip_itself_gives(backbone):
    side = backbone.model.visual.image_size[0]
    images = torch.randn(2, 3, side, side)
    found = backbone.vision(images, [1]).normed_features
    torch.testing.assert_close(found, backbone.model.encode_image(images), rtol=1e-4, atol=1e-5)


def test_a_detector_compares_with_the_token_that_its_prompts_were_tuned_for(engine, prompts, features):
    assert not torch.equal(features.normed_feature, features.global_feature)
    for kind, seen in (("straight", features.global_feature), ("normed", features.normed_feature)):
        detector = Detector.of_prompts(engine.backbone, replace(prompts, class_token=kind))
        expected = float(probabilities(seen.float(), detector.text_features)[1])
        assert detector.score([features])[0].score == pytest.approx(expected, abs=1e-6)


def test_learning_sees_the_token_that_scoring_sees(engine, prompts, features):
    root = Detector.of_prompts(engine.backbone, prompts)
    [seen] = seen_by(root, [Correction("a", features, 0, None)])
    assert torch.equal(seen.features.global_feature, features.normed_feature)
    tuner = Tuner(engine.backbone, prompts, [Example(features, torch.zeros(64, 64))], TuningConfig())
    assert torch.equal(tuner.examples[0].features.global_feature, features.normed_feature)
    assert tuner.prompts("").class_token == "normed"


def test_the_cache_keeps_both(features, tmp_path):
    cache = FeatureCache(tmp_path, "key", 1 << 30)
    cache.put("0" * 64, features)
    found = cache.get("0" * 64)
    assert torch.equal(found.normed_feature, features.normed_feature)
    assert torch.equal(found.global_feature, features.global_feature)


def test_a_version_says_which_and_keeps_it_through_its_file(engine, prompts):
    detector = Detector.of_prompts(engine.backbone, prompts)
    assert read_detector(detector_to_bytes(detector), engine.backbone).prompts.class_token == "normed"


def test_a_file_that_does_not_say_is_the_references_and_an_unknown_kind_is_refused(prompts):
    data = prompts_to_bytes(prompts)
    tensors = safetensors.torch.load(data)
    facts = json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["prompts"])
    assert facts.pop("class_token") == "normed"
    older = safetensors.torch.save(tensors, {"prompts": json.dumps(facts)})
    assert prompts_from_bytes(older).class_token == "straight"
    newer = safetensors.torch.save(tensors, {"prompts": json.dumps({**facts, "class_token": "twice"})})
    with pytest.raises(PromptError, match=r"'twice', which this version doesn't know\. Update"):
        prompts_from_bytes(newer)


def test_an_exported_model_has_the_token_of_its_prompts(engine, prompts, tmp_path):
    detector = Detector.of_prompts(engine.backbone, prompts)
    assert export_onnx(engine, detector, tmp_path / "model.onnx", size=(64, 64)) <= TOLERANCE


def test_mean_and_interpolation_of_the_model_reach_its_images(tiny_spec):
    from engine.images.preprocessing import Preprocessing

    usual, other = load_backbone(tiny_spec, "cpu"), load_backbone(tiny_spec, "cpu")
    other.preprocessing = Preprocessing((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "bilinear")
    image = picture(2, width=130, height=130)
    one, two = (Engine(each).prepare(image).pixels for each in (usual, other))
    assert (one != two).any()
    batch = Engine(other).normalise([two])
    torch.testing.assert_close(batch, torch.from_numpy(two.copy()).permute(2, 0, 1)[None] / 127.5 - 1)
    assert F.mse_loss(batch, Engine(usual).normalise([two])) > 0.01
