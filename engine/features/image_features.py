"""What the vision tower says of one image, and the cache on disk that keeps it from being asked twice."""

import contextlib
import logging
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors
from torch import Tensor
from torch.nn import functional as F

from engine.backbone.vision_tower import ClassToken, VisionFeatures
from engine.images.shapes import Grid, square

logger = logging.getLogger(__name__)

_TEXTURES = ("texture_4", "texture_8", "texture_16")  # by stride, as the files of the cache name them


@dataclass(frozen=True)
class Surface:
    """What a refiner sees of an image's pixels, finer than patches.

    Attributes:
        pixels: (h, w, 3) uint8 RGB, the image at the refiner's size.
        textures: float16 features of the texture eye: (24, h/2, w/2), (40, h/4, w/4), (112, h/8, w/8).
    """

    pixels: Tensor
    textures: tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class ImageFeatures:
    """Features of one image, unit length.

    float16 by default, fresh and from the cache alike, so that scores are the same: rounding unit vectors to float16
    moves a probability by less than 1e-4. float32 with the reference's choices.

    Attributes:
        global_feature: (D,), the class token as the reference takes it; see `by_class_token`.
        patch_features: (L, n, D), one row of patches a layer, class token dropped.
        patch_grid: how the n patches lie; None: a square.
        surface: its pixels and textures; None where nobody asked for them.
        normed_feature: (D,), the class token after `ln_post`; None of features that know one kind only.
    """

    global_feature: Tensor
    patch_features: Tensor
    patch_grid: Grid | None = None
    surface: Surface | None = None
    normed_feature: Tensor | None = None

    @property
    def grid(self) -> Grid:
        """How the n patches lie."""
        return self.patch_grid or square(round(self.patch_features.shape[1] ** 0.5))

    def cpu(self) -> "ImageFeatures":
        """The same features in the CPU's memory."""
        normed = None if self.normed_feature is None else self.normed_feature.cpu()
        return replace(
            self,
            global_feature=self.global_feature.cpu(),
            patch_features=self.patch_features.cpu(),
            normed_feature=normed,
        )

    def by_class_token(self, class_token: ClassToken) -> "ImageFeatures":
        """The features that a version reads, whose global feature is of this kind; doing it twice is the same as once.

        Features that know one kind only stay as they are: whoever made them chose.
        """
        if class_token == "straight" or self.normed_feature is None:
            return self
        return replace(self, global_feature=self.normed_feature)


def surface_of(features: ImageFeatures) -> Surface:
    """The surface of features that were encoded with it. Raises ValueError where they were not."""
    if features.surface is None:
        raise ValueError("These features come without their surface, which this needs: encode with surface=True.")
    return features.surface


def unit_features(
    features: VisionFeatures, layers: tuple[int, ...], dtype: torch.dtype = torch.float16
) -> tuple[Tensor, Tensor]:
    """What is kept of a batch of the vision tower, unit length.

    Returns:
        (B, 2, D): the class token straight and normed; (B, L, n, D) patches.
    """
    whole = torch.stack([features.global_features, features.normed_features], dim=1)
    stacked = torch.stack([features.patch_features[layer][:, 1:] for layer in layers], dim=1)
    return F.normalize(whole, dim=-1).to(dtype), F.normalize(stacked, dim=-1).to(dtype)


def split_batch(
    features: VisionFeatures, layers: tuple[int, ...], dtype: torch.dtype = torch.float16
) -> list[ImageFeatures]:
    """A batch of the vision tower → one `ImageFeatures` an image, on the tower's device."""
    return split_units(*unit_features(features, layers, dtype))


def split_units(global_features: Tensor, patch_features: Tensor, grid: Grid | None = None) -> list[ImageFeatures]:
    """(B, 2, D) and (B, L, n, D) → one `ImageFeatures` an image, on the same device, in memory of its own."""
    return [
        ImageFeatures(whole[0].clone(), patches.clone(), grid, normed_feature=whole[1].clone())
        for whole, patches in zip(global_features, patch_features, strict=True)
    ]


class FeatureCache:
    """Files `<folder>/<key of the encoder>/<ab>/<sha256 of the image>.safetensors`, the oldest read evicted first.

    Args:
        folder: where; made when it isn't there.
        encoder_key: names all that features depend on besides the image: backbone, resolution, layers.
        budget_bytes: how much the folder may hold, all encoders together.
    """

    def __init__(self, folder: Path, encoder_key: str, budget_bytes: int) -> None:
        self._root = folder
        self._folder = folder / encoder_key
        self._budget = budget_bytes
        self._folder.mkdir(parents=True, exist_ok=True)
        self._since_eviction = budget_bytes  # so that the first write looks
        self._size = 0  # of the file that was written or read last
        self.hits = 0  # how often `get` found what it was asked for, in this process
        self.misses = 0

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / f"{sha256}.safetensors"

    def get(self, sha256: str) -> ImageFeatures | None:
        """The features of an image, or None; a damaged file counts as missing and is removed.

        They are mapped into memory: the system reads what is used, may drop it again, and keeps the file's content
        for as long as they live, also when it is evicted meanwhile.
        """
        found = self._read(sha256)
        if found is None:
            self.misses += 1
        else:
            self.hits += 1
        return found

    def _read(self, sha256: str) -> ImageFeatures | None:
        path = self._path(sha256)
        try:
            with _open(path) as file:
                found = _from_tensors({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
            os.utime(path)
            self._size = path.stat().st_size
            return found
        except FileNotFoundError:
            return None
        except (SafetensorError, KeyError):  # cut off, or without one of the tensors
            path.unlink(missing_ok=True)
            return None

    def global_feature(self, sha256: str) -> Tensor | None:
        """The global feature (D,) alone, or None; much faster than `get`, whose patch features it does not read."""
        try:
            with _open(self._path(sha256)) as file:
                return file.get_tensor("global_feature")
        except (FileNotFoundError, SafetensorError):
            return None

    @property
    def room(self) -> int:
        """How many images the budget is enough for, all like the one that was kept or read last; 0: not known."""
        return int(0.95 * self._budget / self._size) if self._size else 0

    def has(self, sha256: str) -> bool:
        """Whether `get` would find the image's features."""
        return self._path(sha256).exists()

    def put(self, sha256: str, features: ImageFeatures) -> None:
        """Keep the features; the file appears whole or not at all, and a disk that is full costs a warning."""
        path = self._path(sha256)
        data = save_tensors(_to_tensors(features))
        try:
            _write_whole(path, data)
        except OSError as error:  # a full disk, mostly: the image is encoded again when it is needed again
            logger.warning("Features could not be kept in %s (%s).", self._root, error)
            return
        self._size = len(data)
        self._since_eviction += len(data)
        if self._since_eviction > self._budget / 20:
            self._evict()
            self._since_eviction = 0

    def _evict(self) -> None:
        files = []
        for path in self._root.rglob("*.safetensors"):
            with contextlib.suppress(FileNotFoundError):  # another process evicts too
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._budget * 0.95:
                return
            path.unlink(missing_ok=True)
            total -= size


def _to_tensors(features: ImageFeatures) -> dict[str, Tensor]:
    tensors = {
        "global_feature": features.global_feature,
        "patch_features": features.patch_features,
        "grid": torch.tensor(features.grid, dtype=torch.int16),
    }
    if features.normed_feature is not None:
        tensors["normed_feature"] = features.normed_feature
    if features.surface is not None:
        tensors["pixels"] = features.surface.pixels
        tensors |= dict(zip(_TEXTURES, features.surface.textures, strict=True))
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def _from_tensors(tensors: dict[str, Tensor]) -> ImageFeatures:
    surface = None
    if "pixels" in tensors:
        fine, middle, coarse = (tensors[name] for name in _TEXTURES)
        surface = Surface(tensors["pixels"], (fine, middle, coarse))
    grid = Grid(*tensors["grid"].tolist())
    normed = tensors.get("normed_feature")
    return ImageFeatures(tensors["global_feature"], tensors["patch_features"], grid, surface, normed)


def _open(path: Path) -> safe_open:
    """A file of the cache. Raises FileNotFoundError, also where another process evicts it just now."""
    try:
        return safe_open(path, "pt")
    except RuntimeError as error:  # torch's, which maps the file after safetensors has read its head
        if "No such file" in str(error):
            raise FileNotFoundError(path) from error
        raise


def _write_whole(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.replace(file.name, path)
        except OSError:
            os.unlink(file.name)
            raise
