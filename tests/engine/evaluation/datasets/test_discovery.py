"""Data sets in a folder of folders are found by their names, or else by what is in them."""

import pytest

from engine.evaluation.datasets.discovery import find_data_sets
from engine.evaluation.datasets.item import DatasetError
from tests.engine.evaluation.datasets.trees import draw_image, draw_mvtec_class


def found(root):
    sets, others = find_data_sets(root)
    return {folder.name: one.name for one, folder in sets}, [folder.name for folder in others]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("MVTec AD", "mvtec"),
        ("mvtec_anomaly_detection", "mvtec"),
        ("VisA", "visa"),
        ("CVC-ClinicDB", "cvc_clinicdb"),
        ("Kvasir-SEG", "kvasir"),
        ("head_ct", "headct"),
    ],
)
def test_a_folder_called_after_a_set_is_that_set(tmp_path, folder, name):
    (tmp_path / folder).mkdir()
    assert found(tmp_path) == ({folder: name}, [])


def test_others_are_known_by_what_is_in_them(tmp_path):
    draw_mvtec_class(tmp_path / "parts" / "screw")
    draw_image(tmp_path / "mine" / "normal" / "1.png")
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "index.csv").write_text("image,label,mask\n1.png,0,\n")
    draw_image(tmp_path / "holiday" / "beach.jpg")
    assert found(tmp_path) == ({"mine": "folder", "parts": "mvtec_like", "table": "index"}, ["holiday"])


def test_a_folder_without_any_says_what_was_looked_for(tmp_path):
    draw_image(tmp_path / "holiday" / "beach.jpg")
    with pytest.raises(DatasetError, match=r"holds no data sets\. Looked for: .*What is there: holiday"):
        find_data_sets(tmp_path)
