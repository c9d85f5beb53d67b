"""Products and surfaces of industry: a maker for each public repository."""

import re
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from benchmarks.development_sets.found import Found, boxes, marked, some

_TILES_OF_A_KIND, _WHOLE_TILES = 32, 150
_BOARDS, _STEELS_OF_A_KIND, _CELLS, _STRIPS = 100, 45, 120, 120
_WELDS, _CRACKED_FLOORS, _INSULATORS = 120, 100, 100
_BOARDS_OF_WOOD, _CASTINGS, _SCREWS = 70, 100, 100


def magnetic_tile(clone: Path) -> Iterator[Found]:
    """32 of each of five kinds of defect, 150 whole tiles.

    github.com/abin24/Magnetic-tile-defect-datasets.
    """
    for kind in ("Blowhole", "Break", "Crack", "Fray", "Uneven"):
        for path in some(clone.glob(f"MT_{kind}/Imgs/*.jpg"), _TILES_OF_A_KIND):
            mask = marked(path.with_suffix(".png"))
            if mask.getbbox():
                yield Found(path, 1, mask)
    yield from (Found(path, 0) for path in some(clone.glob("MT_Free/Imgs/*.jpg"), _WHOLE_TILES))


def deep_pcb(clone: Path) -> Iterator[Found]:
    """100 boards with defects, 100 other boards' templates.

    github.com/tangsanli5201/DeepPCB
    """
    boards = some(clone.glob("PCBData/group*/*/*_test.jpg"), 2 * _BOARDS)
    for path in boards[:_BOARDS]:
        folder, name = path.parent, path.name.replace("_test.jpg", ".txt")
        lines = (folder.with_name(f"{folder.name}_not") / name).read_text().splitlines()
        rows = [[int(number) for number in re.split("[ ,]+", line.strip())] for line in lines if line.strip()]
        yield Found(path, 1, boxes(path, [row[:4] for row in rows]))
    yield from (Found(path.with_name(path.name.replace("_test", "_temp")), 0) for path in boards[_BOARDS:])


def neu_det(clone: Path) -> Iterator[Found]:
    """45 of each of four kinds whose boxes are not the whole image.

    github.com/siddhartamukherjee/NEU-DET-Steel-Surface-Defect-Detection
    """
    for kind in ("inclusion", "scratches", "patches", "pitted_surface"):
        for path in some(clone.glob(f"IMAGES/{kind}_*.jpg"), _STEELS_OF_A_KIND):
            yield Found(path, 1, _told_boxes(path, (clone / "ANNOTATIONS" / path.name).with_suffix(".xml")))


def elpv(clone: Path) -> Iterator[Found]:
    """120 cells that surely are whole, 120 that surely are not.

    github.com/zae-bayern/elpv-dataset
    """
    data = clone / "src" / "elpv_dataset" / "data"
    rows = [line.split() for line in (data / "labels.csv").read_text().splitlines()]
    for label in (0, 1):
        cells = (data / name for name, defective, _ in rows if float(defective) == label)
        yield from (Found(path, label) for path in some(cells, _CELLS))


def neu_seg(clone: Path) -> Iterator[Found]:
    """120 pieces of hot-rolled strip, 40 with each of three kinds of defect or also a lesser one; none is whole.

    github.com/DHW-Master/NEU_Seg
    """
    for kind in (1, 2, 3):
        paths = (
            path for path in clone.glob("annotations/training/*.png") if Image.open(path).getextrema() == (0, kind)
        )
        for path in some(paths, _STRIPS // 3):
            yield Found(clone / "images" / "training" / f"{path.stem}.jpg", 1, marked(path, 0))


def cookies(clone: Path) -> Iterator[Found]:
    """Single biscuits, 45 whole, 32 broken; the 8 broken ones among the test images have no masks and are left out.

    github.com/aws-samples/amazon-lookout-for-vision
    """
    folder = clone / "computer-vision-defect-detection" / "cookie-dataset"
    for path in sorted(folder.glob("*/training-images/*.jpg")):
        if path.name.startswith("anomaly"):
            mask = marked(folder / "dataset-files" / "mask-images" / f"{path.stem}.png", 0)
            yield Found(path, 1, mask)
        else:
            yield Found(path, 0)
    yield from (Found(path, 0) for path in sorted(folder.glob("test-images/test-normal-*.jpg")))


def metal_plate(clone: Path) -> Iterator[Found]:
    """The metal plates of MPDD, all in one place: 80 whole and 81 scratched or rusty ones.

    github.com/BupeshKumarR/defect-segmentation-for-mpdd
    """
    for path in sorted(clone.glob("data_supervised/metal_plate/*/images/*.png")):
        mask = marked(path.parent.with_name("masks") / path.name)
        yield Found(path, 1, mask) if mask.getbbox() else Found(path, 0)


def weld(clone: Path) -> Iterator[Found]:
    """120 photographs of bad welds; of the variants of a photograph the first.

    github.com/AbdulazizAnorboev/weld-defect-segmentation
    """
    first = {path.name.split(".rf.")[0]: path for path in sorted(clone.glob("data/train/images/*.jpg"), reverse=True)}
    for path in some(first.values(), _WELDS):
        yield Found(path, 1, marked(clone / "data/train/masks" / f"{path.stem}_mask.png", 0))


def cracked_tile(clone: Path) -> Iterator[Found]:
    """100 tiled floors and walls with cracks beside their joints.

    github.com/arthurflor23/surface-crack-detection
    """
    for path in some(clone.glob("dataset/cracktile/train/image/*.png"), _CRACKED_FLOORS):
        yield Found(path, 1, marked(clone / "dataset/cracktile/train/label" / path.name))


def insulators(clone: Path) -> Iterator[Found]:
    """Strings of insulators from the air: 100 that lack a disc (boxes), 100 that are whole.

    github.com/InsulatorData/InsulatorDataSet
    """
    defective = clone / "Defective_Insulators"
    for path in some(defective.glob("images/*.jpg"), _INSULATORS):
        yield Found(path, 1, _told_boxes(path, defective / "labels" / "defect" / f"{path.stem}.xml"))
    yield from (Found(path, 0) for path in some(clone.glob("Normal_Insulators/images/*.jpg"), _INSULATORS))


def wood_board(clone: Path) -> Iterator[Found]:
    """Boards of many kinds of wood: 33 with cracks, stains or holes, 70 whole ones.

    github.com/sujalgulhane/patchcore-main
    """
    folder = clone / "patchcore-main/src/data/images/wood"
    for part in ("test", "val"):
        for path in sorted(folder.glob(f"{part}/NG/*.png")):
            yield Found(path, 1, marked(folder / f"{part}_gt" / f"{path.stem}_mask.png"))
    whole = [*folder.glob("test/OK/*.png"), *folder.glob("val/OK/*.png"), *folder.glob("train/OK/*.png")]
    yield from (Found(path, 0) for path in some(whole, _BOARDS_OF_WOOD))


def casting(clone: Path) -> Iterator[Found]:
    """Impellers of a pump from the front, 100 whole, 100 not: a label for the image alone.

    github.com/viketan/Automated-Quality-Inspection-of-Casting-Products-Using-Deep-Learning
    """
    folder = clone / "artifacts/data_ingestion/casting_data/test"
    for label, name in enumerate(("ok_front", "def_front")):
        yield from (Found(path, label) for path in some(folder.glob(f"{name}/*.jpeg"), _CASTINGS))


def screw(clone: Path) -> Iterator[Found]:
    """The screws of MVTec AD at any angle, 100 whole, 100 not: this clone has lost which mask is whose.

    github.com/dungdao1995/SkipGanomaly-MVTECAD
    """
    whole = [*clone.glob("data/screw/test/0/*.png"), *clone.glob("data/screw/train/good/*.png")]
    yield from (Found(path, 0) for path in some(whole, _SCREWS))
    yield from (Found(path, 1) for path in some(clone.glob("data/screw/test/1/*.png"), _SCREWS))


def _told_boxes(image: Path, told: Path) -> Image.Image:
    """The boxes of the file beside an image (VOC)."""
    corners = r"<xmin>(\d+)</xmin>\s*<ymin>(\d+)</ymin>\s*<xmax>(\d+)</xmax>\s*<ymax>(\d+)</ymax>"
    return boxes(image, [[int(number) for number in box] for box in re.findall(corners, told.read_text())])
