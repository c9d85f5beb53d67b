"""WinCLIP, zero-shot (Jeong et al. 2023): windows of 2×2 and 3×3 patches, each through the vision tower on its own.

As anomalib implements it: the windows are cut from the embedded patches (with their positions and the class token), a
patch takes the harmonic mean of the windows that cover it, and the scales, the whole image among them, their harmonic
mean. The map is not filtered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from open_clip.transformer import VisionTransformer
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.backbone.vision_tower import plain_blocks, resample_positions
from engine.detector.detector import Scored
from engine.detector.scoring import probabilities, upsample
from engine.evaluation.baselines.texts import WINCLIP_STATES, WINCLIP_TEMPLATES, ensemble, sentences
from engine.features.encoders import Encoder
from engine.features.image_features import ImageFeatures
from engine.images.preprocessing import preprocess
from engine.serving.engine import Engine

SCALES = (2, 3)
_WINDOWS_AT_ONCE = 512


def windows(grid: int, side: int) -> Tensor:
    """(windows, side²) numbers of the patches, row by row, under each window of a grid × grid image."""
    numbers = torch.arange(grid * grid, dtype=torch.float32).view(1, 1, grid, grid)
    return F.unfold(numbers, side)[0].T.long()


def harmonic_map(scores: Tensor, grid: int, side: int) -> Tensor:
    """(grid, grid): at each patch the harmonic mean of the windows (count,) that cover it."""
    count = grid - side + 1
    inverse = F.fold((1 / scores).expand(side * side, count * count)[None], (grid, grid), side)
    covering = F.fold(torch.ones(1, side * side, count * count, device=scores.device), (grid, grid), side)
    return (covering / inverse)[0, 0]


@torch.inference_mode()
def encode_windows(visual: VisionTransformer, images: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Images (B, 3, s, s) → (B, D) of the whole image, and (B, windows, D) for each scale; not normalised."""
    patches = visual.conv1(images)
    positions = resample_positions(visual.positional_embedding, visual.grid_size, patches.shape[-2:])
    tokens = patches.flatten(2).transpose(1, 2)
    class_token = visual.class_embedding.expand(len(tokens), 1, -1)
    embedded = torch.cat([class_token, tokens], dim=1) + positions
    grid = patches.shape[-1]
    scales = [_through_tower(visual, embedded, windows(grid, side).to(images.device)) for side in SCALES]
    everything = torch.arange(grid * grid, device=images.device)[None]
    return _through_tower(visual, embedded, everything)[:, 0], scales


def _through_tower(visual: VisionTransformer, embedded: Tensor, chosen: Tensor) -> Tensor:
    """(B, 1 + n, width) and the numbers of patches (windows, k) → (B, windows, D)."""
    parts = []
    for some in chosen.split(max(1, _WINDOWS_AT_ONCE // len(embedded))):
        patches = embedded[:, 1:][:, some]  # (B, windows, k, width)
        class_token = embedded[:, None, :1].expand(-1, len(some), -1, -1)
        tokens = torch.cat([class_token, patches], dim=2).flatten(0, 1)
        pooled = visual.ln_post(plain_blocks(visual, visual.ln_pre(tokens))[:, 0]) @ visual.proj
        parts.append(pooled.unflatten(0, (len(embedded), len(some))))
    return torch.cat(parts, dim=1)


@dataclass
class WinClip:
    """WinCLIP's zero-shot scores and maps."""

    engine: Engine
    name: str = "winclip"
    key: str = repr((WINCLIP_STATES, WINCLIP_TEMPLATES, SCALES))
    encoder: Encoder = field(init=False)
    _texts: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        key = f"{self.engine.features_key}-windows{'-float32' if self.engine.reference else ''}"
        self.encoder = Encoder(key, self._encode)

    def _encode(self, images: Sequence[Image.Image]) -> list[ImageFeatures]:
        backbone = self.engine.backbone
        batch = preprocess(images, self.engine.image_size, backbone.device, backbone.preprocessing)
        whole, scales = encode_windows(self.engine.backbone.model.visual, batch)
        dtype = torch.float32 if self.engine.reference else torch.float16
        whole = F.normalize(whole, dim=-1).to(dtype).cpu()
        rows = F.normalize(torch.cat(scales, dim=1), dim=-1).to(dtype).cpu()
        return [ImageFeatures(one.clone(), some[None].clone()) for one, some in zip(whole, rows, strict=True)]

    def text_features(self, class_name: str) -> Tensor:
        """(2, D) of the ensemble, unit length."""
        if class_name not in self._texts:
            normal, anomalous = (sentences(states, WINCLIP_TEMPLATES, class_name) for states in WINCLIP_STATES)
            self._texts[class_name] = ensemble(self.engine.backbone, (normal, anomalous), unit_first=False)
        return self._texts[class_name]

    @torch.inference_mode()
    def score(self, features: ImageFeatures, class_name: str) -> Scored:
        """Score one image of a class; the map is the harmonic mean over scales, 0–1."""
        text = self.text_features(class_name)
        score = probabilities(features.global_feature.to(text.device).float(), text)[1]
        every_window = probabilities(features.patch_features[0].to(text.device).float(), text)[:, 1]
        grid = self.engine.image_size // self.engine.info.patch_size
        scales = every_window.split([(grid - side + 1) ** 2 for side in SCALES])
        maps = [
            score.expand(grid, grid),
            *(harmonic_map(s, grid, side) for s, side in zip(scales, SCALES, strict=True)),
        ]
        whole = len(maps) / (1 / torch.stack(maps)).sum(dim=0)
        return Scored(float(score), upsample(whole[None, None], self.engine.image_size)[0, 0].cpu().numpy())
