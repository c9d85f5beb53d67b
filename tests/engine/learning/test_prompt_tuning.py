"""Tuning: learns what there is to learn, is pulled to its start, and resumes as if unbroken."""

from dataclasses import replace

import pytest
import torch

from engine.detector.prompts import default_prompts
from engine.learning.prompt_tuning import Tuner
from engine.learning.tuning_loop import Example, TuningConfig
from tests.engine.conftest import picture, separable_examples

FAST = TuningConfig(learning_rate=1e-2, batch_size=4)


@pytest.mark.parametrize("resolution", ["pixels", "patches"])
def test_the_loss_falls_and_the_maps_find_the_anomalies(engine, resolution):
    examples = separable_examples(engine, 8, anomalous=4)
    config = replace(FAST, resolution=resolution)
    tuner = Tuner(engine.backbone, default_prompts(engine.backbone), examples, config)
    first = tuner.run_epoch()["total"]
    for _ in range(30):
        last = tuner.run_epoch()["total"]
    assert last < first
    tuned = engine.detector_of(tuner.prompts("tuned"))
    for example in examples[:4]:
        found = torch.from_numpy(engine.score([example.features], tuned)[0].anomaly_map)
        assert found[example.mask == 1].mean() > found[example.mask == 0].mean() + 0.1


def test_a_stronger_pull_stays_nearer_to_the_start(engine):
    examples = separable_examples(engine, 4, anomalous=2)
    start = default_prompts(engine.backbone)
    distances = []
    for pull in (0.0, 10.0, 1000.0):
        config = TuningConfig(learning_rate=1e-2, pull=pull)
        tuner = Tuner(engine.backbone, start, examples, config)
        before = tuner.text_features()
        for _ in range(10):
            tuner.run_epoch()
        distances.append(float((tuner.text_features() - before).norm()))
    assert distances[0] > distances[1] > distances[2]


def test_a_restored_tuning_goes_on_as_an_unbroken_one(engine):
    examples, start = separable_examples(engine, 6, anomalous=3), default_prompts(engine.backbone)
    unbroken = Tuner(engine.backbone, start, examples, FAST)
    for _ in range(4):
        unbroken.run_epoch()
    broken = Tuner(engine.backbone, start, examples, FAST)
    for _ in range(2):
        broken.run_epoch()
    resumed = Tuner(engine.backbone, start, examples, FAST)
    resumed.restore(broken.state())
    for _ in range(2):
        resumed.run_epoch()
    assert resumed.epoch == 4
    torch.testing.assert_close(resumed.text_features(), unbroken.text_features(), rtol=0, atol=1e-6)


def test_with_anomalous_images_alone_the_image_term_is_left_out(engine):
    tuner = Tuner(engine.backbone, default_prompts(engine.backbone), separable_examples(engine, 3, anomalous=3), FAST)
    assert tuner.run_epoch()["image"] == 0.0


@pytest.mark.parametrize("resolution", ["pixels", "patches"])
def test_images_of_several_shapes_are_tuned_on_together(engine, resolution):
    """The loss of a mixed batch is the mean over its images, whatever their shapes."""
    start, config = default_prompts(engine.backbone), replace(FAST, resolution=resolution)
    examples = [long_example(engine, seed) for seed in range(2)] + separable_examples(engine, 2, anomalous=1)
    together = Tuner(engine.backbone, start, examples, config)
    text = together.text_features()
    alone = [together._glocal([one], text)["total"] for one in examples]
    torch.testing.assert_close(together._glocal(examples, text)["total"], sum(alone) / len(alone), rtol=1e-4, atol=0)
    first = together.run_epoch()["total"]
    for _ in range(10):
        last = together.run_epoch()["total"]
    assert last < first


def long_example(engine, seed: int) -> Example:
    features = engine.encode([picture(seed, width=240, height=80)])[0]
    mask = torch.zeros(features.grid.times(engine.info.patch_size), dtype=torch.uint8)
    mask[8:16, 24:56] = 1
    return Example(features, mask)
