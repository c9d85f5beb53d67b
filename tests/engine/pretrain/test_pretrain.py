"""The drawn images are what they claim to be, and training on them learns, resumes exactly and exports."""

import dataclasses
import json
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch

from engine.backbone.loading import load_config
from engine.detector.prompt_files import prompts_from_bytes, prompts_to_bytes
from engine.pretrain.batches import DrawnBatches, make_batch, tokens
from engine.pretrain.captions import caption, state_pair
from engine.pretrain.drawing.defects import DEFECTS, damage
from engine.pretrain.drawing.sample import Sample, draw_sample, draw_scene
from engine.pretrain.losses import patch_targets
from engine.pretrain.model import MODEL_CFG, build_model, text_features
from engine.pretrain.prompt_tuning import tune_on_drawings
from engine.pretrain.schedule import STAGES, Stage, rate_at, stage_at
from engine.pretrain.training import TrainingConfig, train

TINY_CFG: dict[str, Any] = {
    **MODEL_CFG,
    "embed_dim": 32,
    "vision_cfg": {"image_size": 48, "patch_size": 8, "width": 64, "head_width": 32, "layers": 4},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
TINY = TrainingConfig(
    steps=18, seed=3, stages=(Stage(0.0, 48, 12), Stage(0.75, 64, 6)), layers=(3, 4), dpam_layer=3, model_cfg=TINY_CFG
)


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return [draw_sample(7, index, 96) for index in range(240)]


def test_the_same_number_gives_the_same_bytes() -> None:
    first, again, other = (draw_sample(7, index, 96) for index in (12, 12, 14))
    assert np.array_equal(first.image, again.image) and np.array_equal(first.labels, again.labels)
    assert first.defects == again.defects
    assert not np.array_equal(first.image, other.image)


@pytest.mark.parametrize("lanes", [1, 3])
def test_a_batch_depends_on_its_number_and_lane_not_on_what_was_asked_before(lanes: int) -> None:
    in_order = DrawnBatches(3, (Stage(0.0, 48, 8, 0.25),), 12, lanes=lanes)
    for step in range(8):
        in_order[step]
    at_once = DrawnBatches(3, (Stage(0.0, 48, 8, 0.25),), 12, lanes=lanes)
    assert torch.equal(in_order[8].images, at_once[8].images)
    assert torch.equal(in_order[8].captions, at_once[8].captions)


def test_drawings_of_a_smaller_stage_are_drawn_again_at_the_larger_size_while_many_are_kept() -> None:
    batches = DrawnBatches(3, (Stage(0.0, 48, 2, 0.5), Stage(0.9, 64, 2, 0.5)), 140)
    for step in range(140):
        assert batches[step].images.shape[-1] == (48 if step < 126 else 64)


def test_a_mask_covers_what_changed_and_nothing_else() -> None:
    checked = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        scene = draw_scene(rng, 96)
        before = np.clip(scene.rgb, 0, 1)
        change = damage(rng, scene)
        if change is None:
            continue
        rgb, mask, index = change
        difference = np.abs(np.clip(rgb, 0, 1) - before).max(axis=2)
        name = DEFECTS[index].name
        assert difference[mask].mean() > 0.03, name
        assert difference[mask].mean() > 4 * difference[~mask].mean(), name
        assert np.median(difference[~mask]) < 1e-4, name
        checked += 1
    assert checked > 120


def test_labels_name_the_defects_that_are_in_view(samples: list[Sample]) -> None:
    for sample in samples:
        assert {DEFECTS[i - 1].name for i in np.unique(sample.labels) if i} == set(sample.defects)
        assert sample.image.shape == (96, 96, 3) and sample.image.dtype == np.uint8


def test_every_family_and_every_kind_of_defect_comes_up_and_many_images_are_normal(samples: list[Sample]) -> None:
    families = Counter(sample.family for sample in samples)
    assert set(families) == {"surface", "parts", "board", "label", "tissue", "skin", "scan", "echo"}
    missing = {defect.name for defect in DEFECTS}
    for sample in chain(samples, (draw_sample(8, index, 48) for index in range(1500))):
        missing -= set(sample.defects)
        if not missing:
            break
    assert not missing
    assert 0.3 < np.mean([not sample.defects for sample in samples]) < 0.55


def test_kinds_left_out_are_never_drawn() -> None:
    without = frozenset({"crack", "scratch", "stain"})
    seen = {kind for index in range(300) for kind in draw_sample(1, index, 48, without).defects}
    assert seen and not seen & without


def test_captions_agree_with_the_state() -> None:
    rng = np.random.default_rng(0)
    told = [caption(rng, "leather", ("scratch",)) for _ in range(200)]
    assert all(any(f" {word}" in f" {text}" for word in _DAMAGE_TOLD) for text in told)
    whole = [caption(rng, "leather", ()) for _ in range(200)]
    assert not any(word.strip(".") in (*_DAMAGE_TOLD, "scratch") for text in whole for word in text.split())
    assert 0.35 < np.mean(["object" in text.split()[-4:] or "object." in text for text in told + whole]) < 0.65


_DAMAGE_TOLD = (
    "damaged", "scratch", "broken", "defective", "flawed", "faulty", "abnormal", "anomalous", "bad", "diseased",
    "imperfect", "cracked",
)  # fmt: skip


def test_a_pair_of_texts_shares_its_prefix_and_differs_in_state() -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        normal, damaged = state_pair(rng, "wood")
        assert normal != damaged
        assert normal.split()[-1] == damaged.split()[-1]


def test_a_patch_that_a_defect_only_grazes_is_left_out() -> None:
    labels = torch.zeros(1, 32, 32, dtype=torch.uint8)
    labels[0, :, 7:16] = 5  # fills the second column of patches and one pixel column of the first
    target, valid, kinds = patch_targets(labels, 8)
    grid, counted = target.view(4, 4), valid.view(4, 4)
    assert grid[:, 1].all() and not grid[:, [0, 2, 3]].any()
    assert not counted[:, 0].any() and counted[:, 1:].all()
    assert (kinds.view(4, 4)[:, 1] == 4).all()


def test_a_hairline_counts_although_it_covers_little_of_a_patch() -> None:
    labels = torch.zeros(1, 32, 32, dtype=torch.uint8)
    labels[0, 12, :] = 1
    target, _, _ = patch_targets(labels, 8)
    assert target.view(4, 4)[1].all() and target.sum() == 4


def test_cut_texts_have_the_features_of_full_ones() -> None:
    model = build_model(0, TINY_CFG)
    torch.nn.init.normal_(model.token_embedding.weight)
    texts = ["a photo of a damaged object.", "object."]
    whole = model.encode_text(open_clip.tokenize(texts), normalize=True)
    assert torch.allclose(text_features(model, tokens(texts)), whole, atol=1e-5)


def test_stages_follow_one_another_and_the_rate_rises_and_falls() -> None:
    assert stage_at(STAGES, 0.0) == STAGES[0] and stage_at(STAGES, 0.999) == STAGES[-1]
    rates = [rate_at(step / 100) for step in range(100)]
    assert max(rates) == pytest.approx(1, abs=0.01) and rates[0] < 0.1 and rates[-1] < 0.02


def test_a_stage_is_read_from_its_four_numbers() -> None:
    assert Stage.parse("0.6:192:160:0.0875") == Stage(0.6, 192, 160, 0.0875)
    with pytest.raises(ValueError):
        Stage.parse("0.6:192:160")


def test_a_batch_is_a_function_of_its_number() -> None:
    whole = DrawnBatches(5, TINY.stages, 24)
    _ = [whole[step] for step in range(4)]
    resumed = DrawnBatches(5, TINY.stages, 24)
    for field in dataclasses.fields(whole[4]):
        assert torch.equal(getattr(whole[4], field.name), getattr(resumed[4], field.name))


def test_training_lowers_the_loss_resumes_to_the_same_result_and_exports(tmp_path: Path) -> None:
    unbroken = train(TINY, tmp_path / "unbroken", background=False, held_out=20)
    train(TINY, tmp_path / "broken", background=False, held_out=20, stop_after=8)
    resumed = train(TINY, tmp_path / "broken", background=True, held_out=20, resume=True)
    for name, tensor in unbroken.state_dict().items():
        assert torch.allclose(tensor, resumed.state_dict()[name], atol=1e-5), name

    early = _figures(tmp_path / "broken")[0]["losses"]["total"]
    assert _figures(tmp_path / "unbroken")[-1]["losses"]["total"] < early

    backbone = load_config(tmp_path / "unbroken" / "embedded.json")
    assert backbone.info.layers == (3, 4) and backbone.info.image_size == 256
    exported = backbone.model.visual.conv1.weight
    assert torch.allclose(exported, unbroken.visual.conv1.weight, atol=1e-3)


def test_a_later_round_begins_with_the_weights_of_an_earlier_one(tmp_path: Path) -> None:
    first = train(dataclasses.replace(TINY, steps=2), tmp_path / "first", background=False, held_out=20)
    exported = tmp_path / "first" / "embedded.safetensors"
    later = dataclasses.replace(TINY, steps=1, start=exported, rate=0.0, muon=False)
    second = train(later, tmp_path / "second", background=False, held_out=20)
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor.half().float(), second.state_dict()[name]), name


def _figures(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path: Path) -> None:
    short = dataclasses.replace(TINY, steps=1)
    train(short, tmp_path, background=False, held_out=20)
    with pytest.raises(ValueError, match="Resume with the same options"):
        train(dataclasses.replace(short, seed=4), tmp_path, background=False, held_out=20, resume=True)
    with pytest.raises(FileNotFoundError, match="without --resume"):
        train(short, tmp_path / "nowhere", background=False, held_out=20, resume=True)


def test_batches_of_any_drawn_samples_have_one_text_pair_an_image(samples: list[Sample]) -> None:
    batch = make_batch(np.random.default_rng(0), samples[:10])
    assert batch.images.shape == (10, 3, 96, 96) and batch.labels.shape == (10, 96, 96)
    assert len(batch.normal_texts) == len(batch.damaged_texts) == len(batch.captions) == 10
    assert batch.same_caption.diagonal().all() and len(batch.kind_texts) == len(DEFECTS)


def test_prompts_tuned_on_drawings_are_never_worse_on_those_kept_apart(tmp_path: Path) -> None:
    train(dataclasses.replace(TINY, steps=2), tmp_path, background=False, held_out=20)
    backbone = load_config(tmp_path / "embedded.json")
    tuned = tune_on_drawings(backbone, count=36, epochs=2)
    assert tuned.after >= tuned.before
    assert tuned.prompts.note.startswith("tuned") == (tuned.sure_gain > 0), "else the plain words"
    read = prompts_from_bytes(prompts_to_bytes(tuned.prompts))
    read.check_backbone(backbone)


def test_drawings_kept_apart_that_are_all_of_one_state_are_refused(tmp_path: Path) -> None:
    train(dataclasses.replace(TINY, steps=1), tmp_path, background=False, held_out=20)
    with pytest.raises(ValueError, match="tune on more drawings"):
        tune_on_drawings(load_config(tmp_path / "embedded.json"), count=3, epochs=1)
