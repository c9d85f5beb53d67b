"""`python -m engine prompts`: what a file was made for, and importing it."""

import argparse
from pathlib import Path

import pytest

from engine.backbone.loading import load_backbone
from engine.commands import prompt_file
from engine.detector.files import detector_to_bytes
from engine.detector.prompt_files import prompts_from_bytes, prompts_to_bytes, shipped_prompts
from engine.detector.prompts import random_prompts
from engine.errors import PromptError
from engine.serving.engine import Engine
from tests.engine.checkpoints import checkpoint
from tests.engine.detector.making import random_detector
from tests.tiny_backbone import write_tiny_backbone


def call(engine, action: str, file: Path, out: Path | None = None, *, prompts_only: bool = False) -> int:
    arguments = argparse.Namespace(action=action, file=file, out=out, prompts_only=prompts_only)
    return prompt_file.run(engine, engine.detector_of(shipped_prompts(engine.backbone)), arguments)


def test_show_says_backbone_data_and_sizes(engine, tmp_path, capsys):
    (tmp_path / "ours").write_bytes(prompts_to_bytes(random_prompts(engine.backbone, seed=3)))
    assert call(engine, "show", tmp_path / "ours") == 0
    said = capsys.readouterr().out
    assert f"tiny ({engine.info.fingerprint[:12]})" in said and "random, seed 3" in said
    assert "12 context vectors of width 32" in said and "4 learnable tokens before each of text blocks 2 … 3" in said
    assert "fits tiny" in said


def test_show_tells_of_another_backbones_file_what_it_is_for(engine, tmp_path, capsys):
    other = Engine(load_backbone(write_tiny_backbone(tmp_path, seed=1, name="other"), "cpu"))
    (tmp_path / "ours").write_bytes(prompts_to_bytes(random_prompts(engine.backbone, seed=3)))
    assert call(other, "show", tmp_path / "ours") == 1
    said = capsys.readouterr().out
    assert said.startswith("Made for:   tiny") and "mean nothing to other" in said


def test_a_checkpoint_of_the_reference_is_shown_whatever_the_backbone(engine, tmp_path, capsys):
    (tmp_path / "large.pth").write_bytes(checkpoint(width=768))
    assert call(engine, "show", tmp_path / "large.pth") == 1
    said = capsys.readouterr().out
    assert "768 wide, as that of ViT-L-14-336-quickgelu/openai" in said and "doesn't say which data" in said


def test_import_writes_our_format_for_the_backbone_in_use(engine, tmp_path):
    (tmp_path / "found.pth").write_bytes(checkpoint(width=32))
    assert call(engine, "import", tmp_path / "found.pth", tmp_path / "mine.safetensors") == 0
    found = prompts_from_bytes((tmp_path / "mine.safetensors").read_bytes())
    assert found.backbone_fingerprint == engine.info.fingerprint and found.deep_tokens.shape == (2, 4, 32)


def test_import_writes_nothing_where_the_file_does_not_fit(engine, tmp_path):
    (tmp_path / "found.pth").write_bytes(checkpoint(width=64))
    with pytest.raises(PromptError, match="64 wide"):
        call(engine, "import", tmp_path / "found.pth", tmp_path / "mine.safetensors")
    with pytest.raises(PromptError, match="name it by --out"):
        call(engine, "import", tmp_path / "found.pth")
    assert not (tmp_path / "mine.safetensors").exists()


def test_a_detector_is_shown_with_its_parts_and_imported_whole_or_as_prompts_alone(engine, tmp_path, capsys):
    detector = random_detector(engine)
    (tmp_path / "found").write_bytes(detector_to_bytes(detector))
    assert call(engine, "show", tmp_path / "found") == 0
    said = capsys.readouterr().out
    assert "Parts:      prompts, heads, refiner, image head" in said and "fits tiny" in said

    assert call(engine, "import", tmp_path / "found", tmp_path / "whole.safetensors") == 0
    assert (tmp_path / "whole.safetensors").read_bytes() == (tmp_path / "found").read_bytes()
    assert call(engine, "import", tmp_path / "found", tmp_path / "prompts.safetensors", prompts_only=True) == 0
    assert (tmp_path / "prompts.safetensors").read_bytes() == prompts_to_bytes(detector.prompts)


def test_another_backbones_detector_is_shown_too(engine, tmp_path, capsys):
    other = Engine(load_backbone(write_tiny_backbone(tmp_path, seed=1, name="other"), "cpu"))
    (tmp_path / "found").write_bytes(detector_to_bytes(random_detector(engine)))
    assert call(other, "show", tmp_path / "found") == 1
    said = capsys.readouterr().out
    assert said.startswith("Made for:   tiny") and "mean nothing to other" in said
