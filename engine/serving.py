"""The engine that the others call: images → features → scores and maps, with prompts that can change at any moment."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from engine.backbone import Backbone, BackboneInfo
from engine.batching import MicroBatcher
from engine.errors import BackboneError
from engine.features import FeatureCache, ImageFeatures, split_units, unit_features
from engine.maps import FloatMap
from engine.preprocess import Pixels, normalise, preprocess
from engine.prompt_files import read_prompts
from engine.prompts import Prompts, encode_prompts
from engine.recorded import SIZES, RecordedWork
from engine.scoring import anomaly_maps, probabilities
from engine.transfers import to_host

logger = logging.getLogger(__name__)

# Images that go through the model together where many wait: a GPU needs them to be busy; for a CPU more are no faster,
# and the first of them would wait for the last.
_BATCH_ON_GPU, _BATCH_ON_CPU = 32, 4


@dataclass(frozen=True)
class Scored:
    """What one set of prompts says of one image.

    Attributes:
        score: P(anomalous) of the global feature, 0–1.
        anomaly_map: (s, s) float32, the mean over layers of ½(1 − S_n) + ½S_a, Gaussian-filtered, 0–1; with the
            reference's choices the sum over layers.
    """

    score: float
    anomaly_map: FloatMap


class Engine:
    """A backbone at one resolution, safe to call from several threads.

    Args:
        backbone: what to encode with.
        image_size: side in px that images are resized to; 0 takes the backbone's own.
        cache_folder: where features are kept; None keeps none.
        cache_bytes: how much the cache may hold.
        reference: make all of the reference implementation's choices: float32 features, deep tokens rounded to
            float16, and maps that are sums over layers. It keeps no cache.

    Raises:
        BackboneError: the size is not a multiple of the backbone's patches; the reference in a reduced precision.
    """

    def __init__(
        self,
        backbone: Backbone,
        *,
        image_size: int = 0,
        cache_folder: Path | None = None,
        cache_bytes: int = 4 << 30,
        reference: bool = False,
    ) -> None:
        self.backbone = backbone
        self.reference = reference
        self.image_size = image_size or backbone.info.image_size
        patch = backbone.info.patch_size
        if self.image_size % patch:
            below = max(self.image_size // patch, 1) * patch
            raise BackboneError(
                f"ANOMALYLOOP_IMAGE_SIZE={self.image_size} is not a multiple of the patches of {backbone.info.name} "
                f"({patch} px). Use {below} or {below + patch}."
            )
        if reference and backbone.precision != "fp32":
            raise BackboneError(
                f"The reference computes in float32, and the backbone is in {backbone.precision}. "
                "Leave the precision at auto, or set it to fp32."
            )
        folder = None if reference else cache_folder
        self.cache = FeatureCache(folder, self.features_key, cache_bytes) if folder else None
        on_gpu = backbone.device.type == "cuda"
        self.batch_size = _BATCH_ON_GPU if on_gpu else _BATCH_ON_CPU
        self._encode_together = MicroBatcher(self._encode, self.batch_size)
        self._run_tower = RecordedWork(self._unit_features) if on_gpu else self._unit_features
        self._text_features: dict[str, Tensor] = {}

    @property
    def info(self) -> BackboneInfo:
        """The backbone's facts."""
        return self.backbone.info

    @property
    def features_key(self) -> str:
        """Names all that features depend on besides the image."""
        precision = self.backbone.precision
        return f"{self.info.fingerprint[:16]}-{self.image_size}{'' if precision == 'fp32' else f'-{precision}'}"

    def warm_up(self) -> None:
        """Have the device compile and record what it runs, so that no image waits for it; a plain CPU does neither.

        Raises:
            BackboneError: the blocks were to be compiled, and can't be here.
        """
        device, side = self.backbone.device, self.image_size
        sizes = SIZES if device.type == "cuda" else (1,) if self.backbone.compiled else ()
        try:
            for size in sizes:
                self._encode_together(torch.zeros(size, 3, side, side, device=device))
        except torch.OutOfMemoryError as error:
            logger.warning("This GPU has no room for %d images of %d px at once: %s", size, side, error)
        except RuntimeError as error:
            if not self.backbone.compiled:
                raise
            raise BackboneError(
                f"torch.compile can't work here ({type(error).__name__}: {str(error).splitlines()[0]}). "
                "It needs a C compiler; or set ANOMALYLOOP_COMPILE to 0."
            ) from error

    def encode(self, images: Sequence[Image.Image]) -> list[ImageFeatures]:
        """Features, in the CPU's memory, of upright 8-bit images of any sizes; other threads' images may join them."""
        return [features.cpu() for features in self._encode_on_device(images)]

    def score_images(self, images: Sequence[Image.Image], text_features: Tensor) -> list[Scored]:
        """Score images whose features nobody needs afterwards: they never leave the device."""
        return self.score(self._encode_on_device(images), text_features)

    def score_pixels(self, pixels: Sequence[Pixels], text_features: Tensor) -> list[Scored]:
        """The same of images that `to_pixels` brought to the engine's size elsewhere, ahead of the model."""
        return self.score(self._encode_together(normalise(pixels, self.backbone.device)), text_features)

    def _encode_on_device(self, images: Sequence[Image.Image]) -> list[ImageFeatures]:
        return self._encode_together(preprocess(images, self.image_size, self.backbone.device))

    @torch.inference_mode()
    def _encode(self, batch: Tensor) -> list[ImageFeatures]:
        return split_units(*self._run_tower(batch))

    def _unit_features(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        features = self.backbone.vision(batch, self.info.layers)
        return unit_features(features, self.info.layers, torch.float32 if self.reference else torch.float16)

    def features(self, sha256: str, decode: Callable[[], Image.Image]) -> tuple[ImageFeatures, bool]:
        """Features of one image, from the cache or encoded now.

        Args:
            sha256: of the image's bytes.
            decode: gives the image; called only when it must be encoded.

        Returns:
            the features, and whether they had to be encoded.
        """
        cached = self.cache.get(sha256) if self.cache else None
        if cached is not None:
            return cached, False
        encoded = self.encode([decode()])[0]
        if self.cache:
            self.cache.put(sha256, encoded)
        return encoded, True

    def load_prompts(self, data: bytes) -> Prompts:
        """Read a prompt file of either format. Raises PromptError, also for another backbone's."""
        return read_prompts(data, self.backbone)

    def text_features(self, key: str, load: Callable[[], bytes]) -> Tensor:
        """Text features (2, D) of a prompt file, encoded once.

        Args:
            key: sha256 of the file.
            load: gives its bytes; called only the first time.

        Raises:
            PromptError: see `load_prompts`.
        """
        if key not in self._text_features:
            self._text_features[key] = self.encode_prompts(self.load_prompts(load()))
        return self._text_features[key]

    def encode_prompts(self, prompts: Prompts) -> Tensor:
        """Text features (2, D), unit length, order normal, anomalous."""
        return encode_prompts(self.backbone, prompts, cast_float16=self.reference)

    @torch.inference_mode()
    def score(self, features: Sequence[ImageFeatures], text_features: Tensor) -> list[Scored]:
        """Score images that were encoded, with the text features (2, D) of some prompts."""
        batches = [features[start : start + self.batch_size] for start in range(0, len(features), self.batch_size)]
        return [scored for batch in batches for scored in self._score_batch(batch, text_features)]

    def _score_batch(self, features: Sequence[ImageFeatures], text_features: Tensor) -> list[Scored]:
        device = text_features.device
        whole = torch.stack([one.global_feature for one in features]).to(device)
        patches = torch.stack([one.patch_features for one in features], dim=1).to(device)
        scores = probabilities(whole.float(), text_features)[:, 1]
        maps = anomaly_maps(probabilities(patches.float(), text_features), self.image_size)
        maps = maps if self.reference else maps / len(patches)
        scores, maps = to_host(scores, maps)
        return [Scored(score, found) for score, found in zip(scores.tolist(), maps.numpy(), strict=True)]
