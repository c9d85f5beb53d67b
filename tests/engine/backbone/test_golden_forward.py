"""Features, probabilities and maps equal the reference's, for every model and variant."""

import numpy as np
import pytest
import torch

from engine.backbone.vision_tower import TwoStreamVision
from engine.detector.prompts import TextTower, encode_prompts
from engine.detector.scoring import anomaly_maps, patch_probabilities, probabilities
from tests.engine.golden import GOLDEN, golden_backbone, load, requires_golden, saved_prompts, tensor

pytestmark = requires_golden

VARIANTS = sorted(
    file.stem
    for file in GOLDEN.glob("t*_*.npz")
    if not file.stem.endswith(("weights", "prompts", "text", "text_cast")) and "training" not in file.stem
)
ABSOLUTE = 1e-4


def close(ours: object, golden: np.ndarray, tolerance: float = ABSOLUTE) -> None:
    values = ours.detach().numpy() if isinstance(ours, torch.Tensor) else np.asarray(ours)
    np.testing.assert_allclose(values.reshape(golden.shape), golden, rtol=0, atol=tolerance)


@pytest.fixture(params=VARIANTS)
def variant(request):
    return request.param.split("_")[0], load(request.param)


@torch.no_grad()
def test_golden_features_probabilities_and_maps(variant):
    model, golden = variant
    layers, size = [int(layer) for layer in golden["features_list"]], int(golden["image_size"])
    backbone = golden_backbone(model)
    text = encode_prompts(backbone, saved_prompts(backbone, model), cast_float16=True)
    if "text_features" in golden.files:
        close(text, golden["text_features"])

    features = TwoStreamVision(backbone.model.visual, int(golden["dpam_layer"]))(tensor(golden["images"]), layers)

    close(features.global_features, golden["global_features"])
    close(probabilities(features.global_features, text), golden["image_probs"])
    layer_probs = [patch_probabilities(features.patch_features[layer], text) for layer in layers]
    for layer, probs in zip(layers, layer_probs, strict=True):
        close(features.patch_features[layer], golden[f"patch_features_{layer}"])
        close(probs, golden[f"patch_probs_{layer}"])
    close(anomaly_maps(torch.stack(layer_probs), size, sigma=0), golden["map_raw"])
    close(anomaly_maps(torch.stack(layer_probs), size, float(golden["sigma"])), golden["map"])


@torch.no_grad()
def test_golden_images_one_by_one_equal_the_batch(variant):
    model, golden = variant
    layers = [int(layer) for layer in golden["features_list"]]
    vision = TwoStreamVision(golden_backbone(model).model.visual, int(golden["dpam_layer"]))
    images = tensor(golden["images"])
    batch = vision(images, layers)
    for index in range(len(images)):
        alone = vision(images[index : index + 1], layers)
        close(alone.global_features[0], batch.global_features[index].numpy(), 1e-5)
        for layer in layers:
            close(alone.patch_features[layer][0], batch.patch_features[layer][index].numpy(), 1e-5)


@torch.no_grad()
def test_golden_an_image_of_another_size_leaves_the_next_one_alone():
    golden = load("t8_native")
    layers = [int(layer) for layer in golden["features_list"]]
    vision = TwoStreamVision(golden_backbone("t8").model.visual, int(golden["dpam_layer"]))
    vision(tensor(load("t8_resized")["images"]), layers)
    close(vision(tensor(golden["images"]), layers).global_features, golden["global_features"])


def test_golden_input_embeddings_and_text_features():
    golden = load("t8_text")
    backbone = golden_backbone("t8")
    prompts = saved_prompts(backbone, "t8")
    tower = TextTower(backbone, prompts.normal_context.shape[0])
    ours = tower.input_embeddings(torch.stack([prompts.normal_context, prompts.anomalous_context]))
    close(ours, golden["prompts"][:, : tower.length], 0)
    close(encode_prompts(backbone, prompts, cast_float16=True), golden["text_features"])


def test_golden_tokens():
    golden = load("tokens")
    ids = golden_backbone("t8").tokenizer([str(prompt) for prompt in golden["prompts"]])
    np.testing.assert_array_equal(ids.numpy(), golden["ids"])
