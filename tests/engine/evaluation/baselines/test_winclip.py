"""WinCLIP: windows, the harmonic mean over them, and agreement with anomalib where it is installed."""

import pytest
import torch

from engine.backbone.clip import Backbone
from engine.evaluation.baselines.winclip import WinClip, encode_windows, harmonic_map, windows
from engine.images.preprocessing import preprocess
from engine.serving.engine import Engine
from tests.engine.conftest import picture


def test_windows_cover_their_patches_row_by_row():
    assert windows(3, 2).tolist() == [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]


def test_a_patch_takes_the_harmonic_mean_of_its_windows():
    found = harmonic_map(torch.tensor([1.0, 0.75, 0.5, 0.25]), 3, 2)
    expected = [[1.0, 0.8571, 0.75], [0.6667, 0.48, 0.375], [0.5, 0.3333, 0.25]]
    torch.testing.assert_close(found, torch.tensor(expected), atol=1e-4, rtol=0)


def test_the_whole_image_is_what_clip_encodes(backbone):
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole, scales = encode_windows(backbone.model.visual, images)
        torch.testing.assert_close(whole, backbone.model.encode_image(images), atol=1e-5, rtol=1e-4)
    assert [tuple(one.shape) for one in scales] == [(2, 9, 32), (2, 4, 32)]


def test_the_map_is_between_0_and_1_at_the_models_size(backbone):
    engine = Engine(backbone)
    method = WinClip(engine)
    scored = method.score(method.encoder.encode([picture(1)])[0], "metal_nut")
    assert scored.anomaly_map.shape == (64, 64)
    assert 0 < scored.anomaly_map.min() <= scored.anomaly_map.max() < 1


class LengthFirst(torch.nn.Module):
    """A transformer that takes (tokens, batch, width), as open_clip's did when anomalib's code was written for it."""

    def __init__(self, transformer):
        super().__init__()
        self.transformer = transformer

    def forward(self, tokens):
        return self.transformer(tokens.transpose(0, 1)).transpose(0, 1)


def anomalib_model(backbone: Backbone, monkeypatch: pytest.MonkeyPatch):
    """anomalib's WinCLIP around our weights, in place of those that it would download."""
    module = pytest.importorskip("anomalib.models.image.winclip.torch_model", reason="anomalib is not installed")
    monkeypatch.setattr(module.open_clip, "create_model_and_transforms", lambda *_, **__: (backbone.model, None, None))
    visual, cut = backbone.model.visual, module.WinClipModel._get_window_embeddings

    def with_old_layout(self, feature_map, masks):
        transformer = visual.transformer
        visual.transformer = LengthFirst(transformer)
        try:
            return cut(self, feature_map, masks)
        finally:
            visual.transformer = transformer

    monkeypatch.setattr(module.WinClipModel, "_get_window_embeddings", with_old_layout)
    return module.WinClipModel(class_name="metal nut", scales=(2, 3))


def test_scores_and_maps_agree_with_anomalib(backbone, monkeypatch):
    theirs = anomalib_model(backbone, monkeypatch)
    engine = Engine(backbone, image_size=32, reference=True)  # float32, at the grid that anomalib's masks are made for
    images = [picture(seed, 32, 32) for seed in range(3)]
    ours = WinClip(engine)
    try:
        with torch.no_grad():
            expected = theirs(preprocess(images, 32))
    finally:
        backbone.model.visual.output_tokens = False
    for number, features in enumerate(ours.encoder.encode(images)):
        scored = ours.score(features, "metal_nut")
        assert scored.score == pytest.approx(float(expected.pred_score[number]), abs=1e-5)
        torch.testing.assert_close(
            torch.from_numpy(scored.anomaly_map), expected.anomaly_map[number], atol=1e-5, rtol=0
        )
