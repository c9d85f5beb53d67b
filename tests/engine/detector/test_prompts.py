"""Prompts: plain words that leave CLIP's features unchanged, and files that can't be mistaken or harm."""

import io
import pickle

import pytest
import torch

from engine.backbone.loading import load_backbone
from engine.detector.prompt_files import prompts_from_bytes, prompts_to_bytes, read_prompts, shipped_prompts
from engine.detector.prompts import _ANOMALOUS_WORDS, _NORMAL_WORDS, default_prompts, encode_prompts, random_prompts
from engine.errors import PromptError
from tests.engine.golden import GOLDEN, golden_backbone, requires_golden, saved_prompts
from tests.tiny_backbone import write_tiny_backbone


@torch.no_grad()
def test_default_prompts_are_the_features_of_plain_words(backbone):
    sentences = [f"{_NORMAL_WORDS} object.", f"{_ANOMALOUS_WORDS} damaged object."]
    plain = backbone.model.encode_text(backbone.tokenizer(sentences), normalize=True)
    torch.testing.assert_close(encode_prompts(backbone, default_prompts(backbone)), plain, rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("word", ["defective", "unusual-looking", ""])
def test_the_state_word_can_be_any_or_none(backbone, word):
    ending = f"{word} object." if word else "object."
    plain = backbone.model.encode_text(backbone.tokenizer([f"{_ANOMALOUS_WORDS} {ending}"]), normalize=True)
    found = encode_prompts(backbone, default_prompts(backbone, word))[1:]
    torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-5)


def test_a_file_gives_back_the_same_prompts(backbone):
    prompts = random_prompts(backbone, seed=3)
    found = read_prompts(prompts_to_bytes(prompts), backbone)
    torch.testing.assert_close(found.normal_context, prompts.normal_context, rtol=0, atol=0)
    torch.testing.assert_close(found.deep_tokens, prompts.deep_tokens, rtol=0, atol=0)
    assert (found.state_word, found.note, found.backbone_name) == ("damaged", "random, seed 3", "tiny")


def test_the_same_prompts_give_the_same_bytes(backbone):
    assert len({prompts_to_bytes(random_prompts(backbone, seed=3)) for _ in range(20)}) == 1


def test_a_backbone_starts_with_the_prompts_beside_it_or_with_plain_words(tmp_path):
    spec = write_tiny_backbone(tmp_path)
    without = load_backbone(spec, "cpu")
    torch.testing.assert_close(shipped_prompts(without).normal_context, default_prompts(without).normal_context)
    beside = random_prompts(without, seed=3)
    (tmp_path / "tiny_prompts.safetensors").write_bytes(prompts_to_bytes(beside))
    torch.testing.assert_close(shipped_prompts(load_backbone(spec, "cpu")).normal_context, beside.normal_context)


def test_prompts_for_another_backbone_are_refused_by_name(backbone, tmp_path):
    other = load_backbone(write_tiny_backbone(tmp_path, seed=1, name="other"), "cpu")
    with pytest.raises(PromptError, match=r"tuned for the backbone tiny .* mean nothing to other"):
        read_prompts(prompts_to_bytes(default_prompts(backbone)), other)


def test_a_pickle_with_code_in_it_is_refused_and_not_run(backbone, tmp_path):
    victim = tmp_path / "ran"

    class Attack:
        def __reduce__(self):
            return (open, (str(victim), "w"))

    buffer = io.BytesIO()
    torch.save({"prompt_learner": Attack()}, buffer)
    for data in (buffer.getvalue(), pickle.dumps({"prompt_learner": Attack()})):
        with pytest.raises(PromptError, match="No code in it was run"):
            read_prompts(data, backbone)
    assert not victim.exists()


@pytest.mark.parametrize("damage", [lambda d: d[: len(d) // 2], lambda d: b"", lambda d: b"not a file at all"])
def test_a_damaged_file_is_refused(backbone, damage):
    with pytest.raises(PromptError):
        read_prompts(damage(prompts_to_bytes(default_prompts(backbone))), backbone)


def test_another_safetensors_file_is_refused(backbone):
    from safetensors.torch import save

    with pytest.raises(PromptError, match="holds no AnomalyLoop prompts"):
        prompts_from_bytes(save({"weight": torch.zeros(2)}))


@requires_golden
def test_golden_reference_checkpoint_gives_the_same_prompts():
    backbone = golden_backbone("t8")
    loaded = read_prompts((GOLDEN / "t8_checkpoint.pth").read_bytes(), backbone)
    expected = saved_prompts(backbone, "t8")
    torch.testing.assert_close(loaded.normal_context, expected.normal_context, rtol=0, atol=0)
    torch.testing.assert_close(loaded.anomalous_context, expected.anomalous_context, rtol=0, atol=0)
    torch.testing.assert_close(loaded.deep_tokens, expected.deep_tokens, rtol=0, atol=0)


@requires_golden
def test_golden_reference_checkpoint_of_other_sizes_is_refused(backbone):
    with pytest.raises(PromptError, match="64 wide and the text tower of tiny is 32 wide"):
        read_prompts((GOLDEN / "t8_checkpoint.pth").read_bytes(), backbone)
