"""PIL images and masks → tensors, in the reference's order of operations."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from engine.cores import usable_cores
from engine.serving.transfers import to_device

Pixels = npt.NDArray[np.uint8]
Size = tuple[int, int]  # height, width in px
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


Interpolation = Literal["bicubic", "bilinear"]
_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True)
class Preprocessing:
    """How a model wants its images; as CLIP does where nothing is said.

    Attributes:
        mean: of the channels R, G, B, 0–1; subtracted.
        std: what is then divided by.
        interpolation: of the resize.
    """

    mean: tuple[float, float, float] = MEAN
    std: tuple[float, float, float] = STD
    interpolation: Interpolation = "bicubic"


CLIPS_OWN = Preprocessing()


def preprocess(
    images: Sequence[Image.Image],
    size: int | Size,
    device: torch.device | str = "cpu",
    how: Preprocessing = CLIPS_OWN,
) -> Tensor:
    """(B, 3, h, w) float32: images brought to one size, then mean and deviation. See `to_pixels`."""
    if len(images) == 1:
        return normalise([to_pixels(images[0], size, how.interpolation)], device, how)
    return normalise(list(_threads().map(to_pixels, images, repeat(size), repeat(how.interpolation))), device, how)


def to_pixels(image: Image.Image, size: int | Size, interpolation: Interpolation = "bicubic") -> Pixels:
    """(h, w, 3) uint8: resized straight to `size` (h, w), or a square of that side, by PIL, then RGB.

    The resize runs in the file's own mode, as in the reference: palette and bilevel pictures are resized by nearest
    neighbour, alpha weighs the colours while resizing and is then dropped.
    """
    return np.asarray(_resize(image, size, _RESAMPLING[interpolation]).convert("RGB"))


def normalise(pixels: Sequence[Pixels], device: torch.device | str = "cpu", how: Preprocessing = CLIPS_OWN) -> Tensor:
    """(h, w, 3) uint8 each → (B, 3, h, w) float32 by mean and deviation. What goes to the device are bytes."""
    batch = to_device(pixels, torch.device(device)).permute(0, 3, 1, 2)
    mean, std = (torch.tensor(of, device=device).view(1, 3, 1, 1) for of in (how.mean, how.std))
    return (batch.float() / 255 - mean) / std


@cache
def _threads() -> ThreadPoolExecutor:
    """One for each core: Pillow lets go of Python's lock while it resizes."""
    return ThreadPoolExecutor(usable_cores(), thread_name_prefix="resize")


def _resize(image: Image.Image, size: int | Size, resample: Image.Resampling) -> Image.Image:
    """Resize to (h, w), or to a square of that side, with the two passes in the order of Pillow 13, which the golden
    numbers come from.

    Each pass rounds to 8 bits, so the order shows. Pillow 12 always starts horizontally; Pillow 13 starts vertically
    where the height shrinks by more than twice what the width does. One pass at a time is equal in both.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if image.mode in ("1", "P"):
        return image.resize((width, height))
    vertical_first = image.height > height and image.height - height > 2 * (image.width - width)
    between = (image.width, height) if vertical_first else (width, image.height)
    weighted = {"RGBA": "RGBa", "LA": "La"}.get(image.mode)
    if weighted is None:
        return image.resize(between, resample).resize((width, height), resample)
    # Pillow weighs colours by alpha around each resize; here once around both passes.
    passes = image.convert(weighted).resize(between, resample).resize((width, height), resample)
    return passes.convert(image.mode)


def preprocess_mask(mask: npt.NDArray[np.uint8], size: int | Size, *, keep_small: bool = False) -> Tensor:
    """(h, w) uint8 of 0 and 1: nonzero is anomalous, resized bilinearly, then cut at one half.

    Args:
        mask: (H, W), nonzero where anomalous.
        size: (h, w), or the side of a square.
        keep_small: where a cut at one half would leave nothing of an anomaly (a hairline on a large image), cut at
            half of the largest value instead. Not in the reference.
    """
    picture = Image.fromarray(np.where(mask > 0, 255, 0).astype(np.uint8))
    values = np.asarray(_resize(picture, size, Image.Resampling.BILINEAR), dtype=np.float32) / 255
    threshold = 0.5
    if keep_small and 0 < values.max() <= threshold:
        threshold = float(values.max()) / 2
    return torch.from_numpy((values > threshold).astype(np.uint8))


def mask_shares(mask: npt.NDArray[np.uint8], size: Size) -> Tensor:
    """(h, w) float32: the share of each cell's area that the mask marks, so that a hairline is never lost.

    Args:
        mask: (H, W), nonzero where anomalous.
        size: (h, w), coarser or finer than the mask.
    """
    marked = Image.fromarray((mask > 0).astype(np.float32))
    return torch.from_numpy(np.asarray(marked.resize((size[1], size[0]), Image.Resampling.BOX)).copy()).clamp_(0, 1)
