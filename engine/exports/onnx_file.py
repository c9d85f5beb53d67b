"""An ONNX model of image → score and map, with a detector in it; it must agree with torch before it is put in place."""

import hashlib
import json
import logging
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.detector.detector import Detector, Scored
from engine.detector.files import detector_to_bytes
from engine.detector.prompt_files import prompts_to_bytes
from engine.errors import EngineError
from engine.exports.graph import ScoringGraph
from engine.features.image_features import Surface, split_units, unit_features
from engine.files.whole import write_whole
from engine.images.shapes import Grid
from engine.serving.engine import Engine, Prepared

Arrays = dict[str, npt.NDArray[np.float32]]
TOLERANCE = 1e-4
# An ONNX file is one protobuf message, and those end at 2 GiB.
_LARGEST = 2**31 - 2**24
_RESIZED = "by {} interpolation with antialiasing (PIL)"


class ExportError(EngineError):
    """The model can't be exported, or what was exported computes something else."""


def export_onnx(engine: Engine, detector: Detector, file: Path, size: tuple[int, int] = (1, 1)) -> float:
    """Write the model, whole or not at all.

    Args:
        engine: backbone, on the CPU, and resolution.
        detector: all its parts become constants of the graph.
        file: where; `image` (B, 3, h, w) goes in, and where the detector has a refiner `surface` (B, 3, 2H, 2W) too;
            `score` (B,) and `map` come out, for any B. Its metadata say what they mean and how to preprocess.
        size: width and height of the images that it is for; only their proportions count.

    Returns:
        the largest difference from torch that was found, in scores and maps.

    Raises:
        ExportError: the model is too large for a file, or differs from torch by more than `TOLERANCE`.
        OSError: the file can't be written.
    """
    weights = sum(weight.numel() * 4 for weight in engine.backbone.model.visual.parameters())
    if weights > _LARGEST:
        raise ExportError(
            f"The vision tower of {engine.info.name} has {weights / 1e9:.1f} GB, and an ONNX file can hold 2.1 GB. "
            "Choose a smaller backbone, such as ViT-L-14-336-quickgelu/openai."
        )
    graph = ScoringGraph(engine, detector, engine.grid_for(*size), engine.surface_for(*size)).eval()
    drawn = [engine.prepare(_drawn(seed, size), surface=detector.sees_surface) for seed in range(3)]
    # First torch's own answer: what is made once and kept, such as the filters' kernels, must be real numbers.
    expected = _expected(engine, detector, drawn)
    data = _with_metadata(_exported(graph, _inputs(engine, drawn)), _metadata(engine, detector, drawn[0], expected[0]))
    difference = _difference(data, _inputs(engine, drawn), expected)
    if not difference <= TOLERANCE:
        raise ExportError(
            f"The exported model differs from torch by {difference:.1e} in scores or maps, and {TOLERANCE:.0e} is the "
            f"most that is accepted, so {file} is not written. Please report it with the backbone's name."
        )
    write_whole(file, data)
    return difference


def _inputs(engine: Engine, prepared: list[Prepared]) -> Arrays:
    """What the model takes, for images brought to size."""
    inputs = {"image": engine.normalise([one.pixels for one in prepared]).cpu().numpy()}
    surfaces = [one.surface for one in prepared if one.surface is not None]
    if surfaces:
        inputs["surface"] = np.stack(surfaces).transpose(0, 3, 1, 2).astype(np.float32) / 255
    return inputs


@torch.no_grad()
def _exported(graph: ScoringGraph, inputs: Arrays) -> onnx.ModelProto:
    logging.getLogger("torch.onnx").setLevel(logging.WARNING)
    batch = torch.export.Dim("batch")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "# The axis name")  # both inputs have one batch: it is named once
        program = torch.onnx.export(
            graph,
            tuple(torch.from_numpy(one[:2]) for one in inputs.values()),
            input_names=list(inputs),
            output_names=["score", "map"],
            dynamic_shapes=tuple({0: batch} for _ in inputs),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise ExportError("torch gave no ONNX program, which it should with dynamo=True.")
    return program.model_proto


def _metadata(engine: Engine, detector: Detector, prepared: Prepared, scored: Scored) -> dict[str, Any]:
    height, width = prepared.pixels.shape[:2]
    return {
        "backbone": engine.info.name,
        "backbone_fingerprint": engine.info.fingerprint,
        "detector_sha256": hashlib.sha256(detector_to_bytes(detector)).hexdigest(),
        "parts": list(detector.parts),
        "prompts_sha256": hashlib.sha256(prompts_to_bytes(detector.prompts)).hexdigest(),
        "prompts_note": detector.prompts.note,
        "state_word": detector.prompts.state_word,
        **({"image_size": height} if height == width else {}),
        "image_height": height,
        "image_width": width,
        "mean": engine.backbone.preprocessing.mean,
        "std": engine.backbone.preprocessing.std,
        "preprocessing": f"resize straight to {width} x {height} (width x height) "
        f"{_RESIZED.format(engine.backbone.preprocessing.interpolation)}, convert to RGB, "
        "divide by 255, subtract mean, divide by std; channels first, float32",
        **_of_surface(prepared),
        "score": "P(anomalous) of the whole image, 0 to 1"
        if detector.parts == ("prompts",)
        else "how anomalous the whole image is, 0 to 1",
        "map": _what_maps_are(detector),
        "map_height": scored.anomaly_map.shape[0],
        "map_width": scored.anomaly_map.shape[1],
        "map_filter": "none: it is refined pixel by pixel"
        if detector.refiner
        else "Gaussian, sigma 4 px, edges reflected; already applied",
    }


def _of_surface(prepared: Prepared) -> dict[str, Any]:
    if prepared.surface is None:
        return {}
    height, width = prepared.surface.shape[:2]
    return {
        "surface_height": height,
        "surface_width": width,
        "surface_preprocessing": f"the same image: resize straight to {width} x {height} (width x height) "
        f"{_RESIZED.format('bicubic')}, convert to RGB, divide by 255; channels first, float32",
        "rarity": "an image that the detector keeps patches of, to tell what is rare, is compared with itself too",
    }


def _what_maps_are(detector: Detector) -> str:
    if detector.refiner is not None:
        return "for each pixel how anomalous it is, 0 to 1; 0.5 is where an outline belongs"
    mean = "sum" if detector.reference else "mean"
    heads = ", with a learnt direction for each layer" if detector.heads else ""
    scale = "" if detector.reference else ", 0 to 1"
    return f"for each pixel the {mean} over layers of (1 - P(normal) + P(anomalous)) / 2{scale}{heads}"


def _with_metadata(model: onnx.ModelProto, facts: dict[str, Any]) -> bytes:
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()}
    onnx.helper.set_model_props(model, texts)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@torch.inference_mode()
def _expected(engine: Engine, detector: Detector, prepared: list[Prepared]) -> list[Scored]:
    """What the engine says of the images, from features in float32."""
    layers, patch = engine.info.layers, engine.info.patch_size
    images = engine.normalise([one.pixels for one in prepared])
    units = unit_features(engine.backbone.vision(images, layers), layers, torch.float32)
    grid = Grid(images.shape[2] // patch, images.shape[3] // patch)
    features = [
        replace(one, surface=None if two.surface is None else _surface(engine, torch.tensor(two.surface)))
        for one, two in zip(split_units(*units, grid), prepared, strict=True)
    ]
    return engine.score(features, detector)


def _surface(engine: Engine, pixels: Tensor) -> Surface:
    """As `Engine.encode` makes it, with textures in float32."""
    batch = pixels.permute(2, 0, 1)[None].float()
    fine, middle, coarse = (one[0] for one in engine.eye(batch / 255))
    return Surface(F.avg_pool2d(batch, 2)[0].round().to(torch.uint8).permute(1, 2, 0), (fine, middle, coarse))


def _difference(data: bytes, inputs: Arrays, expected: list[Scored]) -> float:
    """The largest difference of scores and maps from the engine's own, one image at a time and batched."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    scores, maps = np.array([one.score for one in expected]), np.stack([one.anomaly_map for one in expected])
    found = [0.0]
    for batch in (slice(0, 3), slice(1, 2)):
        answer: list[npt.NDArray[np.float32]] = session.run(None, {name: one[batch] for name, one in inputs.items()})
        found += [float(np.abs(answer[0] - scores[batch]).max()), float(np.abs(answer[1] - maps[batch]).max())]
    return max(found)


def _drawn(seed: int, size: tuple[int, int]) -> Image.Image:
    """A picture of these proportions with shapes of many sizes: noise of a coarse grid, and of a fine one."""
    random = np.random.default_rng(seed)
    coarse, fine = (Image.fromarray(random.integers(0, 256, (n, n, 3), dtype=np.uint8)) for n in (5, 64))
    square = Image.blend(coarse.resize((256, 256), Image.Resampling.BICUBIC), fine.resize((256, 256)), 0.3)
    shorter = 256 / min(size)
    return square.resize((round(size[0] * shorter), round(size[1] * shorter)))
