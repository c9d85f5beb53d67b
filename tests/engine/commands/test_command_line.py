"""`python -m engine`, as people call it."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.detector.prompt_files import prompts_from_bytes
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


@pytest.mark.parametrize("choice", ["--prompts-only", "--reference"])
def test_tune_writes_prompts_that_score_reads(tiny_spec, folder, tmp_path, choice):
    out, flags = tmp_path / "prompts.safetensors", ["--reference"] if choice == "--reference" else []
    answer = call(tiny_spec, "fit", "--data", folder, "--out", out, "--epochs", 2, choice)
    assert answer.returncode == 0, answer.stderr
    assert "tuned on 4 images of data for 2 epochs" in prompts_from_bytes(out.read_bytes()).note
    scored = call(tiny_spec, "score", folder / "normal" / "0.png", "--prompts", out, *flags)
    assert scored.returncode == 0, scored.stderr


def test_tune_writes_a_detector_with_all_parts_that_score_reads(tiny_spec, folder, tmp_path):
    out, image = tmp_path / "detector.safetensors", folder / "anomalous" / "0.png"
    answer = call(tiny_spec, "fit", "--data", folder, "--out", out, "--epochs", 2)
    assert answer.returncode == 0, answer.stderr
    assert "learnt from 4 images of data: prompts" in answer.stdout
    assert all(f"| {name} |" in answer.stdout for name in ("before", "prompts", "heads", "refiner"))
    first, second = (call(tiny_spec, "score", image, "--json", option, out) for option in ("--prompts", "--detector"))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout != call(tiny_spec, "score", image, "--json").stdout


def test_tune_of_few_anomalous_images_says_that_nothing_was_judged(tiny_spec, folder, tmp_path):
    (folder / "anomalous" / "1.png").unlink()
    answer = call(tiny_spec, "fit", "--data", folder, "--out", tmp_path / "detector.safetensors", "--epochs", 1)
    assert answer.returncode == 0, answer.stderr
    assert "too few anomalous images to judge it" in answer.stdout


def test_tune_takes_anomalous_images_without_a_mask(tiny_spec, folder, tmp_path):
    (folder / "masks" / "0.png").unlink()
    out = tmp_path / "detector.safetensors"
    answer = call(tiny_spec, "fit", "--data", folder, "--out", out, "--epochs", 1)
    assert answer.returncode == 0, answer.stderr
    assert "learnt from 4 images" in answer.stdout


def test_tune_says_where_there_is_nothing_to_learn_from(tiny_spec, folder, tmp_path):
    for file in [*(folder / "masks").iterdir(), *(folder / "normal").iterdir()]:
        file.unlink()
    answer = call(tiny_spec, "fit", "--data", folder, "--out", tmp_path / "detector.safetensors")
    assert answer.returncode == 2
    assert "Mark what is wrong on one image at least" in answer.stderr
    assert not (tmp_path / "detector.safetensors").exists()


def test_the_papers_options_need_the_papers_tuning(tiny_spec, folder, tmp_path):
    answer = call(tiny_spec, "fit", "--data", folder, "--out", tmp_path / "x.safetensors", "--batch-size", 2)
    assert answer.returncode == 2 and "add --prompts-only" in answer.stderr


@pytest.mark.parametrize("prompts_only", [False, True], ids=["detector", "prompts"])
def test_tune_goes_on_without_images_that_can_not_be_used(tiny_spec, folder, tmp_path, prompts_only):
    (folder / "normal" / "1.png").write_bytes(b"no image")
    (folder / "masks" / "0.png").unlink()
    out, flags = tmp_path / "learnt.safetensors", ["--prompts-only"] if prompts_only else []
    answer = call(tiny_spec, "fit", "--data", folder, "--out", out, "--epochs", 1, *flags)
    assert answer.returncode == 1
    assert "normal/1.png: The file is not an image" in answer.stderr
    assert ("anomalous/0.png: It is anomalous and has no mask" in answer.stderr) == prompts_only
    assert f"{2 if prompts_only else 1} of 4 images could not be used" in answer.stderr
    assert f"{2 if prompts_only else 3} images of data" in answer.stdout


def test_the_reference_sums_maps_over_layers(tiny_spec, folder):
    image = folder / "normal" / "0.png"
    ours = json.loads(call(tiny_spec, "score", image, "--json").stdout)
    reference = json.loads(call(tiny_spec, "score", image, "--json", "--reference").stdout)
    assert reference["map_max"] == pytest.approx(3 * ours["map_max"], rel=1e-2)
    assert reference["score"] == pytest.approx(ours["score"], abs=1e-3)


def test_a_folder_of_another_layout_is_told_what_was_looked_for(tiny_spec, tmp_path):
    (tmp_path / "pictures").mkdir()
    answer = call(tiny_spec, "fit", "--data", tmp_path, "--out", tmp_path / "x.safetensors")
    assert answer.returncode == 2
    assert "normal" in answer.stderr and "What is there: pictures" in answer.stderr
    assert not (tmp_path / "x.safetensors").exists()


def odd_names(folder: Path) -> Path:
    """A folder with names that are no UTF-8, or of as many bytes as a name may have."""
    folder.mkdir()
    for number, name in enumerate([b"a.png", b"caf\xe9.png", b"x" * 245 + b".png", "가".encode() * 81 + b".png"]):
        picture(number).save(os.fsdecode(os.fsencode(folder) + b"/" + name), "PNG")
    (folder / "notes.txt").write_text("by hand")
    return folder


def test_score_survives_names_that_are_no_utf_8_or_too_long_and_a_pipe_in_another_encoding(
    tiny_spec, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    folder, out = odd_names(tmp_path / "in"), tmp_path / "out"
    answer = call_process(tiny_spec, "score", folder, "--out", out, "--csv", "--masks", "--overlays")
    assert answer.returncode == 0, answer.stderr
    assert "1 file passed over, by their names no images" in answer.stderr and "notes.txt" in answer.stderr
    with (out / "scores.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 and all(row["score"] for row in rows)
    assert any("caf\\xe9.png" in row["path"] for row in rows)
    assert len(list(out.glob("*_mask.png"))) == len(list(out.glob("*_overlay.jpg"))) == 4
    printed = call_process(tiny_spec, "score", folder)
    assert printed.returncode == 0 and len(printed.stdout.splitlines()) == 4


def test_a_limit_that_is_raised_is_raised_on_the_command_line(tiny_spec, tmp_path):
    picture(0).save(tmp_path / "a.png")
    refused = call(tiny_spec, "score", tmp_path / "a.png", "--max-pixels", 6299)
    assert refused.returncode == 1 and "ANOMALYLOOP_MAX_PIXELS" in refused.stderr
    assert call(tiny_spec, "score", tmp_path / "a.png", "--max-pixels", 6300).returncode == 0


@pytest.mark.parametrize(("place", "words"), [("missing/x.bin", "There is no folder"), ("", "is a folder")])
@pytest.mark.parametrize("command", [["tune", "--data", "nothing"], ["export"]], ids=["tune", "export"])
def test_where_the_result_goes_is_looked_at_before_the_work_begins(tiny_spec, tmp_path, command, place, words):
    answer = call(tiny_spec, *command, "--out", tmp_path / place)
    assert answer.returncode == 2 and words in answer.stderr


def test_a_tuning_that_diverges_says_so_and_writes_nothing(tiny_spec, folder, tmp_path):
    out = tmp_path / "x.safetensors"
    words = ["--prompts-only", "--learning-rate", "1e30", "--epochs", 3]
    answer = call(tiny_spec, "tune", "--data", folder, "--out", out, *words)
    assert answer.returncode == 2 and "The tuning diverged" in answer.stderr
    assert not list(tmp_path.glob("x.safetensors*"))


def test_names_of_formats_that_are_taken_are_taken_in_folders(tiny_spec, tmp_path):
    for suffix in ("gif", "jfif", "jp2", "avif"):
        picture(0).save(tmp_path / f"{suffix}.{suffix}")
    answer = call(tiny_spec, "score", tmp_path)
    assert answer.returncode == 0 and len(answer.stdout.splitlines()) == 4
