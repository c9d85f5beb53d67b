"""Files of detectors: all parts come back, and what can't be read is said in a sentence."""

import json
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from engine.backbone.loading import load_backbone
from engine.detector.detector import Detector
from engine.detector.files import FORMAT, detector_to_bytes, parts_within, prompts_within, read_detector
from engine.detector.prompt_files import prompts_to_bytes
from engine.detector.prompts import random_prompts
from engine.errors import PromptError
from tests.engine.checkpoints import checkpoint
from tests.engine.conftest import picture
from tests.engine.detector.making import random_detector
from tests.tiny_backbone import write_tiny_backbone


@pytest.fixture
def detector(engine) -> Detector:
    return random_detector(engine)


@pytest.fixture
def data(detector) -> bytes:
    return detector_to_bytes(detector)


def changed(data: bytes, *, facts: dict | None = None, tensors: dict | None = None, without: str = "") -> bytes:
    """The file with other facts and tensors, and without one."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    said = json.loads(header["__metadata__"]["detector"]) | (facts or {})
    kept = {name: one for name, one in safetensors.torch.load(data).items() if name != without} | (tensors or {})
    return safetensors.torch.save(kept, {"detector": json.dumps(said)})


def test_every_part_comes_back_and_scores_alike(engine, detector, data):
    again = read_detector(data, engine.backbone)
    assert again.parts == detector.parts == ("prompts", "heads", "refiner", "image head")
    assert again.shift == detector.shift
    for name in ("directions", "biases", "image_direction", "image_bias"):
        assert torch.equal(getattr(again.heads, name), getattr(detector.heads, name))
    for key, said in detector.said.items():
        assert again.said[key].score == said.score
        np.testing.assert_allclose(again.said[key].anomaly_map, said.anomaly_map, atol=0.02)
    features = engine.encode([picture(1, width=150)], surface=True)
    ours, theirs = (one.score(features)[0] for one in (detector, again))
    assert theirs.score == pytest.approx(ours.score, abs=1e-3)  # the memory is kept in float16
    np.testing.assert_allclose(theirs.anomaly_map, ours.anomaly_map, atol=2e-3)


def test_the_same_detector_gives_the_same_bytes_and_these_come_back_as_they_are(engine, detector, data):
    assert detector_to_bytes(detector) == data
    again = detector_to_bytes(read_detector(data, engine.backbone))
    assert again == detector_to_bytes(read_detector(again, engine.backbone))


@pytest.mark.parametrize("part", ["heads", "refiner", "image_head"])
def test_a_detector_with_a_single_part_besides_prompts_comes_back_with_it_alone(engine, detector, part):
    only = replace(detector.prompts_alone(), **{part: getattr(detector, part)})
    again = read_detector(detector_to_bytes(only), engine.backbone)
    assert again.parts == only.parts == ("prompts", part.replace("_", " "))


def test_a_detector_of_prompts_alone_is_a_prompt_file_as_ever(engine):
    prompts = random_prompts(engine.backbone, 3)
    assert detector_to_bytes(engine.detector_of(prompts)) == prompts_to_bytes(prompts)


@pytest.mark.parametrize("kind", ["ours", "the reference's"])
def test_a_prompt_file_is_a_detector_whose_other_parts_are_empty(engine, kind):
    prompts = random_prompts(engine.backbone, 3)
    file = prompts_to_bytes(prompts) if kind == "ours" else checkpoint(width=32)
    found = read_detector(file, engine.backbone)
    assert found.parts == ("prompts",) and found.said == {} and found.shift == 0
    assert parts_within(file) == ("prompts",) and prompts_within(file) == file
    if kind == "ours":
        assert torch.equal(found.text_features, engine.detector_of(prompts).text_features)


def test_its_prompts_are_found_without_a_backbone(detector, data):
    assert prompts_within(data) == prompts_to_bytes(detector.prompts)
    assert parts_within(data) == detector.parts


def test_a_newer_format_is_refused(engine, data):
    with pytest.raises(PromptError, match=f"format {FORMAT + 1}, and this AnomalyLoop reads format {FORMAT}.*Update"):
        read_detector(changed(data, facts={"format": FORMAT + 1}), engine.backbone)


@pytest.mark.parametrize(
    "name",
    [
        "prompts.file",
        "heads.biases",
        "refiner.layers.3",
        "refiner.normal",
        "refiner.others",
        "image_head.weights",
        "said.000001",
    ],
)
def test_a_missing_part_is_named(engine, data, name):
    with pytest.raises(PromptError, match=f"lacks '{name}'"):
        read_detector(changed(data, without=name), engine.backbone)


@pytest.mark.parametrize("name", ["heads.directions", "refiner.layers.0", "refiner.mean", "image_head.bias"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_refused(engine, data, name, value):
    broken = torch.full_like(safetensors.torch.load(data)[name], value)
    with pytest.raises(PromptError, match="no numbers"):
        read_detector(changed(data, tensors={name: broken}), engine.backbone)


@pytest.mark.parametrize("name", ["shift", "share", "offset"])
def test_facts_that_are_no_numbers_are_refused(engine, data, name):
    with pytest.raises(PromptError, match="no numbers"):
        read_detector(changed(data, facts={name: float("nan")}), engine.backbone)
    with pytest.raises(PromptError, match="damaged"):
        read_detector(changed(data, facts={name: "much"}), engine.backbone)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("heads.biases", "heads"),
        ("heads.image_bias", "heads"),
        ("refiner.layers.2", "refiner"),
        ("refiner.normal", "refiner"),
        ("refiner.patches.components", "refiner"),
        ("refiner.places", "refiner"),
        ("image_head.scale", "image head"),
        ("said.000000", "what was said"),
    ],
)
def test_a_part_of_another_shape_is_named(engine, data, name, part):
    with pytest.raises(PromptError, match=f"damaged.*{part}"):
        tensor = safetensors.torch.load(data)[name]
        read_detector(changed(data, tensors={name: tensor.new_zeros(3, 1, 1)}), engine.backbone)


def test_another_backbones_detector_is_refused(data, tmp_path):
    other = load_backbone(write_tiny_backbone(tmp_path, seed=1, name="other"), "cpu")
    with pytest.raises(PromptError, match="tuned for the backbone tiny"):
        read_detector(data, other)


def test_a_refiner_of_another_texture_eye_is_refused(engine, data):
    with pytest.raises(PromptError, match="texture eye's version 99"):
        read_detector(changed(data, facts={"texture": 99}), engine.backbone)


@pytest.mark.parametrize("kept", [0, 4, 9, 60, 0.5, 0.999])
def test_a_file_that_was_cut_off_is_refused(engine, data, kept):
    count = kept if isinstance(kept, int) else int(kept * len(data))
    with pytest.raises(PromptError, match=r"damaged|empty|not a safetensors file"):
        read_detector(data[:count], engine.backbone)


@pytest.mark.parametrize("facts", ["null", "[]", "1", '{"format": 1}', "{", '"text"'])
def test_facts_of_another_kind_are_refused(engine, data, facts):
    file = safetensors.torch.save(safetensors.torch.load(data), {"detector": facts})
    with pytest.raises(PromptError):
        read_detector(file, engine.backbone)
