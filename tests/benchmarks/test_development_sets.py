"""Clones of public sets become folders that the benchmarks read, with masks where the anomaly is known."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import sample_data
from benchmarks.development_sets import MAKERS
from benchmarks.development_sets.found import write_set
from benchmarks.sample_data import Sample, read_samples


def _draw(path: Path, size: int = 20) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (size, size), dtype=np.uint8)).save(path)


def _draw_mask(
    path: Path, marked: tuple[slice, slice], value: int | tuple[int, int, int] = 255, size: int = 20
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros((size, size, 3) if isinstance(value, tuple) else (size, size), dtype=np.uint8)
    mask[marked] = value
    Image.fromarray(mask).save(path)


def _read(name: str, clone: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sample]:
    monkeypatch.setattr(sample_data, "SAMPLE_DATA", out)
    assert write_set(out / name, list(MAKERS[name](clone))) == len(read_samples(name))
    return read_samples(name)


def test_a_tile_has_its_mask_and_a_whole_one_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = tmp_path / "clone"
    _draw(clone / "MT_Crack/Imgs/a.jpg")
    _draw(clone / "MT_Free/Imgs/b.jpg")
    mask = np.zeros((20, 20), dtype=np.uint8)
    mask[3:5, 7:9] = 255
    Image.fromarray(mask).save(clone / "MT_Crack/Imgs/a.png")
    cracked, whole = _read("magnetic_tile", clone, tmp_path / "out", monkeypatch)
    assert (cracked.label, whole.label) == (1, 0) and whole.mask is None
    assert np.array_equal(cracked.truth(20, 20), mask // 255)


def test_a_boards_boxes_are_filled_and_other_boards_templates_are_normal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "clone"
    group = clone / "PCBData/group1"
    (group / "00001_not").mkdir(parents=True)
    for number in range(101):
        for kind in ("test", "temp"):
            _draw(group / f"00001/{number:04d}_{kind}.jpg", 12)
        (group / f"00001_not/{number:04d}.txt").write_text("2 3 5 6 1\n7,7,8,9,2\n")
    samples = _read("deep_pcb", clone, tmp_path / "out", monkeypatch)
    damaged = [sample for sample in samples if sample.label]
    assert len(damaged) == 100 and len(samples) == 101
    truth = damaged[0].truth(12, 12)
    assert truth[3:7, 2:6].all() and truth[7:10, 7:9].all() and truth.sum() == 16 + 6


def test_boxes_of_steel_are_read_from_their_xml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = tmp_path / "clone"
    _draw(clone / "IMAGES/scratches_1.jpg")
    (clone / "ANNOTATIONS").mkdir()
    corners = "<xmin>1</xmin>\n<ymin>2</ymin>\n<xmax>4</xmax>\n<ymax>9</ymax>"
    (clone / "ANNOTATIONS/scratches_1.xml").write_text(f"<object><bndbox>{corners}</bndbox></object>")
    (steel,) = _read("neu_det", clone, tmp_path / "out", monkeypatch)
    truth = steel.truth(20, 20)
    assert truth[2:10, 1:5].all() and truth.sum() == 8 * 4


def test_cells_of_which_nobody_is_sure_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "clone/src/elpv_dataset/data"
    for number in range(3):
        _draw(data / f"images/cell{number}.png")
    rows = zip(range(3), ("0.0", "0.333", "1.0"), strict=True)
    (data / "labels.csv").write_text("\n".join(f"images/cell{n}.png {sure} mono" for n, sure in rows))
    cells = _read("elpv", tmp_path / "clone", tmp_path / "out", monkeypatch)
    assert [(cell.label, cell.mask) for cell in cells] == [(0, None), (1, None)]
    assert os.path.getsize(cells[0].image) == os.path.getsize(data / "images/cell0.png")


_SPOT = (slice(3, 5), slice(7, 9))


def _assert_spot(sample: Sample) -> None:
    truth = sample.truth(20, 20)
    assert sample.label == 1 and truth[_SPOT].all() and truth.sum() == 4


def test_red_is_the_spot_of_a_leaf_and_green_the_leaf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = tmp_path / "clone/segmentation/dataset"
    for part, name, colour in (("train", "1", (255, 0, 0)), ("val", "2", (0, 176, 0))):
        _draw(dataset / f"images/{part}/{name}.jpg")
        _draw_mask(dataset / f"annotations/{part}/{name}_mask.png", _SPOT, colour)
    spotted, whole = _read("coffee_leaf", tmp_path / "clone", tmp_path / "out", monkeypatch)
    _assert_spot(spotted)
    assert (whole.label, whole.mask) == (0, None)


def test_all_masks_of_an_ultrasound_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "clone/data"
    for kind in ("benign", "normal"):
        _draw(data / kind / "images/a (1).png")
    _draw_mask(data / "benign/mask/a (1)_mask.png", (slice(3, 5), slice(7, 8)))
    _draw_mask(data / "benign/mask/a (1)_mask_1.png", (slice(3, 5), slice(8, 9)))
    _draw_mask(data / "benign/mask/a (10)_mask.png", (slice(0, 20), slice(0, 20)))
    lesion, whole = _read("breast_ultrasound", tmp_path / "clone", tmp_path / "out", monkeypatch)
    _assert_spot(lesion)
    assert (whole.label, whole.mask) == (0, None)


def test_a_plate_with_an_empty_mask_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plates = tmp_path / "clone/data_supervised/metal_plate/test"
    for number, marked in enumerate((_SPOT, (slice(0, 0), slice(0, 0)))):
        _draw(plates / f"images/{number}.png")
        _draw_mask(plates / f"masks/{number}.png", marked)
    rusty, whole = _read("metal_plate", tmp_path / "clone", tmp_path / "out", monkeypatch)
    _assert_spot(rusty)
    assert (whole.label, whole.mask) == (0, None)


def test_of_the_variants_of_a_weld_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "clone/data/train"
    for name in ("1.rf.a", "1.rf.b", "12.rf.c"):
        _draw(data / f"images/{name}.jpg")
        _draw_mask(data / f"masks/{name}_mask.png", _SPOT, 1)
    welds = _read("weld", tmp_path / "clone", tmp_path / "out", monkeypatch)
    assert len(welds) == 2
    _assert_spot(welds[0])


def test_every_kind_of_defect_of_a_strip_is_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = tmp_path / "clone"
    for name, first, second in (("1", 1, 1), ("2", 2, 1), ("3", 3, 3)):
        _draw(clone / f"images/training/{name}.jpg")
        mask = np.zeros((20, 20), dtype=np.uint8)
        mask[3:5, 7], mask[3:5, 8] = first, second
        (clone / "annotations/training").mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(clone / f"annotations/training/{name}.png")
    strips = _read("neu_seg", clone, tmp_path / "out", monkeypatch)
    assert len(strips) == 3
    for strip in strips:
        _assert_spot(strip)


def test_large_images_shrink_with_their_masks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = tmp_path / "clone"
    _draw(clone / "images/001_image.png", 2000)
    weed = (slice(300, 500), slice(700, 900))
    _draw_mask(clone / "annotations/001_annotation.png", weed, (255, 0, 0), 2000)
    (place,) = _read("weeds", clone, tmp_path / "out", monkeypatch)
    assert Image.open(place.image).size == (1000, 1000)
    truth = place.truth(1000, 1000)
    assert truth[150:250, 350:450].all() and truth.sum() == 100 * 100
