"""`python -m engine evaluate`, as people call it: on small data sets that are drawn here."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.engine.calling import call, start
from tests.engine.evaluation.datasets.trees import draw_image, draw_mask, draw_mvtec_class

METHODS = ("clip", "clip_ac", "winclip", "april_gan", "coop", "anomalyclip")


@pytest.fixture
def mvtec(tmp_path) -> Path:
    for name in ("bottle", "metal_nut"):
        draw_mvtec_class(tmp_path / "mvtec" / name)
    return tmp_path / "mvtec"


@pytest.fixture
def visible(tmp_path) -> Path:
    """Another set, to tune on."""
    draw_mvtec_class(tmp_path / "others" / "wood")
    return tmp_path / "others"


def evaluate(spec, root, out, *words):
    return call(spec, "evaluate", "--data", root, "--out", out, "--dataset", *(words or ("mvtec",)))


def results(out):
    return json.loads((out / "results.json").read_text())["results"]


def test_all_six_methods_with_the_papers_figures_beside(tiny_spec, mvtec, visible, tmp_path):
    tuning = ("--tune-dataset", "mvtec_like", "--tune-data", visible, "--epochs", 2)
    answer = evaluate(tiny_spec, mvtec, tmp_path / "out", "mvtec", "--method", "all", *tuning)
    assert answer.returncode == 0, answer.stderr
    found = {one["method"]: one for one in results(tmp_path / "out")}
    assert tuple(found) == METHODS
    for one in found.values():
        assert [c["class"] for c in one["classes"]] == ["bottle", "metal_nut"]
        assert all(value is not None and 0 <= value <= 1 for value in one["mean"].values()), one["method"]
    assert found["winclip"]["paper"] == {
        "image_auroc": 0.918,
        "image_ap": 0.965,
        "pixel_auroc": 0.851,
        "pixel_aupro": 0.646,
    }
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<figure>") == 6 * 8 and "http" not in page  # self-contained
    assert "anomalyclip, the paper with ViT-L/14@336px | 91.5" in (tmp_path / "out" / "results.md").read_text()


@pytest.mark.parametrize(
    ("experiment", "rows"),
    [
        ("modules", 5),
        ("object_aware", 2),
        ("losses", 3),
        ("attention", 4),
        ("medical", 1),
        ("lambda", 5),
        ("layers", 5),
        ("lengths", 10),
        ("state_words", 18),
    ],
)
def test_experiments_give_a_row_for_each_choice(tiny_spec, mvtec, visible, tmp_path, experiment, rows):
    tuning = ("--tune-dataset", "mvtec_like", "--tune-data", visible, "--epochs", 1)
    answer = evaluate(tiny_spec, mvtec, tmp_path / "out", "mvtec", "--experiment", experiment, *tuning)
    assert answer.returncode == 0, answer.stderr
    found = results(tmp_path / "out")
    assert len(found) == rows
    assert all(one["mean"]["pixel_auroc"] is not None for one in found)
    if experiment in ("attention", "object_aware", "losses", "state_words"):  # choices that can't come out alike
        assert len({json.dumps(one["classes"][0]["images"]) for one in found}) == rows


def test_everything_in_a_folder_by_one_option(tiny_spec, mvtec, tmp_path):
    """The folder holds `mvtec`, another set to tune on, and one that has no masks."""
    draw_mvtec_class(tmp_path / "sets" / "others" / "wood")
    for label in ("yes", "no"):
        draw_image(tmp_path / "sets" / "Br35H" / label / "1.jpg", seed=len(label))
    mvtec.rename(tmp_path / "sets" / "mvtec")
    (tmp_path / "sets" / "notes").mkdir()
    words = ("--all", tmp_path / "sets", "--out", tmp_path / "out", "--epochs", 1)
    answer = call(tiny_spec, "evaluate", *words, "--method", "coop", "clip", "--experiment", "losses")
    assert answer.returncode == 0, answer.stderr
    assert "notes is no data set in a layout that is known" in answer.stderr
    rows = [(one["data_set"], one["method"]) for one in results(tmp_path / "out")]
    methods = ["coop", "clip", "losses: global loss", "losses: local loss", "losses: both"]
    assert rows == [(name, method) for name in ("br35h", "mvtec", "mvtec_like") for method in methods]
    assert len(list((tmp_path / "out" / "tuned").iterdir())) == 3 * 4  # on both, and on each for the other


def test_all_and_named_sets_exclude_each_other(tiny_spec, mvtec, tmp_path):
    both = evaluate(tiny_spec, mvtec, tmp_path / "out", "mvtec", "--all", mvtec.parent)
    neither = call(tiny_spec, "evaluate", "--out", tmp_path / "out")
    assert both.returncode == neither.returncode == 2
    assert "leave out --dataset and --data" in both.stderr and "a folder of data sets by --all" in neither.stderr


def test_what_must_be_tuned_says_what_is_missing(tiny_spec, mvtec, tmp_path):
    answer = evaluate(tiny_spec, mvtec, tmp_path / "out", "mvtec", "--method", "coop")
    assert answer.returncode == 2
    assert "CoOp is tuned on labelled images of another set" in answer.stderr


def test_prompts_of_a_file_are_evaluated_as_they_are(tiny_spec, mvtec, visible, tmp_path):
    prompts = tmp_path / "prompts.safetensors"
    words = ("--dataset", "mvtec_like", "--data", visible, "--out", prompts, "--epochs", 1, "--prompts-only")
    assert call(tiny_spec, "fit", *words).returncode == 0
    tuning = ("--tune-dataset", "mvtec_like", "--tune-data", visible, "--epochs", 1)
    alone = evaluate(tiny_spec, mvtec, tmp_path / "alone", "mvtec", "--prompts", prompts)
    beside = evaluate(tiny_spec, mvtec, tmp_path / "beside", "mvtec", "--prompts", prompts, *tuning)
    assert alone.returncode == beside.returncode == 0
    assert results(tmp_path / "alone") == results(tmp_path / "beside")
    assert not (tmp_path / "beside" / "tuned").exists()


def test_a_set_without_masks_or_without_normal_images_has_no_such_metrics(tiny_spec, tmp_path):
    for label in ("yes", "no"):
        draw_image(tmp_path / "br35h" / label / "1.jpg", seed=len(label))
    draw_image(tmp_path / "kvasir" / "images" / "1.jpg")
    draw_mask(tmp_path / "kvasir" / "masks" / "1.jpg")
    words = ("--data", tmp_path / "br35h", tmp_path / "kvasir", "--out", tmp_path / "out")
    answer = call(tiny_spec, "evaluate", "--dataset", "br35h", "kvasir", *words)
    assert answer.returncode == 0, answer.stderr
    images_alone, masks_alone = (one["mean"] for one in results(tmp_path / "out"))
    assert images_alone["image_auroc"] is not None and images_alone["pixel_auroc"] is None
    assert masks_alone["pixel_auroc"] is not None and masks_alone["image_ap"] is None
    assert "| – |" in (tmp_path / "out" / "results.md").read_text()


def test_bad_files_are_named_and_counted_and_the_run_goes_on(tiny_spec, mvtec, tmp_path):
    (mvtec / "bottle/test/good/000.png").write_bytes(b"no image")
    (mvtec / "bottle/ground_truth/scratch/000_mask.png").unlink()
    draw_mask(mvtec / "metal_nut/ground_truth/scratch/000_mask.png", width=50, height=20)
    (mvtec / "zipper/test/good").mkdir(parents=True)
    answer = evaluate(tiny_spec, mvtec, tmp_path / "out")
    assert answer.returncode == 1
    assert "4 problems" in answer.stderr
    (found,) = results(tmp_path / "out")
    problems = "\n".join(found["problems"])
    assert "bottle/test/good/000.png: The file is not an image" in problems
    assert "bottle/test/scratch/000.png: it is anomalous and has no mask" in problems
    assert "50×20 px and its image 24×20 px" in problems
    assert "Class zipper" in problems and "no images to test on" in problems
    assert [len(one["images"]) for one in found["classes"]] == [3, 4]
    assert all(one["metrics"]["pixel_auroc"] is not None for one in found["classes"])


def test_a_run_that_was_killed_goes_on_to_the_same_result(tiny_spec, tmp_path, visible):
    root = tmp_path / "many"
    for number in range(6):
        draw_mvtec_class(root / f"class{number}")
    tuning = ["--tune-dataset", "mvtec_like", "--tune-data", str(visible), "--epochs", "3"]
    words = ["mvtec_like", "--method", "all", *tuning]
    unbroken = evaluate(tiny_spec, root, tmp_path / "unbroken", *words)
    assert unbroken.returncode == 0, unbroken.stderr
    command = ("evaluate", "--data", root, "--out", tmp_path / "broken", "--dataset", *words)
    process = start(tiny_spec, *command, stderr=subprocess.DEVNULL)
    parts = tmp_path / "broken" / "parts"
    while process.poll() is None and len(list(parts.glob("*.json"))) < 15:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 15 <= len(list(parts.glob("*.json"))) < 36
    assert not (tmp_path / "broken" / "results.json").exists()
    resumed = evaluate(tiny_spec, root, tmp_path / "broken", *words)
    assert resumed.returncode == 0, resumed.stderr
    for name in ("results.json", "results.md", "report.html"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "unbroken" / name).read_bytes(), name


def test_changed_images_are_scored_anew(tiny_spec, mvtec, tmp_path):
    evaluate(tiny_spec, mvtec, tmp_path / "out")
    before = results(tmp_path / "out")
    draw_image(mvtec / "bottle/test/good/000.png", seed=99)
    evaluate(tiny_spec, mvtec, tmp_path / "out")
    after = results(tmp_path / "out")
    assert before[0]["classes"][0] != after[0]["classes"][0]
    assert before[0]["classes"][1] == after[0]["classes"][1]


def test_list_needs_neither_backbone_nor_data(tmp_path):
    answer = call("there-is/none", "evaluate", "--list")
    assert answer.returncode == 0 and "VisA, 12 classes" in answer.stdout


def test_another_layout_ends_with_what_was_looked_for(tiny_spec, tmp_path):
    (tmp_path / "pictures").mkdir()
    answer = evaluate(tiny_spec, tmp_path / "pictures", tmp_path / "out", "visa")
    assert answer.returncode == 2
    assert "split_csv/1cls.csv" in answer.stderr and "What is there: nothing" in answer.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_ends_in_clear_words(tiny_spec, mvtec, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "results.json.part").symlink_to("/dev/full")
    answer = evaluate(tiny_spec, mvtec, out)
    assert answer.returncode == 2
    assert "The disk is full" in answer.stderr and "run the same command again" in answer.stderr
    assert evaluate(tiny_spec, mvtec, out).returncode == 0
