"""Which images of files and folders are scored, and what their results are called."""

import os
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
    return [one.name.as_posix() for one in find_sources(paths, out=out).images]


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


def test_what_is_passed_over_is_counted_and_named(make):
    root = make("1.png", "a/notes.txt", "b.heic", "._1.png", *(f"{number}.dat" for number in range(9)))
    found = find_sources([root])
    assert len(found.passed_over) == 11
    assert found.passed_over_words().startswith("11 files passed over, by their names no images: ")
    assert "0.dat" in found.passed_over_words() and found.passed_over_words().endswith("and 6 more.")
    assert not find_sources([root / "1.png"]).passed_over_words()


def test_out_may_be_the_folder_of_the_images(make):
    root = make("1.png", "a/2.jpg", "1_mask.png", "1_overlay.jpg", "a/2_mask.png", "x_mask.png", "scores.csv")
    assert names([root], root) == ["1", "a/2", "x_mask"]
    assert names([root / "a"], root) == ["2"]  # and it may hold it


@pytest.mark.parametrize("letter", ["x", "가"])
def test_names_that_are_too_long_for_their_results_are_cut_and_stay_apart(make, letter):
    first, second = (letter * (240 // len(letter.encode())) + end for end in ("1", "2"))
    found = find_sources([make(f"{first}.png", f"{second}.png")], out=Path("out")).images
    assert len({one.name for one in found}) == 2
    for one in found:
        assert len(f"{one.name}_overlay.jpg.part".encode()) <= 255 and one.name.name.startswith(letter * 60)


def test_a_name_that_is_no_utf_8_is_shown_by_escapes(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.png")).touch()
    [one] = find_sources([tmp_path], out=Path("out")).images
    assert one.shown.endswith("caf\\xe9.png") and one.shown.encode()


def test_names_that_a_file_system_takes_for_one_are_refused(make):
    with pytest.raises(EngineError, match="would both be written"):
        root = make("a/1.png", "b/1.PNG")
        find_sources([root / "a" / "1.png", root / "b" / "1.PNG"], out=Path("out"))
