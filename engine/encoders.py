"""What methods see of an image: each kind of features is encoded once, kept on disk, and shared by all that read it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.features import ImageFeatures, split_batch
from engine.preprocess import preprocess
from engine.serving import Engine
from engine.vision import TwoStreamVision


@dataclass(frozen=True)
class Encoder:
    """One kind of features.

    Attributes:
        key: names all that the features depend on besides the image; a folder of the cache.
        encode: upright 8-bit images of any sizes → their features, one each.
    """

    key: str
    encode: Callable[[Sequence[Image.Image]], list[ImageFeatures]]


def local_features(engine: Engine) -> Encoder:
    """AnomalyCLIP's: the global feature, and the local stream's patches of the backbone's layers."""
    return Encoder(_key(engine, ""), engine.encode)


def plain_features(engine: Engine) -> Encoder:
    """CLIP's own: the class token in the joint space, and the last block's patches (1, n, D) as if they were one."""
    visual = engine.backbone.model.visual
    tower, last = TwoStreamVision(visual, 0, "off"), len(visual.transformer.resblocks)

    @torch.inference_mode()
    def encode(images: Sequence[Image.Image]) -> list[ImageFeatures]:
        tokens = tower(_batch(engine, images), (last,)).patch_features[last]
        unit = F.normalize(tokens, dim=-1).to(_dtype(engine)).cpu()
        return [ImageFeatures(one[0].clone(), one[1:][None].clone()) for one in unit]

    return Encoder(_key(engine, "-plain"), encode)


def raw_tokens(engine: Engine) -> Encoder:
    """CLIP's class token in the joint space, and its blocks' own patch tokens (L, n, width), before `ln_post`."""
    visual = engine.backbone.model.visual
    tower, last = TwoStreamVision(visual, 0, "off"), len(visual.transformer.resblocks)
    layers = engine.info.layers

    @torch.inference_mode()
    def encode(images: Sequence[Image.Image]) -> list[ImageFeatures]:
        kept: dict[int, Tensor] = {}
        hooks = [
            visual.transformer.resblocks[number - 1].register_forward_hook(
                lambda _block, _given, tokens, number=number: kept.__setitem__(number, tokens)
            )
            for number in layers
        ]
        try:
            whole = tower(_batch(engine, images), (last,)).patch_features[last][:, 0]
        finally:
            for hook in hooks:
                hook.remove()
        whole = F.normalize(whole, dim=-1).to(_dtype(engine)).cpu()
        tokens = torch.stack([kept[number][:, 1:] for number in layers], dim=1).to(_dtype(engine)).cpu()
        return [ImageFeatures(one.clone(), rows.clone()) for one, rows in zip(whole, tokens, strict=True)]

    return Encoder(_key(engine, "-raw"), encode)


def variant_features(engine: Engine, attention: str, dpam_layer: int, layers: tuple[int, ...]) -> Encoder:
    """Like `local_features` with another attention in the local stream, another reach, or other layers."""
    tower = TwoStreamVision(engine.backbone.model.visual, dpam_layer, attention)  # type: ignore[arg-type]

    @torch.inference_mode()
    def encode(images: Sequence[Image.Image]) -> list[ImageFeatures]:
        return split_batch(tower(_batch(engine, images), layers), layers, _dtype(engine))

    return Encoder(_key(engine, f"-{attention}{dpam_layer}-{'.'.join(map(str, layers))}"), encode)


def _batch(engine: Engine, images: Sequence[Image.Image]) -> Tensor:
    return preprocess(images, engine.image_size).to(engine.backbone.device)


def _dtype(engine: Engine) -> torch.dtype:
    return torch.float32 if engine.reference else torch.float16


def _key(engine: Engine, kind: str) -> str:
    precision = "-float32" if engine.reference else ""
    return f"{engine.info.fingerprint[:16]}-{engine.image_size}{kind}{precision}"
