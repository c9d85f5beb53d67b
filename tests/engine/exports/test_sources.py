"""Which images of files and folders are scored, and what their results are called."""

from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.exports.sources import find_sources


@pytest.fixture
def make(tmp_path):
    def touch(*names: str) -> Path:
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return touch


def names(paths, out=Path("out")) -> list[str]:
    return [one.name.as_posix() for one in find_sources(paths, out=out)]


def test_a_folder_keeps_its_structure(make):
    assert names([make("a/1.png", "a/2.JPG", "b/1.png")]) == ["a/1", "a/2", "b/1"]


def test_hidden_files_and_other_kinds_are_passed_over(make):
    assert names([make("1.png", "._1.png", ".thumbnails/1.png", "notes.txt")]) == ["1"]


def test_several_folders_are_kept_apart_by_their_names(make):
    root = make("a/1.png", "b/1.png", "c.png")
    assert names([root / "a", root / "b", root / "c.png"]) == ["a/1", "b/1", "c"]


def test_images_that_differ_in_their_suffix_alone_keep_it(make):
    assert names([make("1.png", "1.jpg", "2.png")]) == ["1.jpg", "1.png", "2"]


def test_two_images_of_one_name_are_refused_before_anything_is_written(make):
    root = make("a/1.png", "b/1.png")
    with pytest.raises(EngineError, match=r"a/1\.png and .*b/1\.png would both be written as 1\.png"):
        find_sources([root / "a" / "1.png", root / "b" / "1.png"], out=root / "out")


def test_what_was_written_before_is_not_read(make):
    root = make("1.png", "out/1_mask.png")
    assert names([root], root / "out") == ["1"]


def test_a_folder_without_images_says_what_was_looked_for(make):
    with pytest.raises(EngineError, match=r"holds no images \(.*\.png"):
        find_sources([make("notes.txt")])


def test_a_file_that_is_named_is_taken_whatever_it_is_called(make):
    assert names([make("scan") / "scan"]) == ["scan"]
