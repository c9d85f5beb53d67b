"""What names of models mean: right spellings, their own preprocessing and activation, refusals before a download."""

import json

import open_clip
import pytest
import torch
from safetensors.torch import save_file

from engine.backbone import weight_files
from engine.backbone.loading import load_backbone, plan_of
from engine.backbone.plans import model_fault, why_not
from engine.detector.prompts import default_prompts
from engine.errors import BackboneError
from tests.loopback_hub import loopback_hub
from tests.tiny_backbone import MODEL_CFG

SMALL = MODEL_CFG | {"quick_gelu": False}


def weights_of(config, seed=0):
    torch.manual_seed(seed)
    model = open_clip.CLIP(**config)
    for block in model.visual.transformer.resblocks:
        torch.nn.init.normal_(block.mlp.c_fc.bias, std=0.5)
    return {name: tensor.contiguous() for name, tensor in model.state_dict().items()}


@pytest.fixture
def small_models(tmp_path, monkeypatch):
    """Real names with a small configuration, and a hub that serves it; returns the hub."""
    from open_clip import factory

    for name in ("ViT-L-14-336", "ViT-L-14", "ViT-B-16"):
        monkeypatch.setitem(factory._MODEL_CONFIGS, name, SMALL)
        monkeypatch.setitem(factory._MODEL_CONFIGS, f"{name}-quickgelu", SMALL | {"quick_gelu": True})
    file = tmp_path / "weights.safetensors"
    save_file(weights_of(SMALL), file)
    with loopback_hub(tmp_path / "cache") as hub:
        for repo in (
            "timm/vit_large_patch14_clip_336.openai",
            "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
            "timm/vit_base_patch16_clip_224.openai",
            "laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
        ):
            hub.files[repo] = {"open_clip_model.safetensors": file.read_bytes()}
        yield hub


@pytest.mark.parametrize(
    "spec", ["ViT-L-14-336/openai", "ViT-L-14-336-quickgelu/openai", "ViT-L/14@336px", "ViT-L-14@336px"]
)
def test_all_spellings_of_openais_model_run_with_quickgelu(small_models, spec):
    backbone = load_backbone(spec, "cpu")
    assert backbone.info.name == "ViT-L-14-336-quickgelu/openai"
    # Folded into a SiLU as it was loaded, which only a QuickGELU is.
    assert isinstance(backbone.model.visual.transformer.resblocks[0].mlp.gelu, torch.nn.SiLU)
    assert backbone.info.fingerprint == load_backbone("ViT-L-14-336-quickgelu/openai", "cpu").info.fingerprint


def test_the_fingerprint_tells_apart_what_no_tensor_tells(small_models):
    same_weights = ("ViT-L-14/laion2b_s32b_b82k", "ViT-B-16/laion2b_s34b_b88k", "ViT-B-16/openai")
    found = {load_backbone(spec, "cpu").info.fingerprint for spec in same_weights}
    assert len(found) == 3  # another mean and deviation; as usual; another activation


def test_mean_and_deviation_are_the_models_own(small_models):
    backbone = load_backbone("ViT-L-14/laion2b_s32b_b82k", "cpu")
    assert backbone.preprocessing.mean == (0.5, 0.5, 0.5)
    assert load_backbone("ViT-B-16/laion2b_s34b_b88k", "cpu").preprocessing.mean[0] == pytest.approx(0.48145466)


def test_head_width_changes_the_fingerprint(tmp_path):
    found = set()
    for width in (16, 32):
        config = tmp_path / f"{width}.json"
        cfg = SMALL | {"vision_cfg": SMALL["vision_cfg"] | {"head_width": width}}
        config.write_text(json.dumps({"name": "x", "description": "", "model_cfg": cfg}))
        save_file(weights_of(SMALL), tmp_path / "w.safetensors")
        found.add(load_backbone(f"{config}@{tmp_path / 'w.safetensors'}", "cpu").info.fingerprint)
    assert len(found) == 2


def test_plain_words_on_a_real_clip_see_the_class_token_as_it_was_trained(small_models, tiny_spec):
    assert default_prompts(load_backbone("ViT-B-16/openai", "cpu")).class_token == "normed"
    assert default_prompts(load_backbone(tiny_spec, "cpu")).class_token == "straight"


def test_a_file_with_a_tag_is_preprocessed_as_the_tag_says(small_models, tmp_path):
    backbone = load_backbone(f"ViT-L-14/laion2b_s32b_b82k@{tmp_path / 'weights.safetensors'}", "cpu")
    assert backbone.preprocessing.mean == (0.5, 0.5, 0.5) and not small_models.asked
    assert backbone.info.fingerprint == load_backbone("ViT-L-14/laion2b_s32b_b82k", "cpu").info.fingerprint


def test_a_repository_of_the_hub_brings_its_own_configuration(small_models):
    said = {"model_cfg": SMALL | {"quick_gelu": True}, "preprocess_cfg": {"mean": [0.1, 0.2, 0.3], "std": [1, 1, 1]}}
    files = small_models.files["timm/vit_base_patch16_clip_224.openai"]
    small_models.files["me/mine"] = {"open_clip_config.json": json.dumps(said).encode(), **files}
    backbone = load_backbone("hf-hub:me/mine", "cpu")
    assert backbone.info.name == "hf-hub:me/mine" and backbone.preprocessing.mean == (0.1, 0.2, 0.3)
    small_models.stop()  # and the next start needs no hub
    assert load_backbone("hf-hub:me/mine", "cpu").info.fingerprint == backbone.info.fingerprint


def test_a_repository_whose_model_does_not_fit_is_refused_before_its_weights(small_models):
    said = {"model_cfg": open_clip.get_model_config("ViT-B-16-SigLIP"), "preprocess_cfg": {}}
    small_models.files["me/siglip"] = {"open_clip_config.json": json.dumps(said).encode()}
    with pytest.raises(BackboneError, match="hf-hub:me/siglip can't be used: its image tower is timm's"):
        plan_of("hf-hub:me/siglip")
    assert not small_models.sent()


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("ViT-B-16-SigLIP/webli", "timm's vit_base_patch16_siglip_224"),
        ("coca_ViT-B-32/laion2b_s13b_b90k", "CoCa"),
        ("RN50-quickgelu/openai", "ResNet"),
        ("ViT-H-14-worldwide/metaclip2_worldwide", r"another tokenizer than CLIP's \(facebook/xlm-v-base\)"),
        ("ViT-L-14-CLIPA/datacomp1b", "mean of patches"),
        ("xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k", "language model xlm-roberta-base"),
    ],
)
def test_what_never_fits_is_refused_with_the_reason_before_anything_is_fetched(small_models, spec, reason):
    with pytest.raises(BackboneError, match=f"can't be used: .*{reason}.*docs/models.md"):
        load_backbone(spec, "cpu")
    assert not small_models.asked


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        ("ViT-B-16", "ViT-B-16/openai"),
        ("ViT-L-14-336-openai", r"Is .*ViT-L-14-336.*openai meant\?"),
        ("ViT-L14/openai", r"Is ViT-L-14 meant\?"),
        ("ViT-B-32/laion2b", "it has: .*laion2b_s34b_b79k"),
    ],
)
def test_a_wrong_spelling_is_answered_with_the_right_one(spec, answer):
    with pytest.raises(BackboneError, match=answer):
        plan_of(spec)


class _Archived(torch.nn.Module):
    """Weights under their names, and the numbers that OpenAI's archives hold beside them."""

    def __init__(self, weights):
        super().__init__()
        for name, tensor in weights.items():
            parent = self
            *path, last = name.split(".")
            for part in path:
                if not hasattr(parent, part):
                    parent.add_module(part, torch.nn.Module())
                parent = getattr(parent, part)
            parent.register_buffer(last, tensor.half() if tensor.ndim else tensor)
        self.register_buffer("input_resolution", torch.tensor(32))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


@pytest.fixture
def archive(tmp_path):
    file = tmp_path / "ViT-L-14-336px.pt"
    torch.jit.script(_Archived(weights_of(SMALL))).save(str(file))
    return file


def test_openais_own_archive_loads_with_its_activation(small_models, archive, monkeypatch):
    import hashlib

    known = frozenset({hashlib.sha256(archive.read_bytes()).hexdigest()})
    monkeypatch.setattr(weight_files, "published_by_openai", lambda: known)
    backbone = load_backbone(f"ViT-L-14-336@{archive}", "cpu")
    assert isinstance(backbone.model.visual.transformer.resblocks[0].mlp.gelu, torch.nn.SiLU)


def test_an_archive_with_code_that_openai_did_not_publish_is_refused(small_models, archive):
    with pytest.raises(BackboneError, match="TorchScript archive, which holds code, and none that OpenAI published"):
        load_backbone(f"ViT-L-14-336@{archive}", "cpu")
    assert len(weight_files.published_by_openai()) > 5


def test_the_reasons_agree_with_what_open_clip_builds():
    """Reasons are read from configurations; what open_clip makes of them must be refused, too."""
    for name in ("MobileCLIP-B", "ViT-B-16-SigLIP", "coca_base", "RN50", "PE-Core-T-16-384"):
        config = open_clip.get_model_config(name)
        with torch.device("meta"):
            custom = config.pop("custom_text", False)
            kind = (
                open_clip.CoCa if "multimodal_cfg" in config else open_clip.CustomTextCLIP if custom else open_clip.CLIP
            )
            assert model_fault(kind(**config)), name
        assert why_not(open_clip.get_model_config(name)), name
