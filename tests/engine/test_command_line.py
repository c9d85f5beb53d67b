"""`python -m engine`, as people call it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.prompt_files import prompts_from_bytes
from tests.engine.calling import call, call_process
from tests.engine.conftest import picture


@pytest.fixture
def folder(tmp_path):
    for name, count in (("normal", 2), ("anomalous", 2), ("masks", 2)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(count):
            image = picture(number)
            if name == "masks":
                mask = np.zeros((image.height, image.width), dtype=np.uint8)
                mask[10:30, 20:50] = 255
                image = Image.fromarray(mask)
            image.save(tmp_path / "data" / name / f"{number}.png")
    return tmp_path / "data"


def test_score_gives_a_line_an_image_and_maps_at_their_size(tiny_spec, folder, tmp_path):
    images = sorted((folder / "normal").iterdir())
    answer = call(tiny_spec, "score", *images, "--json", "--out", tmp_path / "maps")
    assert answer.returncode == 0, answer.stderr
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [line["image"] for line in lines] == [str(path) for path in images]
    assert all(0 <= line["score"] <= 1 for line in lines)
    assert np.load(lines[0]["map"]).shape == (70, 90)


def test_score_goes_on_after_a_file_that_is_no_image(tiny_spec, folder, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    answer = call_process(tiny_spec, "score", broken, folder / "normal" / "0.png")
    assert answer.returncode == 1
    assert "broken.png: The file is not an image" in answer.stderr
    assert len(answer.stdout.splitlines()) == 1


def test_folders_are_scored_into_a_table_with_masks_and_overlays(tiny_spec, folder, tmp_path):
    (folder / "normal" / "1.png").write_bytes(b"no image")
    out, words = tmp_path / "out", ("--csv", "--masks", "--overlays", "--threshold", "0.5", "--map-threshold", "0.4")
    answer = call(tiny_spec, "score", folder, "--out", out, *words)
    assert answer.returncode == 1
    assert "1 of 6 files could not be read" in answer.stderr
    with (out / "scores.csv").open(newline="") as file:
        rows = {Path(row["path"]).relative_to(folder).as_posix(): row for row in csv.DictReader(file)}
    assert len(rows) == 6
    assert rows["normal/1.png"]["score"] == "" and "not an image" in rows["normal/1.png"]["error"]
    good = rows["anomalous/0.png"]
    assert good["verdict"] == ("anomalous" if float(good["score"]) >= 0.5 else "normal")
    with Image.open(out / "anomalous" / "0_mask.png") as mask, Image.open(out / "anomalous" / "0_overlay.jpg") as over:
        assert mask.size == over.size == (90, 70)
        assert bool(np.asarray(mask).any()) == (float(good["map_max"]) >= 0.4)
    assert not list(out.rglob("*.npy")) and not list(out.rglob("*.part"))
    again = call(tiny_spec, "score", tmp_path, "--out", out, "--csv")  # OUT lies within: what was written isn't scored
    assert "1 of 6 files" in again.stderr


def test_what_is_written_needs_a_folder(tiny_spec, folder):
    answer = call(tiny_spec, "score", folder, "--masks")
    assert answer.returncode == 2 and "name a folder for them by --out" in answer.stderr


@pytest.mark.parametrize("reference", [False, True], ids=["ours", "reference"])
def test_tune_writes_prompts_that_score_reads(tiny_spec, folder, tmp_path, reference):
    out, flags = tmp_path / "prompts.safetensors", ["--reference"] if reference else []
    answer = call(tiny_spec, "tune", "--data", folder, "--out", out, "--epochs", 2, *flags)
    assert answer.returncode == 0, answer.stderr
    assert "tuned on 4 images of data for 2 epochs" in prompts_from_bytes(out.read_bytes()).note
    scored = call(tiny_spec, "score", folder / "normal" / "0.png", "--prompts", out, *flags)
    assert scored.returncode == 0, scored.stderr


def test_tune_goes_on_without_images_that_can_not_be_used(tiny_spec, folder, tmp_path):
    (folder / "normal" / "1.png").write_bytes(b"no image")
    (folder / "masks" / "0.png").unlink()
    out = tmp_path / "prompts.safetensors"
    answer = call(tiny_spec, "tune", "--data", folder, "--out", out, "--epochs", 1)
    assert answer.returncode == 1
    assert "normal/1.png: The file is not an image" in answer.stderr
    assert "anomalous/0.png: It is anomalous and has no mask" in answer.stderr
    assert "2 of 4 images could not be used" in answer.stderr
    assert "tuned on 2 images" in prompts_from_bytes(out.read_bytes()).note


def test_the_reference_sums_maps_over_layers(tiny_spec, folder):
    image = folder / "normal" / "0.png"
    ours = json.loads(call(tiny_spec, "score", image, "--json").stdout)
    reference = json.loads(call(tiny_spec, "score", image, "--json", "--reference").stdout)
    assert reference["map_max"] == pytest.approx(3 * ours["map_max"], rel=1e-2)
    assert reference["score"] == pytest.approx(ours["score"], abs=1e-3)


def test_a_folder_of_another_layout_is_told_what_was_looked_for(tiny_spec, tmp_path):
    (tmp_path / "pictures").mkdir()
    answer = call(tiny_spec, "tune", "--data", tmp_path, "--out", tmp_path / "x.safetensors")
    assert answer.returncode == 2
    assert "normal" in answer.stderr and "What is there: pictures" in answer.stderr
    assert not (tmp_path / "x.safetensors").exists()
