"""The reference's checkpoints: told from other files, damaged ones named as such, released ones recognised."""

import hashlib

import pytest

from engine.detector import reference_checkpoint
from engine.detector.prompt_files import parse_prompts, read_prompts
from engine.errors import PromptError
from tests.engine.checkpoints import checkpoint


@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_checkpoint_that_was_cut_off_is_called_that(kept):
    data = checkpoint(width=32)
    with pytest.raises(PromptError, match=r"checkpoint \(\.pth\) is damaged: .*its end is missing"):
        parse_prompts(data[: int(kept * len(data))])


def test_a_checkpoint_damaged_within_is_no_safetensors_file():
    data = bytearray(checkpoint(width=32))
    start = data.index(b"prompt_learner")
    data[start - 40 : start + 40] = bytes(80)
    with pytest.raises(PromptError, match="not a checkpoint of AnomalyCLIP's format"):
        parse_prompts(bytes(data))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"<!DOCTYPE html><html>epoch_15.pth</html>", "web page.*Download the raw file"),
        (b"version https://git-lfs", r"not a safetensors file of prompts, and not a checkpoint .*b'version '"),
    ],
)
def test_other_files_are_called_what_they_are(data, said):
    with pytest.raises(PromptError, match=said):
        parse_prompts(data)


def test_sizes_that_fit_the_released_ones_name_their_backbone(backbone):
    with pytest.raises(PromptError, match="released checkpoints are for ViT-L-14-336-quickgelu/openai"):
        read_prompts(checkpoint(width=768), backbone)


def test_more_deep_tokens_than_text_blocks_are_refused(backbone):
    with pytest.raises(PromptError, match="for 8 text blocks and tiny has only 2 after its first"):
        read_prompts(checkpoint(width=32, rows=8), backbone)


def test_a_released_checkpoint_is_known_by_its_git_object_id(backbone, monkeypatch):
    data = checkpoint(width=32)
    name = hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()
    monkeypatch.setitem(reference_checkpoint._RELEASED, name, "epoch_15.pth, tuned on VisA's test split")
    assert "released epoch_15.pth, tuned on VisA's test split, for ViT-L-14" in read_prompts(data, backbone).note
