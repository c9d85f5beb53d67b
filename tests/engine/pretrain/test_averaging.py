"""The mean of two rounds' weights, as files that the product loads."""

from pathlib import Path
from typing import Any

import pytest
import torch

from engine.backbone.loading import load_config
from engine.pretrain.averaging import average
from engine.pretrain.export import export
from engine.pretrain.model import MODEL_CFG, build_model

SMALL: dict[str, Any] = {
    **MODEL_CFG,
    "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 64, "head_width": 32, "layers": 2},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 1, "layers": 1},
}


def _round(folder: Path, seed: int, model_cfg: dict[str, Any] = SMALL) -> Path:
    folder.mkdir()
    export(build_model(seed, model_cfg), folder, layers=(1, 2), dpam_layer=2, model_cfg=model_cfg)
    return folder


def test_every_weight_is_the_mean_and_the_files_can_be_loaded(tmp_path: Path) -> None:
    folders = [_round(tmp_path / name, seed) for seed, name in enumerate(("first", "second"))]
    average(folders, tmp_path / "mean")
    first, second, mean = (load_config(folder / "embedded.json") for folder in (*folders, tmp_path / "mean"))
    assert mean.info.layers == (1, 2)
    others = zip(first.model.state_dict().values(), second.model.state_dict().values(), strict=True)
    for (name, tensor), (one, other) in zip(mean.model.state_dict().items(), others, strict=True):
        assert torch.allclose(tensor, (one + other) / 2, atol=1e-3), name


def test_models_that_are_built_differently_have_no_mean(tmp_path: Path) -> None:
    other = {**SMALL, "embed_dim": 64}
    folders = [_round(tmp_path / "first", 0), _round(tmp_path / "second", 0, other)]
    with pytest.raises(ValueError, match="built differently"):
        average(folders, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()
