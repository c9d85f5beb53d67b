"""The mask of an image among the files of a folder, for readers of data sets."""

from collections.abc import Callable, Sequence
from pathlib import Path

from engine.evaluation.datasets.item import DatasetError
from engine.evaluation.datasets.pairing import AmbiguousMask, Masks


def masks_in(files: Sequence[Path]) -> Callable[[Path], Path | None]:
    """From an image to its mask, or to None. The function raises DatasetError where several have an equal claim."""
    masks = Masks(files)

    def mask_of(image: Path) -> Path | None:
        try:
            return masks.of(image)
        except AmbiguousMask as error:
            raise DatasetError(f"{image}: {error}") from error

    return mask_of
