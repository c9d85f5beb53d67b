"""The plain baseline does what the reference does: otherwise being faster than it would mean nothing."""

import pytest

from benchmarks.plain_tuning import PlainTuner
from tests.engine.golden import golden_backbone, load, requires_golden, saved_prompts, tensor


@requires_golden
def test_golden_losses_of_the_plain_baseline():
    data, golden = load("t8_training"), load("t8_training_float32")
    layers = tuple(int(layer) for layer in golden["features_list"])
    backbone = golden_backbone("t8", layers=layers, dpam_layer=int(golden["dpam_layer"]))
    tuner = PlainTuner(backbone, saved_prompts(backbone, "t8"), float(golden["lr"]))
    for step in range(3):
        loss = tuner.step(tensor(data["images"]), tensor(data["masks"]))
        assert loss == pytest.approx(float(golden[f"s{step}_total"]), rel=1e-5)
