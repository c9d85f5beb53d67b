"""The engine that the others call: images → features → scores and maps, by a detector that can change at any moment."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.backbone.clip import Backbone, BackboneInfo
from engine.backbone.recording import SIZES, RecordedWork
from engine.backbone.texture import CODE_VERSION, TextureEye, load_texture_eye
from engine.detector.detector import Detector, Scored
from engine.detector.files import read_detector
from engine.detector.prompts import Prompts
from engine.errors import BackboneError
from engine.features.image_features import FeatureCache, ImageFeatures, Surface, split_units, unit_features
from engine.images.decoding import Decoder
from engine.images.preprocessing import Pixels, normalise, to_pixels
from engine.images.shapes import Grid, grid_for, proportional, square
from engine.serving.batching import MicroBatcher
from engine.serving.transfers import to_device

logger = logging.getLogger(__name__)

# Images that go through the model together where many wait: a GPU needs them to be busy; for a CPU more are no faster,
# and the first of them would wait for the last.
_BATCH_ON_GPU, _BATCH_ON_CPU = 32, 4
# The refiner sees a square image at 256 px, in cells of 8 px, and the texture eye at twice that.
SURFACE_SIDE, SURFACE_CELL = 32, 8
# Detectors that are kept ready: those of a project or two, with the ones that they are compared with.
_DETECTORS = 8
# Grows with each change of what features of the same image mean.
_FEATURES_VERSION = 4


@dataclass(frozen=True)
class Prepared:
    """An image at the sizes that the model takes it in, decoded and resized ahead of it.

    Attributes:
        pixels: (h, w, 3) for the vision tower.
        surface: (2H, 2W, 3) for the texture eye; None where nobody asks for it.
    """

    pixels: Pixels
    surface: Pixels | None = None


class Engine:
    """A backbone at one resolution, safe to call from several threads.

    Args:
        backbone: what to encode with.
        image_size: side in px of the square that sets how many patches an image has; 0 takes the backbone's own.
        cache_folder: where features are kept; None keeps none.
        cache_bytes: how much the cache may hold.
        squashed: bring every image to the square, as the paper does, in place of a grid of its own proportions.
        reference: make all of the reference implementation's choices: squashed images, float32 features, deep tokens
            rounded to float16, and maps that are sums over layers. It keeps no cache.
        decoder: how whoever reads files for it decodes them: with which limits, and how more than 8 bits are seen.

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
        squashed: bool = False,
        reference: bool = False,
        decoder: Decoder | None = None,
    ) -> None:
        self.backbone = backbone
        self.decoder = decoder or Decoder()
        self.reference = reference
        self.squashed = squashed or reference
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
        self._detectors: dict[str, Detector] = {}

    @property
    def info(self) -> BackboneInfo:
        """The backbone's facts."""
        return self.backbone.info

    @property
    def features_key(self) -> str:
        """Names all that features depend on besides the image."""
        precision = "" if self.backbone.precision == "fp32" else f"-{self.backbone.precision}"
        shape = "-squashed" if self.squashed else ""
        return f"{self.info.fingerprint[:16]}-{self.image_size}{precision}{shape}-{_FEATURES_VERSION}.{CODE_VERSION}"

    @cached_property
    def eye(self) -> TextureEye:
        """The texture eye, loaded when first needed."""
        return load_texture_eye(self.backbone.device)

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

    def grid_for(self, width: int, height: int) -> Grid:
        """The patches that an image of this size, in px, is seen in."""
        side = self.image_size // self.info.patch_size
        return square(side) if self.squashed else grid_for(width, height, side)

    def surface_for(self, width: int, height: int) -> Grid:
        """(H, W) px of the surface of an image of this size; the texture eye sees twice that."""
        return proportional(width, height, SURFACE_SIDE).times(SURFACE_CELL)

    def prepare(self, image: Image.Image, *, surface: bool = False) -> Prepared:
        """Bring an upright 8-bit image to the model's sizes; with `surface`, for the texture eye too."""
        how = self.backbone.preprocessing
        pixels = to_pixels(image, self.grid_for(*image.size).times(self.info.patch_size), how.interpolation)
        if not surface:
            return Prepared(pixels)
        return Prepared(pixels, to_pixels(image, self.surface_for(*image.size).times(2)))

    def normalise(self, pixels: Sequence[Pixels]) -> Tensor:
        """(h, w, 3) uint8 each → (B, 3, h, w) on the backbone's device, as it wants them."""
        return normalise(pixels, self.backbone.device, self.backbone.preprocessing)

    def encode(self, images: Sequence[Image.Image], *, surface: bool = False) -> list[ImageFeatures]:
        """Features, in the CPU's memory, of upright 8-bit images of any sizes; other threads' images may join them."""
        prepared = [self.prepare(image, surface=surface) for image in images]
        return [features.cpu() for features in self.encode_prepared(prepared)]

    def encode_prepared(self, prepared: Sequence[Prepared]) -> list[ImageFeatures]:
        """Features, where the model left them, of images that `prepare` brought to size."""
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for position, one in enumerate(prepared):
            by_shape.setdefault(one.pixels.shape, []).append(position)
        encoded: dict[int, ImageFeatures] = {}
        for positions in by_shape.values():
            batch = self.normalise([prepared[position].pixels for position in positions])
            encoded |= dict(zip(positions, self._encode_together(batch), strict=True))
        surfaces = [None if one.surface is None else self._surface(one.surface) for one in prepared]
        return [replace(encoded[number], surface=surface) for number, surface in enumerate(surfaces)]

    @torch.inference_mode()
    def _encode(self, batch: Tensor) -> list[ImageFeatures]:
        patch = self.info.patch_size
        whole, patches = self._run_tower(batch)
        return split_units(whole, patches, Grid(batch.shape[-2] // patch, batch.shape[-1] // patch))

    def _unit_features(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        features = self.backbone.vision(batch, self.info.layers)
        return unit_features(features, self.info.layers, torch.float32 if self.reference else torch.float16)

    @torch.inference_mode()
    def _surface(self, pixels: Pixels) -> Surface:
        batch = to_device([pixels], self.backbone.device).permute(0, 3, 1, 2).float()
        fine, middle, coarse = (one[0].half().contiguous().cpu() for one in self.eye(batch / 255))
        halved = F.avg_pool2d(batch, 2)[0].round().to(torch.uint8).permute(1, 2, 0)
        return Surface(halved.contiguous().cpu(), (fine, middle, coarse))

    def features(self, sha256: str, decode: Callable[[], Image.Image]) -> tuple[ImageFeatures, bool]:
        """Features of one image with its surface, from the cache or encoded now.

        Args:
            sha256: of the image's bytes.
            decode: gives the image; called only when it must be encoded.

        Returns:
            the features, and whether they had to be encoded.
        """
        cached = self.cache.get(sha256) if self.cache else None
        if cached is not None:
            return cached, False
        encoded = self.encode([decode()], surface=True)[0]
        if self.cache:
            self.cache.put(sha256, encoded)
        return encoded, True

    def detector(self, key: str, load: Callable[[], bytes]) -> Detector:
        """The detector of a file, read once for as long as it is among the last few.

        Args:
            key: sha256 of the file.
            load: gives its bytes; called only the first time.

        Raises:
            PromptError: see `read_detector`.
        """
        found = self._detectors.get(key)
        if found is None:
            found = self._detectors[key] = self.load_detector(load())
            # The one that was read first goes: each holds what it said of all its corrections.
            while len(self._detectors) > _DETECTORS:
                self._detectors.pop(next(iter(self._detectors)), None)
        return found

    def load_detector(self, data: bytes) -> Detector:
        """Read a detector's file, or one of prompts. Raises PromptError, also for another backbone's."""
        return read_detector(data, self.backbone, reference=self.reference)

    def detector_of(self, prompts: Prompts) -> Detector:
        """A detector of which nothing but its prompts was learnt. Raises PromptError on another backbone's sizes."""
        return Detector.of_prompts(self.backbone, prompts, reference=self.reference)

    def score(self, features: Sequence[ImageFeatures], detector: Detector) -> list[Scored]:
        """Score images that were encoded."""
        batches = [features[start : start + self.batch_size] for start in range(0, len(features), self.batch_size)]
        return [scored for batch in batches for scored in detector.score(batch)]

    def score_images(self, images: Sequence[Image.Image], detector: Detector) -> list[Scored]:
        """Score images whose features nobody needs afterwards: they never leave the device."""
        return self.score_prepared([self.prepare(image, surface=detector.sees_surface) for image in images], detector)

    def score_prepared(self, prepared: Sequence[Prepared], detector: Detector) -> list[Scored]:
        """The same of images that `prepare` brought to the engine's sizes elsewhere, ahead of the model."""
        return self.score(self.encode_prepared(prepared), detector)
