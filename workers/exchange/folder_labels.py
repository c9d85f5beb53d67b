"""Labels from folders of images and masks, in layouts of `engine.evaluation.datasets.pairing`, or of masks by name."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from engine.evaluation.datasets.pairing import MASK_ENDINGS, pair
from engine.images.mask_files import is_photograph
from engine.images.suffixes import IMAGE_SUFFIXES
from names import compared
from workers.errors import LabelFileError
from workers.exchange.found import Found, ImagesByName, found_among, mask_files, nothing_wrong
from workers.exchange.uploads import SourceFile

_TRUTH = ("ground_truth", "groundtruth")
_PHOTOGRAPH = (
    "It is a photograph and no mask, and no mask of its name was sent. To say that it is normal, put it into a folder "
    "normal/ or test/good/."
)


def folder_labels(files: list[SourceFile], images: ImagesByName) -> list[Found]:
    """The labels of these files, by their paths.

    Image files that are in no folder of a layout are masks, or photographs with masks of the same names: which of them
    they are is told by what they show. A mask whose image was not sent belongs to the project's image of its name.
    """
    pictures = {file.path: file for file in files if file.path.suffix.lower() in IMAGE_SUFFIXES}
    found, rest = pair(pictures)
    labels = []
    for one in found:
        if one.fault:
            labels.append(Found(one.image, fault=one.fault))
        elif one.label and not one.masks:
            labels.append(Found(one.image, fault=f"It is anomalous and has no mask in {one.looked_in}/."))
        else:
            read = mask_files([pictures[mask] for mask in one.masks]) if one.label else nothing_wrong
            labels.append(Found(one.image, image=pictures[one.image], read=read))
    return labels + list(_of_no_layout([pictures[path] for path in _without_objects(rest)], images))


def _without_objects(paths: Sequence[PurePosixPath]) -> Iterator[PurePosixPath]:
    """Without the second mask that VOC's layout has for each image, of its objects beside that of its classes."""
    there = {tuple(compared(part) for part in path.parts) for path in paths}
    for path in paths:
        parts = tuple(compared(part) for part in path.parts)
        classes = tuple("segmentationclass" if part == "segmentationobject" else part for part in parts)
        if parts == classes or classes not in there:
            yield path


def _of_no_layout(files: Sequence[SourceFile], images: ImagesByName) -> Iterator[Found]:
    """Masks and photographs, by name."""
    groups: dict[str, list[SourceFile]] = defaultdict(list)
    for file in files:
        groups[_name(file)].append(file)
    for name, alike in groups.items():
        yield from _one_name(name, alike, images)


def _name(file: SourceFile) -> str:
    """What an image may be called that this file is the mask of, as names are compared: without an ending."""
    folder = file.path.parts[-3:-2]
    if len(file.path.parts) >= 4 and compared(file.path.parts[-4]) in _TRUTH and folder:
        return compared(file.path.parts[-2])  # LOCO: a folder of masks for each image
    stem = compared(file.path.stem)
    return next((stem.removesuffix(one) for one in MASK_ENDINGS if stem.endswith(one) and stem != one), stem)


def _one_name(name: str, files: list[SourceFile], images: ImagesByName) -> Iterator[Found]:
    photographs = [file for file in files if _is_photograph(file)]
    masks = [file for file in files if file not in photographs]
    if _of_one_folder(masks):
        yield from _with_photographs(photographs, masks, images)
        return
    exact = [file for file in masks if compared(file.path.stem) == name]
    if len(masks) > 1 and len(exact) == 1 and not photographs:  # an exact name goes before a like one
        yield from _with_photographs([], exact, images)
        fault = f"{exact[0].path} has a name that is nearer to the image's, and is taken."
        yield from (Found(file.path, fault=fault) for file in masks if file not in exact)
        return
    if len(masks) > 1:
        named = ", ".join(str(file.path) for file in masks)
        fault = f"Several masks have this name ({named}), and which one is meant is not said. Keep one of them."
        yield from (Found(file.path, fault=fault) for file in (*photographs, *masks))
        return
    yield from _with_photographs(photographs, masks, images)


def _of_one_folder(masks: Sequence[SourceFile]) -> bool:
    """Whether these are parts of one mask: the files in LOCO's folder of an image."""
    if len(masks) < 2 or len({file.path.parent for file in masks}) > 1 or len(masks[0].path.parts) < 4:
        return False
    return compared(masks[0].path.parts[-4]) in _TRUTH


def _with_photographs(
    photographs: Sequence[SourceFile], masks: Sequence[SourceFile], images: ImagesByName
) -> Iterator[Found]:
    if len(photographs) == 1 and masks:
        yield Found(photographs[0].path, image=photographs[0], read=mask_files(masks))
        return
    if len(photographs) > 1 and masks:
        named = ", ".join(str(file.path) for file in photographs)
        fault = f"Several photographs have this name ({named}), and whose mask it is is not said."
        yield from (Found(file.path, fault=fault) for file in masks)
    elif masks:
        yield _alone(masks, images)
    yield from (Found(file.path, fault=_PHOTOGRAPH) for file in photographs)


def _alone(masks: Sequence[SourceFile], images: ImagesByName) -> Found:
    """Masks whose image must be in the project: the nearest name counts, with an ending or without."""
    path = masks[0].path
    stem = path.parts[-2] if len(masks) > 1 or _in_folder_of_image(path) else path.stem
    endings = [one for one in MASK_ENDINGS if compared(stem).endswith(one)]
    candidates = [images.ids(one + path.suffix) for one in (stem, *(stem[: -len(one)] for one in endings))]
    return found_among(path, min(candidates, key=lambda one: one[0])[1], mask_files(masks))


def _in_folder_of_image(path: PurePosixPath) -> bool:
    return len(path.parts) >= 4 and compared(path.parts[-4]) in _TRUTH


def _is_photograph(file: SourceFile) -> bool:
    try:
        return is_photograph(file.read())
    except LabelFileError:  # it can't be read: whoever takes it over says why
        return False
