"""`evaluate --method detector`: what is learnt from corrections of a set, measured on its other images."""

import json

import pytest

from engine.evaluation.corrected import LEARNERS, Plan
from engine.learning.corrected_files import order_of_corrections
from tests.engine.calling import call
from tests.engine.evaluation.datasets.trees import draw_image, draw_mask

IMAGES = 12


def draw(folder):
    """Six normal and six anomalous images, one of the latter without a mask."""
    for number in range(IMAGES // 2):
        draw_image(folder / "normal" / f"{number}.png", seed=number)
        draw_image(folder / "anomalous" / f"{number}.png", seed=100 + number)
        if number:
            draw_mask(folder / "masks" / f"{number}.png")
    return folder


@pytest.fixture
def folder(tmp_path):
    return draw(tmp_path / "data")


@pytest.fixture(scope="module")
def learnt(tiny_spec, tmp_path_factory):
    """Results by row, of two numbers of corrections and two seeds."""
    home = tmp_path_factory.mktemp("learnt")
    words = ("--corrections", "4,6", "--seeds", "0,3")
    answer, found = evaluate(tiny_spec, draw(home / "data"), home / "out", *words)
    assert answer.returncode == 1 and "anomalous and has no mask; it counts for the image's metrics" in answer.stderr
    return found


def evaluate(spec, folder, out, *words):
    answer = call(
        spec, "evaluate", "--dataset", "folder", "--data", folder, "--out", out, "--method", "detector", *words
    )
    found = json.loads((out / "results.json").read_text())["results"] if answer.returncode < 2 else []
    return answer, {one["method"]: one for one in found}


def test_a_row_for_each_learner_and_number_beside_zero_shot(learnt):
    rows = [f"{learner}, {count} corrections" for count in (4, 6) for learner in LEARNERS]
    assert list(learnt) == ["detector, zero-shot", *rows]
    for title, one in learnt.items():
        (only,) = one["classes"]
        assert [fit["seed"] for fit in only["fits"]] == [0, 3], title
        assert 0 <= one["mean"]["image_auroc"] <= 1 and 0 <= one["mean"]["pixel_auroc"] <= 1
        of_seeds = [fit["metrics"]["image_auroc"] for fit in only["fits"]]
        assert one["mean"]["image_auroc"] == pytest.approx(sum(of_seeds) / 2)


def test_measured_are_the_images_that_were_never_corrected(learnt):
    paths = [f"normal/{number}.png" for number in range(6)] + [f"anomalous/{number}.png" for number in range(6)]
    order = order_of_corrections([0] * 6 + [1] * 6, seed=3)
    for one in learnt.values():  # the same ones for each number of corrections
        measured = [row["image"] for row in one["classes"][0]["images"] if row["seed"] == 3]
        assert sorted(measured) == sorted(paths[i] for i in order[6:])


def test_numbers_that_leave_too_few_images_are_left_out_and_said(tiny_spec, folder, tmp_path):
    answer, found = evaluate(tiny_spec, folder, tmp_path / "out", "--corrections", "4,9,40")
    assert answer.returncode == 1
    assert "has 12 images: too few to measure on after 9 or 40 corrections" in answer.stderr
    assert list(found) == ["detector, zero-shot", *(f"{learner}, 4 corrections" for learner in LEARNERS)]


def test_an_image_that_can_not_be_read_is_named_and_nothing_is_learnt_from_it(tiny_spec, folder, tmp_path):
    for file in (folder / "normal").iterdir():
        file.write_bytes(b"no image")
    answer, found = evaluate(tiny_spec, folder, tmp_path / "out", "--corrections", "4")
    assert answer.returncode == 1
    problems = "\n".join(found["detector, 4 corrections"]["problems"])
    assert "Nothing is learnt from it." in problems
    assert "learnt from 2 corrections" in answer.stderr


def test_run_again_it_takes_what_is_finished(tiny_spec, folder, tmp_path):
    words = ("--corrections", "4", "--seeds", "0")
    evaluate(tiny_spec, folder, tmp_path / "out", *words)
    first = (tmp_path / "out" / "results.json").read_bytes()
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "parts").iterdir()}
    evaluate(tiny_spec, folder, tmp_path / "out", *words)
    assert (tmp_path / "out" / "results.json").read_bytes() == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "parts").iterdir()} == parts


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--reference",), "leave out --reference"),
        (("--corrections", "0"), "--corrections takes numbers from 1"),
        (("--corrections", "few"), "no list of numbers"),
    ],
)
def test_what_can_not_be_done_is_refused_in_words(tiny_spec, folder, tmp_path, words, said):
    answer, _ = evaluate(tiny_spec, folder, tmp_path / "out", *words)
    assert answer.returncode == 2 and said in answer.stderr


def test_half_of_the_corrections_are_normal_for_as_long_as_there_are_both():
    labels = [1] * 3 + [0] * 7
    order = order_of_corrections(labels, seed=1)
    assert sorted(order) == list(range(10))
    assert [labels[i] for i in order] == [1, 0, 1, 0, 1, 0, 0, 0, 0, 0]
    assert order != order_of_corrections(labels, seed=2)


def test_at_least_a_third_of_a_class_is_never_corrected():
    assert Plan((5, 20, 40)).counts_of(60) == [5, 20, 40]
    assert Plan((5, 20, 40)).counts_of(59) == [5, 20]
    assert Plan((5,)).counts_of(3) == []
