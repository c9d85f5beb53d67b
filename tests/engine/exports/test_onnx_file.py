"""The ONNX model gives torch's scores and maps, for any number of images, and says what it is."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest

from engine.exports import onnx_file
from engine.exports.onnx_file import ExportError, export_onnx
from engine.preprocess import MEAN, preprocess
from engine.prompts import random_prompts
from engine.serving import Engine
from tests.engine.conftest import picture


@pytest.fixture(scope="module", params=[False, True], ids=["ours", "reference"])
def exported(request, backbone, tmp_path_factory):
    """The engine, its prompts, and the file."""
    engine, file = Engine(backbone, reference=request.param), tmp_path_factory.mktemp("onnx") / "model.onnx"
    prompts = random_prompts(backbone, seed=5)
    assert export_onnx(engine, prompts, file) <= 1e-4
    assert [path.name for path in file.parent.iterdir()] == ["model.onnx"]
    return engine, prompts, file


@pytest.mark.parametrize("count", [1, 4])
def test_images_in_scores_and_maps_out_as_the_engine_gives_them(exported, count):
    engine, prompts, file = exported
    images = [picture(seed, width=60 + 15 * seed) for seed in range(count)]
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    scores, maps = session.run(["score", "map"], {"image": preprocess(images, engine.image_size).numpy()})
    assert maps.shape == (count, engine.image_size, engine.image_size)
    expected = engine.score(engine.encode(images), engine.detector_of(prompts))
    # The engine keeps features in float16, unless it is the reference's.
    tolerance = 1e-4 if engine.reference else 1e-3
    np.testing.assert_allclose(scores, [one.score for one in expected], atol=tolerance)
    np.testing.assert_allclose(maps, [one.anomaly_map for one in expected], atol=tolerance)


def test_the_metadata_say_whose_it_is_and_how_to_preprocess(exported):
    engine, _, file = exported
    facts = {one.key: one.value for one in onnx.load(file).metadata_props}
    assert facts["backbone_fingerprint"] == engine.info.fingerprint
    assert facts["image_size"] == "64" and json.loads(facts["mean"]) == list(MEAN)
    assert len(facts["prompts_sha256"]) == 64 and facts["prompts_note"] == "random, seed 5"
    assert ("sum over layers" in facts["map"]) == engine.reference


def test_a_model_that_differs_from_torch_is_not_put_in_place(backbone, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "TOLERANCE", 1e-9)
    with pytest.raises(ExportError, match="differs from torch by"):
        export_onnx(Engine(backbone), random_prompts(backbone, seed=5), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_tower_that_no_file_can_hold_is_refused(backbone, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "_LARGEST", 1000)
    with pytest.raises(ExportError, match="an ONNX file can hold"):
        export_onnx(Engine(backbone), random_prompts(backbone, seed=5), tmp_path / "model.onnx")
