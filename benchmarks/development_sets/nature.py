"""Leaves, bodies and other things that nobody makes: a maker for each public repository."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from benchmarks.development_sets.found import Found, marked, some, union

_LEAVES, _BREASTS, _FEET, _HEADS = 80, 100, 120, 85


def coffee_leaf(clone: Path) -> Iterator[Found]:
    """Coffee leaves, 80 with spots of miner, rust or others and 80 without.

    github.com/esgario/lara2018
    """
    spotted, whole = [], []
    for path in some(clone.glob("segmentation/dataset/annotations/*/*_mask.png"), 500):
        red, _, _ = Image.open(path).convert("RGB").split()
        spots = red.point(lambda value: 255 * (value > 127))
        image = clone / "segmentation/dataset/images" / path.parent.name / path.name.replace("_mask.png", ".jpg")
        if spots.getbbox():
            spotted.append(Found(image, 1, spots))
        else:
            whole.append(Found(image, 0))
    yield from spotted[:_LEAVES] + whole[:_LEAVES]


def breast_ultrasound(clone: Path) -> Iterator[Found]:
    """Ultrasound of breasts, 50 with benign and 50 with malignant lesions, 100 without.

    github.com/yirutsai/Breast-ultrasound-dataset
    """
    for kind in ("benign", "malignant"):
        for path in some(clone.glob(f"data/{kind}/images/*.png"), _BREASTS // 2):
            parts = sorted((clone / "data" / kind / "mask").glob(f"{path.stem}_mask*.png"))
            yield Found(path, 1, union(marked(part) for part in parts))
    yield from (Found(path, 0) for path in some(clone.glob("data/normal/images/*.png"), _BREASTS))


def foot_ulcer(clone: Path) -> Iterator[Found]:
    """120 photographs of feet with ulcers.

    github.com/uwm-bigdata/wound-segmentation
    """
    folder = clone / "data" / "Foot Ulcer Segmentation Challenge" / "train"
    found = (Found(path, 1, marked(folder / "labels" / path.name)) for path in some(folder.glob("images/*.png"), 999))
    yield from [one for one in found if one.mask and one.mask.getbbox()][:_FEET]


def weeds(clone: Path) -> Iterator[Found]:
    """59 places of a field of carrots: weeds are the anomaly, and grow among the carrots.

    github.com/cwfid/dataset
    """
    for path in sorted(clone.glob("images/*_image.png")):
        told = clone / "annotations" / path.name.replace("image", "annotation")
        weed, _, _ = Image.open(told).convert("RGB").split()
        mask = weed.point(lambda value: 255 * (value > 127))
        if mask.getbbox():
            yield Found(path, 1, mask)


def brain_mri(clone: Path) -> Iterator[Found]:
    """Slices of heads, 85 with and 85 without a tumour: a label for the image alone.

    github.com/MohamedAliHabib/Brain-Tumor-Detection
    """
    for label, name in enumerate(("no", "yes")):
        yield from (Found(path, label) for path in some((clone / name).glob("*.[jJ][pP]*[gG]"), _HEADS))
