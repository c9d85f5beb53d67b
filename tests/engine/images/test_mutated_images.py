"""Damaged images of every format: refused with a sentence, or read; never a crash, a hang or a leak.

`python -m benchmarks.mutated_images` does the same with more of them.
"""

from benchmarks.mutated_images import LEAK_MB, LONGEST_SECONDS, in_child


def test_damaged_images_of_every_format_do_no_harm() -> None:
    result = in_child(count=400, seed=7)
    formats = result["formats"]
    assert {"PNG RGB", "JPEG RGB", "TIFF RGB", "BMP RGB", "GIF P", "WEBP RGBA", "TIFF I;16 tiff_deflate"} <= set(
        formats
    )
    assert {name: one["faults"] for name, one in formats.items() if one["faults"]} == {}
    assert max(one["slowest"] for one in formats.values()) < LONGEST_SECONDS
    assert sum(one["refused"] for one in formats.values()) > 100, "the damage does something"
    assert result["grown_mb"] < LEAK_MB
