"""Which of many files are images, what is known of them, and which are their masks: by their paths, in any case.

One place for folders on disk, for zips and for what comes loose. The layouts:

- MVTec AD: `<c>/{train,validation,test}/<defect>/x.png`, masks `<c>/ground_truth/<defect>/x_mask.png`;
- MVTec LOCO AD: the same, with a folder `x/` of masks for each image, which are united;
- MVTec AD 2: `<c>/test_public/{good,bad}/x.png`, masks `<c>/test_public/ground_truth/bad/x_mask.png`;
- Real-IAD: `<c>/OK/…/x.jpg` and `<c>/NG/<defect>/…/x.jpg` with its mask `x.png` beside it;
- one's own: `normal/`, `anomalous/` and `masks/`.

Masks may end in `_mask`, `_label`, `_gt` or `_segmentation`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import Generic, TypeVar

from names import compared

# What data sets append to an image's name to name its mask.
MASK_ENDINGS = ("_mask", "_segmentation", "_label", "_gt")
_NORMAL = {"good", "ok", "normal"}
_TRUTH = {"ground_truth", "groundtruth"}
# Folders of a split → the split. What is for validation is not tested on.
_SPLITS = {"train": "train", "validation": "train", "val": "train", "test": "test", "test_public": "test"}
_UNLABELLED = {"test_private", "test_private_mixed"}
# What lies directly in the folder of a class.
CLASS_FOLDERS = {*_SPLITS, *_TRUTH, "ok", "ng"}


class AmbiguousMask(Exception):
    """Several masks have an equal claim to an image; the text names them."""

    def __init__(self, masks: Iterable[PurePath]) -> None:
        named = ", ".join(str(path) for path in sorted(masks))
        super().__init__(
            f"Several masks have its name ({named}), and which one is meant is not said. Keep one of them."
        )


@dataclass(frozen=True)
class Paired:
    """An image, and what its path says of it.

    Attributes:
        image: its path.
        label: 1 where it is anomalous.
        masks: paths of its masks, which are united; none for normal images.
        defect: the folder that says so; "good" for normal images.
        split: "train" or "test".
        fault: why its label can't be used; empty where it can.
        looked_in: where its masks would lie.
    """

    image: PurePosixPath
    label: int
    masks: tuple[PurePosixPath, ...] = ()
    defect: str = "good"
    split: str = "test"
    fault: str = ""
    looked_in: str = ""


@dataclass(frozen=True)
class _Place:
    """What the path of an image says: where its masks may lie, None beside it."""

    normal: bool
    defect: str
    split: str
    mask_folders: tuple[tuple[str, ...], ...] | None = ()
    looked_in: str = ""
    unlabelled: bool = False


def pair(paths: Iterable[PurePosixPath]) -> tuple[list[Paired], list[PurePosixPath]]:
    """The images among these files with their masks, in the files' order; and the files that are neither."""
    files = list(paths)
    places = {path: place for path in files if (place := _place(path)) is not None}
    beside = _Beside(places)
    images = {path: place for path, place in places.items() if path not in beside.masks}
    by_folder = _by_folder([path for path in files if path not in places])
    found, used = [], set()
    for path, place in images.items():
        one = _paired(path, place, by_folder, beside)
        used |= {path, *one.masks}
        found.append(one)
    return found, [path for path in files if path not in used and path not in beside.masks]


def _place(path: PurePosixPath) -> _Place | None:
    """Of an image; None for all other files."""
    parts = [compared(part) for part in path.parts[:-1]]
    if _TRUTH & set(parts) or not parts:
        return None
    if parts[-1] in _UNLABELLED:
        return _Place(False, "", "test", unlabelled=True)
    if len(parts) >= 2 and parts[-2] in _SPLITS:
        base, defect = parts[:-2], parts[-1]
        folders = [(*base, truth, defect) for truth in sorted(_TRUTH)]
        folders += [(*base, parts[-2], truth, defect) for truth in sorted(_TRUTH)]
        looked_in = str(PurePosixPath(*path.parts[:-3], "ground_truth", path.parts[-2]))
        return _Place(defect in _NORMAL, path.parts[-2], _SPLITS[parts[-2]], tuple(folders), looked_in)
    if parts[-1] in ("normal", "anomalous"):
        looked_in = str(PurePosixPath(*path.parts[:-2], "masks"))
        return _Place(parts[-1] == "normal", path.parts[-2], "test", ((*parts[:-1], "masks"),), looked_in)
    for at in range(len(parts) - 1, -1, -1):
        if parts[at] in ("ok", "ng"):
            defect = path.parts[at + 1] if at + 1 < len(parts) else "ng"
            return _Place(parts[at] == "ok", defect, "test", None, str(path.parent))
    return None


class _Beside:
    """Masks that lie in the folders of the images: of the same name in another format, or with an ending."""

    def __init__(self, places: dict[PurePosixPath, _Place]) -> None:
        folders: dict[PurePosixPath, list[PurePosixPath]] = defaultdict(list)
        for path in places:
            folders[path.parent].append(path)
        self.of: dict[PurePosixPath, tuple[PurePosixPath, ...]] = {}
        self.masks: set[PurePosixPath] = set()
        for inside in folders.values():
            stems: dict[str, list[PurePosixPath]] = defaultdict(list)
            for path in inside:
                stems[compared(path.stem)].append(path)
            for path in inside:
                masks = self._masks_of(path, places[path], stems)
                if masks:
                    self.of[path] = masks
                    self.masks |= set(masks)

    def _masks_of(
        self, path: PurePosixPath, place: _Place, stems: dict[str, list[PurePosixPath]]
    ) -> tuple[PurePosixPath, ...]:
        stem = compared(path.stem)
        named = [one for ending in MASK_ENDINGS for one in stems.get(stem + ending, ())]
        if place.mask_folders is None and path.suffix.lower() != ".png":
            named += [one for one in stems[stem] if one.suffix.lower() == ".png"]
        return tuple(named)


# Folder, compared → the files directly in it.
_Folders = dict[tuple[str, ...], list[PurePosixPath]]


def _by_folder(files: Iterable[PurePosixPath]) -> _Folders:
    folders: _Folders = defaultdict(list)
    for path in files:
        folders[tuple(compared(part) for part in path.parts[:-1])].append(path)
    return folders


def _paired(path: PurePosixPath, place: _Place, folders: _Folders, beside: _Beside) -> Paired:
    if place.unlabelled:
        return Paired(path, 1, fault="Its label is not published: this layout keeps what is in this folder secret.")
    if place.normal:
        return Paired(path, 0, split=place.split)
    try:
        masks = _masks(path, place, folders) or _one_of(beside.of.get(path, ()))
    except AmbiguousMask as error:
        return Paired(path, 1, defect=place.defect, split=place.split, fault=str(error))
    return Paired(path, 1, masks, place.defect, place.split, looked_in=place.looked_in)


def _masks(path: PurePosixPath, place: _Place, folders: _Folders) -> tuple[PurePosixPath, ...]:
    for folder in place.mask_folders or ():
        parts = folders.get((*folder, compared(path.stem)))
        if parts:
            return tuple(sorted(parts))
        if mask := Masks(folders.get(folder, ())).of(path):
            return (mask,)
    return ()


def _one_of(masks: tuple[PurePosixPath, ...]) -> tuple[PurePosixPath, ...]:
    if len(masks) > 1:
        raise AmbiguousMask(masks)
    return masks


P = TypeVar("P", bound=PurePath)


class Masks(Generic[P]):
    """Mask files by their image: of its name, in any case and format, or with `_mask` or the like."""

    def __init__(self, files: Iterable[P]) -> None:
        self._tiers: list[dict[str, list[P]]] = [defaultdict(list) for _ in range(3)]
        for file in files:
            self._tiers[0][file.stem].append(file)
            for tier, stem in _stems(file.stem):
                self._tiers[tier][stem].append(file)

    def of(self, image: PurePath) -> P | None:
        """The mask of an image, or None: an exact name goes before a like one. Raises AmbiguousMask."""
        for tier, stem in enumerate((image.stem, compared(image.stem), compared(image.stem))):
            found = self._tiers[tier].get(stem, [])
            if len(found) > 1:
                raise AmbiguousMask(found)
            if found:
                return found[0]
        return None


def _stems(stem: str) -> Iterator[tuple[int, str]]:
    """What images may be called that a mask of this name belongs to: the same, and then without an ending."""
    plain = compared(stem)
    yield 1, plain
    for ending in MASK_ENDINGS:
        if plain.endswith(ending) and plain != ending:
            yield 2, plain.removesuffix(ending)
