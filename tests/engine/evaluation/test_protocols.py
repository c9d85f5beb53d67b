"""Protocols on folders of classes: who is anomalous, and who is found."""

import json

import pytest
import torch

from engine.evaluation.datasets.item import DatasetError
from engine.evaluation.protocols import ConceptMatching, one_class, open_set, out_of_distribution
from engine.features.image_features import ImageFeatures
from engine.serving.engine import Engine
from tests.engine.calling import call
from tests.engine.evaluation.datasets.test_catalogue import find_data_set
from tests.engine.evaluation.datasets.trees import draw_image


@pytest.fixture
def root(tmp_path):
    for number, name in enumerate(("cat", "dog", "fish", "horse")):
        for image in range(number + 1):
            draw_image(tmp_path / "known" / name / f"{image}.png", seed=10 * number + image)
    for name in ("car", "ship"):
        draw_image(tmp_path / "unknown" / name / "0.png", seed=ord(name[0]))
    return tmp_path


def test_one_class_is_normal_and_all_others_are_anomalies(root):
    classes = one_class(find_data_set("classes").read(root / "known"))
    assert list(classes) == ["cat", "dog", "fish", "horse"]
    assert [sum(one.label for one in images) for images in classes.values()] == [9, 8, 7, 6]
    assert all(one.class_name == "dog" for one in classes["dog"])


def test_open_set_knows_half_of_the_classes_and_the_seed_decides_which(root):
    images = find_data_set("classes").read(root / "known")
    known, classes = open_set(images, 1)
    (labelled,) = classes.values()
    assert len(known) == 2 and {one.defect for one in labelled if not one.label} == set(known)
    assert open_set(images, 1)[0] == known
    assert len({tuple(open_set(images, seed)[0]) for seed in range(8)}) > 1


def test_open_set_with_two_classes_is_refused(root):
    with pytest.raises(DatasetError, match="at least three classes; there are: car, ship"):
        open_set(find_data_set("classes").read(root / "unknown"), 0)


def test_an_image_that_is_a_known_class_scores_low(backbone):
    method = ConceptMatching(Engine(backbone), ["cat", "dog"])
    patches = torch.zeros(1, 64, 32)
    known = method.score(ImageFeatures(method._texts[0], patches), "")
    between = method.score(ImageFeatures(torch.nn.functional.normalize(method._texts.sum(0), dim=-1), patches), "")
    assert known.score < between.score == pytest.approx(0.5, abs=1e-3)


def test_out_of_distribution_labels_the_other_set(root):
    read = find_data_set("classes").read
    (images,) = out_of_distribution(read(root / "known"), read(root / "unknown")).values()
    assert [one.label for one in images] == [0] * 10 + [1] * 2


@pytest.mark.parametrize(
    ("protocol", "words", "method"),
    [("one_class", ("--method", "clip"), "clip"), ("ood", ("--unknown", "unknown"), "mcm"), ("open_set", (), "mcm")],
)
def test_on_the_command_line(tiny_spec, root, protocol, words, method):
    words = [root / word if word == "unknown" else word for word in words]
    common = ("--dataset", "classes", "--data", root / "known", "--out", root / "out", "--protocol", protocol)
    answer = call(tiny_spec, "evaluate", *common, *words)
    assert answer.returncode == 0, answer.stderr
    (found,) = json.loads((root / "out" / "results.json").read_text())["results"]
    assert found["method"] == method
    assert found["mean"]["image_auroc"] is not None and found["mean"]["pixel_auroc"] is None


def test_ood_without_a_folder_of_unknown_classes_says_so(tiny_spec, root):
    common = ("--dataset", "classes", "--data", root / "known", "--out", root / "out")
    answer = call(tiny_spec, "evaluate", *common, "--protocol", "ood")
    assert answer.returncode == 2 and "--unknown" in answer.stderr
