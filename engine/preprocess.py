"""PIL images and masks → tensors, in the reference's order of operations."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def preprocess(images: Sequence[Image.Image], image_size: int) -> Tensor:
    """(B, 3, s, s) float32: resized straight to s × s by PIL's bicubic, then RGB, then CLIP's mean and deviation.

    The resize runs in the file's own mode, as in the reference: palette and bilevel pictures are resized by nearest
    neighbour, alpha weighs the colours while resizing and is then dropped.
    """
    resized = [_resize(image, image_size).convert("RGB") for image in images]
    pixels = torch.from_numpy(np.stack([np.asarray(image) for image in resized])).permute(0, 3, 1, 2)
    mean, std = torch.tensor(MEAN).view(1, 3, 1, 1), torch.tensor(STD).view(1, 3, 1, 1)
    return (pixels.float() / 255 - mean) / std


def _resize(image: Image.Image, image_size: int) -> Image.Image:
    return image.resize((image_size, image_size), Image.Resampling.BICUBIC)


def preprocess_mask(mask: npt.NDArray[np.uint8], image_size: int) -> Tensor:
    """(s, s) uint8 of 0 and 1: nonzero is anomalous, resized bilinearly, then cut at one half."""
    picture = Image.fromarray(np.where(mask > 0, 255, 0).astype(np.uint8))
    resized = picture.resize((image_size, image_size), Image.Resampling.BILINEAR)
    return torch.from_numpy((np.asarray(resized, dtype=np.float32) / 255 > 0.5).astype(np.uint8))
