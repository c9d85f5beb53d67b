"""Labels from folders of images and masks: MVTec's layout, `normal/ anomalous/ masks/`, or masks alone, by name."""

from pathlib import Path, PurePosixPath

from engine.datasets.item import IMAGE_SUFFIXES, Masks
from workers.exchange.found import Found, ImagesByName, found_among, mask_file, nothing_wrong
from workers.exchange.uploads import SourceFile

_NORMAL = {"good", "ok", "normal"}
_SPLITS = {"train", "test"}


def folder_labels(files: list[SourceFile], images: ImagesByName) -> list[Found]:
    """The labels of these files, by their paths.

    `…/{train,test}/<defect>/x.png` are images with masks in `…/ground_truth/<defect>/`; those of good, ok and normal
    are normal. `…/normal/x.png` and `…/anomalous/x.png` are images with masks in `…/masks/`. Every other image file
    is a mask, and so is one whose image was not sent: it belongs to the project's image of the same name. Masks may
    end in `_mask`, `_label`, `_gt` or `_segmentation`.
    """
    pictures = [file for file in files if file.path.suffix.lower() in IMAGE_SUFFIXES]
    sent = {file.path: place for file in pictures if (place := _place(file.path)) is not None}
    masks = {file.path: file for file in pictures if file.path not in sent}
    by_folder: dict[PurePosixPath, Masks] = {}
    for folder in {path.parent for path in masks}:
        by_folder[folder] = Masks(Path(path) for path in masks if path.parent == folder)
    labels, used = [], set()
    for file in pictures:
        if file.path not in sent:
            continue
        normal, mask_folder = sent[file.path]
        if normal:
            labels.append(Found(file.path, image=file, mask=nothing_wrong))
            continue
        path = by_folder[mask_folder].of(Path(file.path)) if mask_folder in by_folder else None
        if path is None:
            labels.append(Found(file.path, fault=f"It is anomalous and has no mask in {mask_folder}/."))
            continue
        used.add(PurePosixPath(path))
        labels.append(Found(file.path, image=file, mask=mask_file(masks[PurePosixPath(path)])))
    return labels + _masks_alone([file for path, file in masks.items() if path not in used], images)


def _place(path: PurePosixPath) -> tuple[bool, PurePosixPath] | None:
    """Of an image: whether it is normal, and the folder of its mask. None for all other files."""
    parts = [part.lower() for part in path.parts]
    if len(parts) >= 3 and parts[-3] in _SPLITS:
        return parts[-2] in _NORMAL, PurePosixPath(*path.parts[:-3], "ground_truth", path.parts[-2])
    if len(parts) >= 2 and parts[-2] in ("normal", "anomalous"):
        in_ground_truth = len(parts) >= 3 and parts[-3] == "ground_truth"
        return None if in_ground_truth else (parts[-2] == "normal", PurePosixPath(*path.parts[:-2], "masks"))
    return None


def _masks_alone(masks: list[SourceFile], images: ImagesByName) -> list[Found]:
    """Masks whose images must be in the project: by the same rule by which an image finds its mask."""
    by_name, claimed = Masks(Path(file.path) for file in masks), dict[PurePosixPath, list[int]]()
    for image_id, name in images.names:
        path = by_name.of(Path(name))
        if path is not None:
            claimed.setdefault(PurePosixPath(path), []).append(image_id)
    return [found_among(file.path, claimed.get(file.path, []), mask_file(file)) for file in masks]
