"""Losses, gradients and three Adam steps equal the reference's, with its float16 cast and without."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from engine.backbone.vision_tower import TwoStreamVision
from engine.detector.prompts import PromptLearner
from engine.detector.scoring import patch_probabilities
from engine.learning.losses import Batch, dice_loss, focal_loss, focal_per_pixel, glocal_loss
from tests.engine.golden import golden_backbone, golden_prompts, load, requires_golden, saved_prompts, tensor

pytestmark = requires_golden

CAST = pytest.mark.parametrize("cast", [True, False], ids=["float16", "float32"])


def named_parameters(learner: PromptLearner) -> dict[str, torch.nn.Parameter]:
    """Our parameters under the reference's names."""
    deep = {f"compound_prompts_text.{i}": row for i, row in enumerate(learner.deep_tokens)}
    return {"ctx_pos": learner.normal_context, "ctx_neg": learner.anomalous_context, **deep}


def assert_gradients(learner: PromptLearner, golden, prefix: str) -> None:
    """Within 1e-4 of the largest entry.

    With the cast, gradients of deep tokens were rounded to float16 on the way; where float32's last bit tips that
    rounding (it depends on the processor's order of additions), a few entries may lie one unit of float16 off.
    """
    for name, parameter in named_parameters(learner).items():
        expected = golden[f"{prefix}{name}"]
        difference = np.abs(parameter.grad.numpy().reshape(expected.shape) - expected)
        off = difference > 1e-4 * np.abs(expected).max()
        if learner.cast_float16 and name.startswith("compound"):
            assert off.mean() < 0.05, name
            off = difference > np.spacing(np.float16(np.abs(expected).max()))
        assert not off.any(), name


@CAST
def test_golden_losses_gradients_and_adam_steps(cast):
    data, golden = load("t8_training"), load("t8_training" if cast else "t8_training_float32")
    layers = [int(layer) for layer in golden["features_list"]]
    backbone = golden_backbone("t8")
    with torch.no_grad():
        vision = TwoStreamVision(backbone.model.visual, int(golden["dpam_layer"]))
        features = vision(tensor(data["images"]), layers)
    masks, labels = tensor(data["masks"]), tensor(data["labels"])
    learner = PromptLearner(backbone, saved_prompts(backbone, "t8"), cast_float16=cast)
    optimizer = torch.optim.Adam(
        learner.parameters(), lr=float(golden["lr"]), betas=tuple(float(b) for b in golden["betas"])
    )
    for step in range(3):
        text = learner()
        similarities = F.normalize(features.global_features, dim=-1) @ text.T
        anomalous = torch.stack([patch_probabilities(features.patch_features[layer], text)[..., 1] for layer in layers])
        loss = glocal_loss(Batch(similarities, anomalous, labels), masks, float(golden["lam"]))
        for ours, name in (
            (loss.image, "image_loss"),
            (loss.focal, "focal"),
            (loss.dice_anomalous, "dice_anomaly"),
            (loss.dice_normal, "dice_normal"),
            (loss.total, "total"),
        ):
            np.testing.assert_allclose(ours.detach().numpy(), golden[f"s{step}_{name}"], rtol=1e-5, err_msg=name)
        optimizer.zero_grad()
        loss.total.backward()
        if step == 0:
            assert_gradients(learner, golden, "grad0:")
        optimizer.step()
        for name, parameter in named_parameters(learner).items():
            expected = golden[f"after{step + 1}:{name}"]
            np.testing.assert_allclose(parameter.detach().numpy().reshape(expected.shape), expected, rtol=0, atol=2e-4)


@CAST
@pytest.mark.parametrize("size", ["small", "large"])
def test_golden_text_features_and_gradients(size, cast):
    golden, backbone = load("t8_text_cast"), golden_backbone("t8")
    prefix = f"{size}_{'float16' if cast else 'float32'}:"
    arrays = {n.split(":")[1]: golden[n] for n in golden.files if n.startswith(f"{size}:")}
    learner = PromptLearner(backbone, golden_prompts(backbone, arrays), cast_float16=cast)
    text = learner()
    expected = golden[f"{prefix}text_features"]
    np.testing.assert_allclose(text.detach().numpy(), expected[0], rtol=0, atol=1e-5)
    (text * tensor(golden["weights"])[0]).sum().backward()
    assert_gradients(learner, golden, f"{prefix}grad:")


def test_golden_focal_and_dice():
    golden = load("losses")
    probs, target = tensor(golden["probs"]), tensor(golden["target"])
    assert focal_loss(probs, target).item() == pytest.approx(float(golden["focal"]), rel=1e-5)
    assert dice_loss(probs[:, 1], target).item() == pytest.approx(float(golden["dice_anomaly"]), rel=1e-5)
    assert dice_loss(probs[:, 0], 1 - target).item() == pytest.approx(float(golden["dice_normal"]), rel=1e-5)


@requires_golden
def test_golden_losses_at_the_edges_and_their_gradients():
    golden = load("losses_edge")
    for case in golden["cases"]:
        target = tensor(golden[f"{case}:target"])
        losses = {
            "focal": lambda probs, target=target: focal_loss(probs, target),
            "dice_anomaly": lambda probs, target=target: dice_loss(probs[:, 1], target),
            "dice_normal": lambda probs, target=target: dice_loss(probs[:, 0], 1 - target),
        }
        per_pixel = focal_per_pixel(tensor(golden[f"{case}:probs"]), target)
        np.testing.assert_allclose(per_pixel.numpy(), golden[f"{case}:focal_per_pixel"], rtol=1e-5, atol=1e-7)
        for name, loss_of in losses.items():
            probs = tensor(golden[f"{case}:probs"]).requires_grad_()
            loss = loss_of(probs)
            np.testing.assert_allclose(loss.item(), golden[f"{case}:{name}"], rtol=1e-5, atol=1e-7, err_msg=case)
            loss.backward()
            expected = golden[f"{case}:grad_{name}"]
            assert np.abs(probs.grad.numpy() - expected).max() <= 1e-4 * max(np.abs(expected).max(), 1e-7), (case, name)
