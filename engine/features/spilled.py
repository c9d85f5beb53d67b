"""Tensors on disk that read as tensors in memory: the system loads what is used and drops what isn't."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.features.image_features import ImageFeatures, Surface


class SpilledFeatures:
    """Keeps features of more images than fit into memory; the file is removed with the object.

    Args:
        folder: where the file is made; None: the system's folder for temporary files.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="features-", dir=folder)
        self._path = Path(self._folder.name) / "tensors"
        self._file = self._path.open("wb")

    def keep(self, features: ImageFeatures) -> ImageFeatures:
        """The same features, their patches and surface on disk. Raises OSError when the disk is full."""
        surface = features.surface
        if surface is not None:
            fine, middle, coarse = (self._spill(one) for one in surface.textures)
            surface = Surface(self._spill(surface.pixels), (fine, middle, coarse))
        return replace(features, patch_features=self._spill(features.patch_features), surface=surface)

    def _spill(self, tensor: Tensor) -> Tensor:
        values = tensor.contiguous().numpy()
        offset = self._file.tell()
        self._file.write(values.tobytes())
        self._file.flush()
        # Copy on write: torch wants tensors that may be written to.
        return torch.from_numpy(np.memmap(self._path, values.dtype, "c", offset, values.shape))
