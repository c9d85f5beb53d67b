"""Reduced precision: who gets it, what stays float32, and how little it changes scores and maps."""

import logging

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import spearmanr

from engine.backbone.loading import load_backbone
from engine.backbone.precision import resolve_precision
from engine.detector.prompt_files import shipped_prompts
from engine.errors import BackboneError
from engine.serving.engine import Engine


@pytest.mark.parametrize(
    ("features", "expected"),
    [({"avx2"}, "fp32"), ({"avx2", "avx512_bf16"}, "bf16"), ({"amx_tile", "amx_bf16"}, "bf16")],
)
def test_auto_is_bf16_on_a_cpu_that_multiplies_in_it(monkeypatch, features, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(features, True))
    assert resolve_precision("auto", "cpu") == expected


@pytest.mark.parametrize(("capability", "expected"), [((6, 1), "fp32"), ((7, 5), "fp16"), ((8, 0), "bf16")])
def test_auto_on_a_gpu_is_what_its_tensor_cores_know(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert resolve_precision("auto", "cuda:0") == expected


def test_a_precision_that_the_device_emulates_is_taken_and_logged(monkeypatch, caplog):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    with caplog.at_level(logging.WARNING):
        assert resolve_precision("bf16", "cpu") == "bf16"
    assert "ANOMALYLOOP_PRECISION=bf16: cpu has no instructions for it" in caplog.text


def test_a_precision_that_is_none_is_refused():
    with pytest.raises(BackboneError, match="ANOMALYLOOP_PRECISION='int8' is none of: auto, fp32, bf16, fp16"):
        resolve_precision("int8", "cpu")


def test_the_reference_refuses_a_reduced_precision(tiny_spec):
    with pytest.raises(BackboneError, match="The reference computes in float32"):
        Engine(load_backbone(tiny_spec, "cpu", "bf16"), reference=True)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_prompts_fit_every_precision_and_cached_features_only_their_own(tiny_spec, backbone, precision):
    reduced = load_backbone(tiny_spec, "cpu", precision)
    assert reduced.info.fingerprint == backbone.info.fingerprint
    assert Engine(reduced).features_key != Engine(backbone).features_key


def test_only_the_matrices_of_the_blocks_are_reduced(tiny_spec):
    model = load_backbone(tiny_spec, "cpu", "bf16").model
    reduced = {name for name, tensor in model.named_parameters() if tensor.dtype == torch.bfloat16}
    assert reduced == {
        name
        for name, _ in model.named_parameters()
        if name.startswith("visual.") and (".attn." in name or ".mlp." in name)
    }


def blots(seed: int) -> Image.Image:
    """A picture whose grain, colours and contrast go by its seed."""
    random = np.random.default_rng(seed)
    cells = int(2 ** random.uniform(1, 7))
    noise = random.normal(random.uniform(30, 225, 3), random.uniform(5, 80), (cells, cells, 3)).clip(0, 255)
    return Image.fromarray(noise.astype(np.uint8)).resize((160, 160), Image.Resampling.BICUBIC)


def test_bf16_keeps_maps_within_a_hundredth_and_the_order_of_scores():
    scored = []
    for precision in ("fp32", "bf16"):
        engine = Engine(load_backbone("embedded", "cpu", precision), image_size=128)
        detector = engine.detector_of(shipped_prompts(engine.backbone))
        scored.append(engine.score(engine.encode([blots(seed) for seed in range(40)]), detector))
    full, reduced = (np.stack([one.anomaly_map for one in side]) for side in scored)
    difference = np.abs(full - reduced)
    scores, reduced_scores = ([one.score for one in side] for side in scored)
    assert 0 < difference.mean() <= 0.01
    assert difference.max() <= 0.05
    assert spearmanr(scores, reduced_scores).statistic >= 0.999
