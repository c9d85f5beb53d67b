"""What methods see of an image: each kind of features is encoded once, kept on disk, and shared by all that read it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.backbone.vision_tower import Attention, TwoStreamVision
from engine.features.image_features import ImageFeatures, split_batch
from engine.images.preprocessing import preprocess
from engine.serving.engine import Engine


@dataclass(frozen=True)
class Encoder:
    """One kind of features.

    Attributes:
        cache_key: names all that the features depend on besides the image; a folder of the cache.
        encode: upright 8-bit images of any sizes → their features, one each.
        rows: which of the layers' rows are read, so that methods that read some of them share what is cached.
    """

    cache_key: str
    encode: Callable[[Sequence[Image.Image]], list[ImageFeatures]]
    rows: tuple[int, ...] | None = None

    @property
    def key(self) -> str:
        """Names all that what is read depends on besides the image."""
        return self.cache_key if self.rows is None else f"{self.cache_key} rows {self.rows}"

    def pick(self, features: ImageFeatures) -> ImageFeatures:
        """What is read of all that is cached of an image."""
        if self.rows is None:
            return features
        return replace(features, patch_features=features.patch_features[list(self.rows)])


def only_layers(encoder: Encoder, layers: tuple[int, ...], chosen: tuple[int, ...]) -> Encoder:
    """The same features, of some of the encoder's layers alone."""
    return replace(encoder, rows=tuple(layers.index(layer) for layer in chosen) if chosen != layers else None)


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
    tower = TwoStreamVision(visual, 0, "off")
    layers = engine.info.layers

    @torch.inference_mode()
    def encode(images: Sequence[Image.Image]) -> list[ImageFeatures]:
        blocks = [tokens for tokens, _ in tower.blocks(_batch(engine, images))]
        whole = F.normalize(visual.ln_post(blocks[-1][:, 0]) @ visual.proj, dim=-1).to(_dtype(engine)).cpu()
        tokens = torch.stack([blocks[number - 1][:, 1:] for number in layers], dim=1).to(_dtype(engine)).cpu()
        return [ImageFeatures(one.clone(), rows.clone()) for one, rows in zip(whole, tokens, strict=True)]

    return Encoder(_key(engine, "-raw"), encode)


def variant_features(engine: Engine, attention: Attention) -> Encoder:
    """Like `local_features`, with another attention in the local stream."""
    info = engine.info
    tower = TwoStreamVision(engine.backbone.model.visual, info.dpam_layer, attention)

    @torch.inference_mode()
    def encode(images: Sequence[Image.Image]) -> list[ImageFeatures]:
        split = split_batch(tower(_batch(engine, images), info.layers), info.layers, _dtype(engine))
        return [features.cpu() for features in split]

    return Encoder(_key(engine, f"-{attention}"), encode)


def _batch(engine: Engine, images: Sequence[Image.Image]) -> Tensor:
    return preprocess(images, engine.image_size, engine.backbone.device, engine.backbone.preprocessing)


def _dtype(engine: Engine) -> torch.dtype:
    return torch.float32 if engine.reference else torch.float16


def _key(engine: Engine, kind: str) -> str:
    return f"{engine.features_key}{kind}{'-float32' if engine.reference else ''}"
