"""The ONNX model gives torch's scores and maps with all parts of a detector, for any number of images, and says what
it is."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

from engine.detector.detector import Detector
from engine.detector.maps import resize_map
from engine.detector.prompts import random_prompts
from engine.exports import onnx_file
from engine.exports.graph import resizing
from engine.exports.onnx_file import ExportError, export_onnx
from engine.images.preprocessing import MEAN, preprocess, to_pixels
from engine.serving.engine import Engine
from tests.engine.calling import call
from tests.engine.conftest import picture
from tests.engine.detector.making import random_detector


@dataclass(frozen=True)
class Exported:
    """What was exported, and for images of which width and height."""

    engine: Engine
    detector: Detector
    size: tuple[int, int]
    file: Path

    def run(self, images: list[Image.Image]) -> tuple[np.ndarray, np.ndarray]:
        """As a program without torch would, by what the metadata say."""
        facts = self.facts
        inputs = {"image": preprocess(images, (int(facts["image_height"]), int(facts["image_width"]))).numpy()}
        if "surface_height" in facts:
            size = int(facts["surface_height"]), int(facts["surface_width"])
            inputs["surface"] = np.stack([to_pixels(one, size) for one in images]).transpose(0, 3, 1, 2) / np.float32(
                255
            )
        session = onnxruntime.InferenceSession(self.file, providers=["CPUExecutionProvider"])
        return tuple(session.run(["score", "map"], inputs))

    @property
    def facts(self) -> dict[str, str]:
        return {one.key: one.value for one in onnx.load(self.file).metadata_props}


KINDS = {
    "prompts": (1, 1),
    "the reference's": (1, 1),
    "heads, standing": (100, 250),
    "all parts, lying": (240, 80),
}


@pytest.fixture(scope="module", params=KINDS)
def exported(request, backbone, tmp_path_factory) -> Exported:
    engine, size = Engine(backbone, reference=request.param == "the reference's"), KINDS[request.param]
    detector = random_detector(engine, seed=5)
    if not request.param.startswith("all parts"):
        heads = detector.heads if request.param.startswith("heads") else None
        detector = replace(detector.prompts_alone(), heads=heads)
    file = tmp_path_factory.mktemp("onnx") / "model.onnx"
    assert export_onnx(engine, detector, file, size) <= 1e-4
    assert [path.name for path in file.parent.iterdir()] == ["model.onnx"]
    return Exported(engine, detector, size, file)


@pytest.mark.parametrize("count", [1, 4])
def test_images_in_scores_and_maps_out_as_the_engine_gives_them(exported, count):
    width, height = (max(64, side) for side in exported.size)
    images = [picture(seed, width, height) for seed in range(count)]
    scores, maps = exported.run(images)
    expected = exported.engine.score_images(images, exported.detector)
    assert maps.shape == (count, *expected[0].anomaly_map.shape)
    assert maps.shape[1:] == (int(exported.facts["map_height"]), int(exported.facts["map_width"]))
    # The engine keeps features in float16, unless it is the reference's.
    tolerance = 1e-4 if exported.engine.reference else 1e-3 if exported.detector.refiner is None else 1e-2
    np.testing.assert_allclose(scores, [one.score for one in expected], atol=tolerance)
    np.testing.assert_allclose(maps, [one.anomaly_map for one in expected], atol=tolerance)


def test_the_metadata_say_whose_it_is_and_how_to_preprocess(exported):
    facts, engine = exported.facts, exported.engine
    assert facts["backbone_fingerprint"] == engine.info.fingerprint
    assert json.loads(facts["mean"]) == list(MEAN) and json.loads(facts["parts"]) == list(exported.detector.parts)
    assert (int(facts["image_height"]), int(facts["image_width"])) == engine.grid_for(*exported.size).times(8)
    assert ("image_size" in facts) == (facts["image_height"] == facts["image_width"])
    assert len(facts["prompts_sha256"]) == len(facts["detector_sha256"]) == 64
    assert facts["prompts_note"] == "random, seed 5"
    assert ("sum over layers" in facts["map"]) == engine.reference
    assert ("surface_preprocessing" in facts) == (exported.detector.refiner is not None)


@pytest.mark.parametrize(("length", "wanted"), [(64, 64), (64, 256), (256, 64), (518, 224), (96, 100)])
def test_a_map_is_brought_to_another_size_by_matrices_as_elsewhere(length, wanted):
    anomaly_map = np.random.default_rng(0).random((length, 40), dtype=np.float32)
    matrices = resizing(length, wanted), resizing(40, 30)
    np.testing.assert_allclose(
        matrices[0] @ anomaly_map @ matrices[1].T, resize_map(anomaly_map, wanted, 30), atol=1e-5
    )


def test_the_command_takes_the_size_of_the_images(tiny_spec, tmp_path):
    answer = call(tiny_spec, "export", "--out", tmp_path / "model.onnx", "--size", "300x100")
    assert answer.returncode == 0, answer.stderr
    assert "image (B, 3, 40, 120) to score (B,) and map (B, 40, 120)" in answer.stdout
    for words in ("wide", "300", "0x5"):
        answer = call(tiny_spec, "export", "--out", tmp_path / "other.onnx", "--size", words)
        assert answer.returncode == 2 and "such as 1920x1080" in answer.stderr
    assert not (tmp_path / "other.onnx").exists()


def test_a_model_that_differs_from_torch_is_not_put_in_place(backbone, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "TOLERANCE", 1e-9)
    with pytest.raises(ExportError, match="differs from torch by"):
        export_onnx(*plain(backbone), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_tower_that_no_file_can_hold_is_refused(backbone, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "_LARGEST", 1000)
    with pytest.raises(ExportError, match="an ONNX file can hold"):
        export_onnx(*plain(backbone), tmp_path / "model.onnx")


def plain(backbone) -> tuple[Engine, Detector]:
    engine = Engine(backbone)
    return engine, engine.detector_of(random_prompts(backbone, seed=5))
