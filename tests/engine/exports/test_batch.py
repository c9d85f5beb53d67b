"""What is written of scored images: only what was asked for, at the images' sizes, whole or not at all."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.detector.detector import Scored
from engine.exports.batch import COLUMNS, BatchOptions, BatchWriter
from engine.exports.overlay import overlay
from engine.exports.sources import Source
from engine.files.formulas import text_of

SOURCE = Source(Path("parts/a.png"), Path("a"))
HALF = np.repeat(np.float32([[0.1, 0.9]]), 8, axis=0).repeat(4, axis=1)  # (8, 8), high on the right
IMAGE = Image.new("RGB", (80, 40), (90, 90, 90))


def test_masks_are_what_the_map_reaches(tmp_path):
    with BatchWriter(BatchOptions(out=tmp_path, masks=True, map_threshold=0.5)) as writer:
        written = writer.add(SOURCE, IMAGE, Scored(0.7, HALF))
    with Image.open(written["mask"]) as mask:
        pixels = np.asarray(mask)
    assert pixels.shape == (40, 80) and set(np.unique(pixels)) == {0, 255}
    assert not pixels[:, :35].any() and (pixels[:, 45:] == 255).all()
    assert [path.name for path in tmp_path.iterdir()] == ["a_mask.png"]


@pytest.mark.parametrize(("threshold", "verdict"), [(0.7, "anomalous"), (0.71, "normal"), (None, "")])
def test_the_table_has_a_row_for_every_file(tmp_path, threshold, verdict):
    with BatchWriter(BatchOptions(out=tmp_path, table=True, threshold=threshold)) as writer:
        writer.add(SOURCE, IMAGE, Scored(0.7, HALF))
        writer.fail(Source(Path("b.png"), Path("b")), "no image, really")
    with (tmp_path / "scores.csv").open(newline="") as file:
        good, bad = csv.DictReader(file)
    assert tuple(good) == COLUMNS
    assert (good["path"], good["score"], good["verdict"]) == ("parts/a.png", "0.7", verdict)
    assert float(good["map_max"]) == pytest.approx(0.9)
    assert (bad["score"], bad["error"]) == ("", "no image, really")


def test_a_name_that_a_spreadsheet_would_calculate_stays_text(tmp_path):
    with BatchWriter(BatchOptions(out=tmp_path, table=True)) as writer:
        result = writer.add(Source(Path("=1+1.png"), Path("=1+1")), IMAGE, Scored(0.7, HALF))
        writer.fail(Source(Path("-2.png"), Path("-2")), "@no image")
    with (tmp_path / "scores.csv").open(newline="") as file:
        good, bad = csv.DictReader(file)
    assert (good["path"], bad["path"], bad["error"]) == ("'=1+1.png", "'-2.png", "'@no image")
    assert text_of(good["path"]) == result["image"] == "=1+1.png" and good["score"] == "0.7"


def test_a_batch_that_was_stopped_leaves_a_table_of_what_was_done(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt),
        BatchWriter(BatchOptions(out=tmp_path, table=True)) as writer,
    ):
        writer.add(SOURCE, IMAGE, Scored(0.7, HALF))
        assert len((tmp_path / "scores.csv").read_text().splitlines()) == 2  # and it is there as it grows
        raise KeyboardInterrupt
    with (tmp_path / "scores.csv").open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["parts/a.png"]


def test_a_table_with_other_letters_is_one_that_excel_understands(tmp_path):
    name = os.fsdecode("균열".encode() + b"\xe9.png")
    with BatchWriter(BatchOptions(out=tmp_path, table=True), ascii_names=False) as writer:
        writer.add(Source(Path(name), Path("a")), IMAGE, Scored(0.7, HALF))
    data = (tmp_path / "scores.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfpath,") and "균열\\xe9.png".encode() in data


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path):
    (tmp_path / "a.npy.part").symlink_to("/dev/full")
    with (
        pytest.raises(OSError, match="No space left"),
        BatchWriter(BatchOptions(out=tmp_path, maps=True, table=True)) as writer,
    ):
        writer.add(SOURCE, IMAGE, Scored(0.7, HALF))
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_the_overlay_is_hot_where_the_map_is_high_and_cool_below_the_threshold():
    full = np.repeat(np.float32([[0.1, 0.9]]), 40, axis=0).repeat(40, axis=1)
    red = np.asarray(overlay(IMAGE, full, 0.5))[..., 0].astype(int)
    assert red[:, 40:].min() > 150 > 90 > red[:, :40].max()
    cool = np.asarray(overlay(IMAGE, np.full((40, 80), 0.1, np.float32), 0.5))
    assert cool.max() < 100 and cool.shape == (40, 80, 3)
