"""The trained baselines learn what there is to learn, name the class, and go on from where they were."""

from dataclasses import replace

import pytest
import torch

from engine.backbone.vision_tower import TwoStreamVision
from engine.detector.named_prompts import NamedPromptTuner
from engine.detector.prompts import random_prompts
from engine.evaluation.baselines.april_gan import AprilGanTuner, layer_maps
from engine.features.encoders import local_features, only_layers, raw_tokens
from engine.features.image_features import ImageFeatures
from engine.images.preprocessing import preprocess
from engine.learning.prompt_tuning import Tuner
from engine.learning.tuning_loop import TuningConfig
from engine.serving.engine import Engine
from tests.engine.conftest import picture, separable_examples


def test_raw_tokens_are_what_the_blocks_give(backbone):
    engine = Engine(backbone, reference=True)
    features = raw_tokens(engine).encode([picture(1)])[0]
    visual = backbone.model.visual
    assert features.patch_features.shape == (3, 64, 64)
    with torch.inference_mode():
        projected = visual.ln_post(features.patch_features[-1]) @ visual.proj
        images = preprocess([picture(1)], 64)
        expected = TwoStreamVision(visual, 0, "off")(images, (4,)).patch_features[4][0, 1:]
    torch.testing.assert_close(projected, expected, atol=1e-5, rtol=1e-4)


def test_a_choice_of_layers_reads_the_same_cache(engine):
    everything = local_features(engine)
    some = only_layers(everything, engine.info.layers, engine.info.layers[-1:])
    features = everything.encode([picture(2)])[0]
    assert some.cache_key == everything.cache_key and some.key != everything.key
    torch.testing.assert_close(some.pick(features).patch_features, features.patch_features[-1:])


def raw_examples(engine, count=6):
    """Separable examples whose tokens have the width of the tower, as `raw_tokens` gives them."""
    generator = torch.Generator().manual_seed(1)
    lift = torch.randn(engine.info.embed_dim, 64, generator=generator)
    return [
        replace(
            one,
            features=ImageFeatures(one.features.global_feature, (one.features.patch_features.float() @ lift).half()),
            class_name=("bottle", "carpet")[number % 2],
        )
        for number, one in enumerate(separable_examples(engine, count, anomalous=count // 2))
    ]


def test_april_gans_layers_find_the_anomalies_and_resume(engine):
    examples, config = raw_examples(engine), TuningConfig(learning_rate=3e-3, batch_size=3)
    unbroken = AprilGanTuner(engine, examples, config)
    first = unbroken.run_epoch()["total"]
    halfway = unbroken.state()
    for _ in range(14):
        last = unbroken.run_epoch()["total"]
    assert last < 0.8 * first
    for example in examples[:3]:
        found = torch.from_numpy(unbroken.score(example.features, example.class_name, 64).anomaly_map)
        assert found[example.mask == 1].mean() > found[example.mask == 0].mean() + 0.2
    resumed = AprilGanTuner(engine, examples, config)
    resumed.restore(halfway)
    for _ in range(14):
        resumed.run_epoch()
    for ours, theirs in zip(resumed.learner.parameters(), unbroken.learner.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


def test_layer_maps_are_probabilities(engine):
    layers = torch.nn.ModuleList(torch.nn.Linear(64, 32) for _ in range(3))
    text = torch.nn.functional.normalize(torch.randn(2, 32), dim=-1)
    for probs in layer_maps(layers, torch.randn(3, 2, 64, 64), text, 40):
        assert probs.shape == (2, 2, 40, 40)
        torch.testing.assert_close(probs.sum(dim=1), torch.ones(2, 40, 40))


def test_prompts_that_name_the_class_differ_between_classes_and_share_their_contexts(engine):
    examples = [
        replace(e, class_name=c) for e, c in zip(separable_examples(engine, 4, anomalous=2), "abab", strict=True)
    ]
    tuner = NamedPromptTuner(engine.backbone, random_prompts(engine.backbone, 0), examples, TuningConfig())
    assert not torch.allclose(tuner.text_of("bottle"), tuner.text_of("carpet"), atol=1e-4)
    tuner.run_epoch()
    assert len(list(tuner.learner.parameters())) == 2 + len(tuner.learner.start.deep_tokens)


def test_naming_everything_object_is_the_object_agnostic_tuning(engine):
    examples, start = separable_examples(engine, 6, anomalous=3), random_prompts(engine.backbone, 0)
    config = TuningConfig(learning_rate=1e-2, batch_size=3)
    named, agnostic = (kind(engine.backbone, start, examples, config) for kind in (NamedPromptTuner, Tuner))
    for _ in range(3):
        ours, theirs = named.run_epoch(), agnostic.run_epoch()
    assert ours["total"] == pytest.approx(theirs["total"], rel=1e-5)
    torch.testing.assert_close(named.text_of("object"), agnostic.text_features(), atol=1e-6, rtol=0)


def test_a_batch_of_several_classes_is_the_mean_over_its_images(engine):
    examples = separable_examples(engine, 3, anomalous=2)
    mixed = [replace(e, class_name=c) for e, c in zip(examples, ("bottle", "bottle", "carpet"), strict=True)]
    tuner = NamedPromptTuner(engine.backbone, random_prompts(engine.backbone, 0), mixed, TuningConfig())
    alone = [tuner._loss([one])["total"].item() for one in mixed]
    assert tuner._loss(mixed)["total"].item() == pytest.approx(sum(alone) / 3, rel=1e-5)
