"""Backbones: loaded by one line, known by their fingerprint, refused with the setting's name."""

import json
import shutil
from pathlib import Path

import huggingface_hub
import open_clip
import pytest
import torch
from safetensors.torch import save_file

from engine.backbone.loading import load_backbone
from engine.errors import BackboneError
from tests.tiny_backbone import write_tiny_backbone


def test_a_config_and_its_weights_load(tiny_spec):
    info = load_backbone(tiny_spec, "cpu").info
    assert (info.name, info.image_size, info.patch_size, info.layers, info.dpam_layer) == ("tiny", 64, 8, (2, 3, 4), 3)
    assert info.text_width == info.embed_dim == 32


def test_the_fingerprint_follows_weights_and_configuration(tmp_path):
    spec = write_tiny_backbone(tmp_path / "a")
    fingerprint = load_backbone(spec, "cpu").info.fingerprint
    assert load_backbone(write_tiny_backbone(tmp_path / "b", name="renamed"), "cpu").info.fingerprint == fingerprint
    assert load_backbone(write_tiny_backbone(tmp_path / "c", seed=1), "cpu").info.fingerprint != fingerprint
    config = Path(spec.split("@")[0])
    config.write_text(json.dumps(json.loads(config.read_text()) | {"dpam_layer": 4}))
    assert load_backbone(spec, "cpu").info.fingerprint != fingerprint


def test_a_convolutional_model_is_refused(tmp_path):
    torch.manual_seed(0)
    model = open_clip.create_model("RN50", pretrained=None)
    file = tmp_path / "rn50.safetensors"
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, file)
    with pytest.raises(BackboneError, match="plain vision transformer"):
        load_backbone(f"RN50@{file}", "cpu")


def test_an_open_clip_model_loads_from_a_local_file_with_the_shares_of_the_paper(tmp_path):
    model = open_clip.create_model("ViT-S-32", pretrained=None)
    file = tmp_path / "vit.safetensors"
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, file)
    info = load_backbone(f"ViT-S-32@{file}", "cpu").info
    assert (info.layers, info.dpam_layer, info.image_size) == ((3, 6, 9, 12), 10, 512)
    assert info.name == "ViT-S-32@vit.safetensors"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nonsense", "ANOMALYLOOP_BACKBONE='nonsense' is none of"),
        ("ViT-Z-99/openai", "knows no model 'ViT-Z-99'"),
        ("ViT-B-32/no_such_tag", "no weights 'no_such_tag' for ViT-B-32; it has: .*openai"),
        ("ViT-B-32@/nowhere/weights.pt", "no file /nowhere/weights.pt"),
        ("/nowhere/config.json@/nowhere/weights.pt", "no file /nowhere/config.json"),
    ],
)
def test_what_is_not_there_is_named_with_its_setting(spec, message):
    with pytest.raises(BackboneError, match=message) as error:
        load_backbone(spec, "cpu")
    assert "ANOMALYLOOP_BACKBONE" in str(error.value)


def test_no_hub_is_an_error_that_names_the_setting(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)  # else it retries for a minute
    with pytest.raises(BackboneError, match="ANOMALYLOOP_BACKBONE=ViT-B-32/laion2b_s34b_b79k could not be fetched"):
        load_backbone("ViT-B-32/laion2b_s34b_b79k", "cpu")


def test_changed_weights_are_refused(tmp_path):
    spec = write_tiny_backbone(tmp_path)
    other = write_tiny_backbone(tmp_path / "other", seed=1)
    shutil.copy(other.split("@")[1], spec.split("@")[1])
    with pytest.raises(BackboneError, match="its sha256 differs"):
        load_backbone(spec, "cpu")


def test_weights_of_another_model_are_refused(tiny_spec):
    with pytest.raises(BackboneError, match="don't fit the model"):
        load_backbone(f"ViT-S-32@{tiny_spec.split('@')[1]}", "cpu")


def test_a_device_that_is_not_there_is_refused(tiny_spec):
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(BackboneError, match="ANOMALYLOOP_DEVICE='cuda'"):
        load_backbone(tiny_spec, "cuda")
