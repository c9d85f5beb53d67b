"""Weights come back from a packed file as they went in, and open_clip's own files load as ever."""

import pytest
import torch
from safetensors.torch import save_file

from engine.backbone.weight_files import load_weights, pack_tokens
from engine.pretrain.model import MODEL_CFG, build_model

CFG = {**MODEL_CFG, "vision_cfg": {**MODEL_CFG["vision_cfg"], "layers": 2}}


@pytest.fixture
def weights():
    model = build_model(1, CFG)
    with torch.no_grad():
        model.token_embedding.weight[[5, 320, 49407]] = torch.randn(3, 128)
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def loaded(file):
    model = build_model(2, CFG)
    load_weights(model, file)
    return model.state_dict()


def test_a_packed_file_holds_the_used_rows_alone_and_loads_as_the_whole(weights, tmp_path):
    packed = pack_tokens(weights)
    save_file(packed, tmp_path / "packed.safetensors")

    assert packed["token_embedding.rows"].tolist() == [5, 320, 49407]
    assert (tmp_path / "packed.safetensors").stat().st_size < 8e6  # the table alone would be 25 MB
    found = loaded(tmp_path / "packed.safetensors")
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in weights.items())


@pytest.mark.parametrize("kind", ["safetensors", "pt"])
def test_files_in_open_clips_own_way_load_too(weights, tmp_path, kind):
    file = tmp_path / f"plain.{kind}"
    save_file(weights, file) if kind == "safetensors" else torch.save(weights, file)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in loaded(file).items())


def test_a_packed_file_of_another_model_is_refused(weights, tmp_path):
    weights.pop("visual.proj")
    save_file(pack_tokens(weights), tmp_path / "packed.safetensors")
    with pytest.raises(RuntimeError, match=r"visual\.proj"):
        loaded(tmp_path / "packed.safetensors")
