"""An ONNX model of image → score and map, with prompts in it; it must agree with torch before it is put in place."""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from PIL import Image

from engine.detector.detector import Detector
from engine.errors import EngineError
from engine.exports.graph import ScoringGraph
from engine.features import split_batch
from engine.files import write_whole
from engine.preprocess import MEAN, STD, preprocess
from engine.prompt_files import prompts_to_bytes
from engine.prompts import Prompts
from engine.serving import Engine

TOLERANCE = 1e-4
# An ONNX file is one protobuf message, and those end at 2 GiB.
_LARGEST = 2**31 - 2**24


class ExportError(EngineError):
    """The model can't be exported, or what was exported computes something else."""


def export_onnx(engine: Engine, prompts: Prompts, file: Path) -> float:
    """Write the model, whole or not at all.

    Args:
        engine: backbone, resolution, and whether maps are the reference's sums.
        prompts: their text features become constants of the graph.
        file: where; `image` (B, 3, s, s) goes in, `score` (B,) and `map` (B, s, s) come out, for any B. Its metadata
            say what they mean and how to preprocess.

    Returns:
        the largest difference from torch that was found, in scores and maps.

    Raises:
        ExportError: the model is too large for a file, or differs from torch by more than `TOLERANCE`.
        OSError: the file can't be written.
    """
    size = sum(weight.numel() * 4 for weight in engine.backbone.model.visual.parameters())
    if size > _LARGEST:
        raise ExportError(
            f"The vision tower of {engine.info.name} has {size / 1e9:.1f} GB, and an ONNX file can hold 2.1 GB. "
            "Choose a smaller backbone, such as ViT-L-14-336-quickgelu/openai."
        )
    detector = engine.detector_of(prompts)
    data = _with_metadata(
        _exported(ScoringGraph(engine, detector.text_features).eval(), engine), _metadata(engine, prompts)
    )
    difference = _difference(data, engine, detector)
    if not difference <= TOLERANCE:
        raise ExportError(
            f"The exported model differs from torch by {difference:.1e} in scores or maps, and {TOLERANCE:.0e} is the "
            f"most that is accepted, so {file} is not written. Please report it with the backbone's name."
        )
    write_whole(file, data)
    return difference


def _exported(graph: ScoringGraph, engine: Engine) -> onnx.ModelProto:
    logging.getLogger("torch.onnx").setLevel(logging.WARNING)
    example = torch.zeros(2, 3, engine.image_size, engine.image_size, device=engine.backbone.device)
    program = torch.onnx.export(
        graph,
        (example,),
        input_names=["image"],
        output_names=["score", "map"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    if program is None:
        raise ExportError("torch gave no ONNX program, which it should with dynamo=True.")
    return program.model_proto


def _metadata(engine: Engine, prompts: Prompts) -> dict[str, Any]:
    return {
        "backbone": engine.info.name,
        "backbone_fingerprint": engine.info.fingerprint,
        "prompts_sha256": hashlib.sha256(prompts_to_bytes(prompts)).hexdigest(),
        "prompts_note": prompts.note,
        "state_word": prompts.state_word,
        "image_size": engine.image_size,
        "mean": MEAN,
        "std": STD,
        "preprocessing": "resize straight to image_size x image_size by bicubic interpolation with antialiasing (PIL), "
        "convert to RGB, divide by 255, subtract mean, divide by std; channels first, float32",
        "score": "P(anomalous) of the whole image, 0 to 1",
        "map": "for each pixel the sum over layers of (1 - P(normal) + P(anomalous)) / 2"
        if engine.reference
        else "for each pixel the mean over layers of (1 - P(normal) + P(anomalous)) / 2, 0 to 1",
        "map_filter": "Gaussian, sigma 4 px, edges reflected; already applied",
    }


def _with_metadata(model: onnx.ModelProto, facts: dict[str, Any]) -> bytes:
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()}
    onnx.helper.set_model_props(model, texts)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _difference(data: bytes, engine: Engine, detector: Detector) -> float:
    """The largest difference of scores and maps from the engine's own, on drawn images, one at a time and batched."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    images = preprocess([_drawn(seed) for seed in range(3)], engine.image_size)
    with torch.inference_mode():
        features = engine.backbone.vision(images.to(engine.backbone.device), engine.info.layers)
    expected = engine.score(split_batch(features, engine.info.layers, torch.float32), detector)
    scores, maps = np.array([one.score for one in expected]), np.stack([one.anomaly_map for one in expected])
    found = [0.0]
    for batch in (slice(0, 3), slice(1, 2)):
        answer: list[npt.NDArray[np.float32]] = session.run(None, {"image": images[batch].numpy()})
        found += [float(np.abs(answer[0] - scores[batch]).max()), float(np.abs(answer[1] - maps[batch]).max())]
    return max(found)


def _drawn(seed: int) -> Image.Image:
    """A picture with shapes of many sizes: noise of a coarse grid, and of a fine one."""
    random = np.random.default_rng(seed)
    coarse, fine = (Image.fromarray(random.integers(0, 256, (n, n, 3), dtype=np.uint8)) for n in (5, 64))
    return Image.blend(coarse.resize((256, 256), Image.Resampling.BICUBIC), fine.resize((256, 256)), 0.3)
