"""What the fuzzer found stays mended, and the fuzzer finds what it is for."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import fuzz
from benchmarks.fuzzed import kinds
from benchmarks.fuzzed.kinds import KINDS, Case

CORPUS = Path(__file__).parents[1] / "fuzz_corpus"


@pytest.mark.parametrize("file", sorted(CORPUS.iterdir()), ids=lambda file: file.stem)
def test_what_was_found_once_is_refused_or_read(file):
    kind = file.name.partition("-")[0]
    assert KINDS[kind](Case(kind, file.read_bytes()))[0] == ""


def test_a_bitmap_of_8_bits_is_read_pixel_by_pixel():
    data = (CORPUS / "mask-bitmap-of-8-bits-black-and-white.bin").read_bytes()
    found = kinds.read_marks(data, width=96, height=96).pixels
    stored = np.frombuffer(data[-96 * 96 :], np.uint8).reshape(96, 96)[::-1]
    np.testing.assert_array_equal(found, stored)


def test_some_files_of_each_kind():
    findings = fuzz.fuzz(150, seed=5)
    assert sum(findings.files.values()) >= 150 and set(findings.files) == set(KINDS)
    assert dict(findings.faults) == {}


def test_it_goes_on_where_it_was(monkeypatch, tmp_path):
    monkeypatch.setattr(fuzz, "_BATCH", 40)
    whole = fuzz.fuzz(120, seed=5)
    progress, looked_at = tmp_path / "so-far.json", []
    fuzz.fuzz(40, seed=5, progress=progress)
    look = fuzz.look
    monkeypatch.setattr(fuzz, "look", lambda case, *rest: looked_at.append(case) or look(case, *rest))
    findings = fuzz.fuzz(120, seed=5, progress=progress)
    assert (findings.files, findings.taken) == (whole.files, whole.taken)
    assert len(looked_at) == sum(whole.files.values()) - 40 and findings.batches == 3
    assert fuzz.fuzz(40, seed=6, progress=progress).batches == 1  # another seed's


def test_a_file_that_ends_the_process_is_left(monkeypatch, tmp_path):
    def ends(_case):
        raise SystemExit

    monkeypatch.setattr(fuzz, "KINDS", dict.fromkeys(KINDS, ends))
    with pytest.raises(SystemExit):
        fuzz.fuzz(40, seed=5, corpus=tmp_path)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith("under-way-") and left.stat().st_size


def test_a_wrong_mask_and_a_crash_are_found(monkeypatch, tmp_path):
    monkeypatch.setattr(kinds, "read_marks", lambda data, **size: kinds.Case)  # has no pixels
    findings = fuzz.fuzz(60, seed=5, corpus=tmp_path)
    assert "AttributeError" in findings.faults["mask"][0]
    assert (tmp_path / "mask-1.bin").is_file()
    truth = np.zeros((96, 96), dtype=bool)
    truth[:20, :20] = True
    assert kinds._compared(truth, Case("mask", b"", truth)) == ""
    more = truth.copy()
    more[90, :5] = True
    assert "400 px was read as one of 405" in kinds._compared(more, Case("mask", b"", truth))
