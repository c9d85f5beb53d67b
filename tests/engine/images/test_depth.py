"""More than 8 bits: one rule for all images, told by the first, that no single value moves."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from engine.errors import ImageError
from engine.images.decoding import Decoder, decode_image, depth_set_by, is_deep
from engine.images.depth import DepthRule
from tests.pictures import encoded

TWELVE_BITS = np.linspace(0, 4095, 1200).reshape(30, 40).astype(np.uint16)


def deep_png(values: np.ndarray) -> bytes:
    """A 16-bit PNG of (h, w, 2 … 4): grey and alpha, colours, colours and alpha."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = values.shape
    kind = {2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def deep_tiff(values: np.ndarray, **tags: int) -> bytes:
    """An uncompressed 16-bit TIFF of (h, w) or (h, w, 3)."""
    height, width = values.shape[:2]
    channels = values.shape[2] if values.ndim == 3 else 1
    entries = [
        (256, width),
        (257, height),
        (258, 16),
        (259, 1),
        (262, tags.get("photometric", 2 if channels == 3 else 1)),
    ]
    where = 8 + 2 + 12 * 9 + 4
    entries += [(273, where + 6), (277, channels), (278, height), (279, values.nbytes)]
    directory = struct.pack("<H", len(entries))
    for tag, value in entries:
        if tag == 258 and channels == 3:
            directory += struct.pack("<HHII", tag, 3, 3, where)
        else:
            directory += struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, 1, value)
    return b"II*\0" + struct.pack("<I", 8) + directory + bytes(4) + struct.pack("<HHH", 16, 16, 16) + values.tobytes()


def deep_ppm(values: np.ndarray) -> bytes:
    """A 16-bit PPM of (h, w, 3)."""
    height, width = values.shape[:2]
    return b"P6\n# of a camera\n%d %d\n65535\n" % (width, height) + values.astype(">u2").tobytes()


def grey(values: np.ndarray, image_format: str = "TIFF") -> bytes:
    return encoded(Image.fromarray(values), image_format)


def pixels(data: bytes, depth: DepthRule | None = None) -> np.ndarray:
    return np.asarray(decode_image(data, depth=depth))


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        (TWELVE_BITS, (0, 4095)),
        (TWELVE_BITS // 2, (0, 4095)),  # darker: the same depth
        (TWELVE_BITS * 4, (0, 16383)),
        (TWELVE_BITS * 16, (0, 65535)),
        (TWELVE_BITS // 17, (0, 255)),
        (30_000 + TWELVE_BITS, (30_000 - 2047.5, 34_095 + 2047.5)),  # little between, and far from black
        (np.linspace(0, 1, 1200, dtype=np.float32).reshape(30, 40), (0, 1)),
        (TWELVE_BITS.astype(np.float32), (0, 4095)),
        (TWELVE_BITS.astype(np.int32), (0, 4095)),
    ],
)
def test_the_first_image_tells_the_depth(values, rule):
    assert depth_set_by(grey(values)) == DepthRule(*rule)


def test_other_numbers_are_seen_between_their_robust_ends():
    values = np.random.default_rng(0).normal(300, 5, (200, 200)).astype(np.float32)
    rule = depth_set_by(grey(values))
    assert rule is not None and 270 < rule.low < 290 and 310 < rule.high < 330


def test_an_image_of_one_value_sets_no_rule_and_one_of_8_bits_is_not_asked():
    assert depth_set_by(grey(np.full((30, 40), 700, dtype=np.uint16))) is None
    assert depth_set_by(encoded(Image.new("RGB", (40, 30)))) is None


def test_by_a_rule_exposures_stay_comparable():
    rule = depth_set_by(grey(TWELVE_BITS))
    bright, dark = (pixels(grey(values), rule).astype(int) for values in (TWELVE_BITS, TWELVE_BITS // 2))
    assert abs(bright / 2 - dark).max() <= 1


STRAYS = {
    "one hot pixel": lambda values: np.put(values, 500, 65535),
    "three hot pixels": lambda values: np.put(values, [3, 500, 900], [65535, 60000, 50000]),
}


@pytest.mark.parametrize("stray", STRAYS.values(), ids=STRAYS)
def test_hot_pixels_change_no_other_grey_level(stray):
    clean, hot = TWELVE_BITS.copy(), TWELVE_BITS.copy()
    stray(hot)
    same = clean == hot
    np.testing.assert_array_equal(pixels(grey(hot))[same], pixels(grey(clean))[same])


@pytest.mark.parametrize("no_data", [-9999.0, np.nan, np.inf, -3.4e38])
def test_no_data_changes_no_other_grey_level(no_data):
    values = np.random.default_rng(0).uniform(20, 30, (60, 80)).astype(np.float32)
    holed = values.copy()
    holed[10:30, 10:30] = no_data
    same = holed == values
    np.testing.assert_allclose(pixels(grey(holed))[same], pixels(grey(values)).astype(int)[same], atol=2)


def test_no_data_that_the_file_states_does_not_count():
    values = np.random.default_rng(0).uniform(20, 30, (60, 80)).astype(np.float32)
    values[10:30, 10:30] = 25.5
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[42113] = "25.5"
    assert depth_set_by(encoded(Image.fromarray(values), "TIFF", tiffinfo=tags)) is not None


def test_an_image_without_a_number_is_refused():
    with pytest.raises(ImageError, match="no number that is finite"):
        decode_image(grey(np.full((30, 40), np.nan, dtype=np.float32)))


def test_where_white_is_zero_the_picture_is_not_inverted():
    stored = (4095 - TWELVE_BITS).astype(np.uint16)
    shown = pixels(deep_tiff(stored, photometric=0)).astype(int)
    assert abs(shown - pixels(grey(TWELVE_BITS))).max() <= 1


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_colours_of_16_bits_are_seen_as_the_same_values_in_grey(channels):
    values = np.repeat(TWELVE_BITS[..., None], channels, axis=2)
    if channels != 3:
        values[..., -1] = 65535
    data = deep_png(values)
    image = decode_image(data)
    assert is_deep(data) and image.mode == {2: "RGBA", 3: "RGB", 4: "RGBA"}[channels]
    np.testing.assert_array_equal(np.asarray(image)[..., 0], pixels(grey(TWELVE_BITS)))
    if channels != 3:
        assert np.asarray(image)[..., -1].min() == 255


@pytest.mark.parametrize("write", [deep_tiff, deep_png, deep_ppm])
def test_colours_differ_from_one_another_to_the_last_bit(write):
    values = np.stack([TWELVE_BITS, TWELVE_BITS // 2, TWELVE_BITS // 3], axis=2)
    assert is_deep(write(values))
    shown = pixels(write(values), DepthRule(0, 4095))
    for channel in range(3):
        np.testing.assert_array_equal(shown[..., channel], pixels(grey(values[..., channel]), DepthRule(0, 4095)))


def test_a_run_of_the_command_line_sees_all_its_files_by_the_rule_of_the_first(tmp_path):
    files = []
    for number, values in enumerate([TWELVE_BITS, TWELVE_BITS // 4]):
        files.append(tmp_path / f"{number}.tif")
        files[-1].write_bytes(grey(values))
    (tmp_path / "0.png").write_bytes(encoded(Image.new("RGB", (40, 30))))
    decoder = Decoder().with_depth_of([tmp_path / "0.png", tmp_path / "none.tif", *files])
    assert decoder.depth == DepthRule(0, 4095)
    assert np.asarray(decoder.read(files[1])).max() == 64


def test_a_rule_is_text_and_back():
    rule = DepthRule(0.25, 1e4)
    assert DepthRule.parse(str(rule)) == rule
    for text in ("", "5:5", "0:nan", "x:3"):
        with pytest.raises(ValueError):
            DepthRule.parse(text)


@pytest.mark.parametrize("kind", ["grey", "colour"])
def test_a_large_deep_image_needs_no_second_copy_of_itself(kind):
    values = np.zeros((2000, 3000) if kind == "grey" else (2000, 3000, 3), dtype=np.uint16)
    values[:, ::2] = 4000
    data = grey(values, "PNG") if kind == "grey" else deep_png(values)
    del values
    tracemalloc.start()
    decode_image(data)
    peak = tracemalloc.get_traced_memory()[1]  # numpy's part; Pillow's own are the pictures as such
    tracemalloc.stop()
    assert peak < 12 * 3000 * 2000  # at 100 megapixels 1.2 GB


def test_is_deep_reads_no_pixels():
    assert is_deep(grey(TWELVE_BITS)) and not is_deep(b"rubbish") and not is_deep(encoded(Image.new("L", (9, 9))))
