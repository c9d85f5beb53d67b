"""KolektorSDD as it is published: `kosNN/PartM.jpg` beside `kosNN/PartM_label.bmp`; an empty label is normal."""

from pathlib import Path

from PIL import Image

from engine.errors import ImageError
from engine.evaluation.datasets.item import DatasetError, LabelledImage, OtherLayout, folders, image_files
from engine.evaluation.datasets.truth import read_mask


def read_kolektor(root: Path) -> list[LabelledImage]:
    """All parts. Raises OtherLayout without `kos*` folders, DatasetError where a label is missing or damaged."""
    images = [one for folder in folders(root) if folder.name.lower().startswith("kos") for one in _read_item(folder)]
    if not images:
        raise OtherLayout(f"{root}/kosNN/PartM.jpg with kosNN/PartM_label.bmp")
    return images


def _read_item(folder: Path) -> list[LabelledImage]:
    files = image_files(folder)
    labels = {path.stem.lower().removesuffix("_label"): path for path in files if _is_label(path)}
    found = []
    for path in files:
        if _is_label(path):
            continue
        mask = labels.get(path.stem.lower())
        if mask is None:
            raise DatasetError(
                f"{path} has no {path.stem}_label.bmp beside it, so whether it is normal is unknown. Restore that file."
            )
        anomalous = _is_marked(mask, path)
        kind = "crack" if anomalous else "good"
        found.append(
            LabelledImage(path, int(anomalous), mask if anomalous else None, "electrical_commutators", kind, "test")
        )
    return found


def _is_label(path: Path) -> bool:
    return path.stem.lower().endswith("_label")


def _is_marked(mask: Path, image: Path) -> bool:
    try:
        with Image.open(image) as picture:
            return bool(read_mask(mask, width=picture.width, height=picture.height, image=image).any())
    except (OSError, ImageError) as error:
        raise DatasetError(f"{mask} can't be read ({error}), so whether its image is normal is unknown.") from error
