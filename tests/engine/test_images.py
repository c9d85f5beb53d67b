"""Decoding: every format people have, upright and 8-bit; clear words for what is no image."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from engine.errors import ImageError
from engine.images import decode_image, decode_mask, display_image, encode_mask, thumbnail, to_rgb


def encoded(image: Image.Image, image_format: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def gradient(width: int = 40, height: int = 30) -> np.ndarray:
    return np.linspace(0, 255, width * height).reshape(height, width).astype(np.uint8)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"])
def test_the_formats_people_have(image_format):
    image = decode_image(encoded(Image.fromarray(gradient()).convert("RGB"), image_format))
    assert image.size == (40, 30)
    assert to_rgb(image).mode == "RGB"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(mode):
    image_format = "TIFF" if mode == "CMYK" else "PNG"
    image = decode_image(encoded(Image.fromarray(gradient()).convert("RGB").convert(mode), image_format))
    rgb = np.asarray(to_rgb(image), dtype=int)
    assert rgb.shape == (30, 40, 3)
    assert rgb[-1].mean() > rgb[0].mean() + 100  # still dark above and bright below


def test_exif_orientation_is_applied():
    image = Image.fromarray(gradient()).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying, to be turned a quarter clockwise
    upright = decode_image(encoded(image, "JPEG", exif=exif, quality=95))
    assert upright.size == (30, 40)
    pixels = np.asarray(upright.convert("L"), dtype=int)
    assert pixels[:, 0].mean() > pixels[:, -1].mean() + 100  # the stored bottom, bright, is on the left now


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_16_bits_are_stretched_from_their_minimum_to_their_maximum(image_format):
    deep = np.linspace(1000, 5000, 1200).reshape(30, 40).astype(np.uint16)
    pixels = np.asarray(decode_image(encoded(Image.fromarray(deep), image_format)))
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, np.rint((deep - 1000.0) / 4000.0 * 255).astype(np.uint8))


def test_a_constant_16_bit_picture_is_black():
    deep = Image.fromarray(np.full((30, 40), 700, dtype=np.uint16))
    assert np.asarray(decode_image(encoded(deep))).max() == 0


def test_float_tiff_is_stretched_too_and_undefined_values_are_refused():
    values = np.linspace(-1, 1, 1200, dtype=np.float32).reshape(30, 40)
    assert np.asarray(decode_image(encoded(Image.fromarray(values), "TIFF"))).max() == 255
    values[3, 3] = np.inf
    with pytest.raises(ImageError, match="infinite or undefined"):
        decode_image(encoded(Image.fromarray(values), "TIFF"))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"this is a text, and no image", "not an image"),
        (encoded(Image.fromarray(gradient()), "JPEG")[:300], "damaged"),
        (encoded(Image.fromarray(gradient(400, 300)), "JPEG")[:-900], "damaged"),
        (png_header(12_000, 12_000), "limit is 100,000,000 pixels"),
        (png_header(600_000, 600_000), "more pixels than can be accepted"),
        (encoded(Image.new("RGB", (1, 1))), "at least 8 px"),
        (encoded(Image.new("RGB", (20_000, 20))), "over 50 times the other"),
    ],
    ids=["0 bytes", "text", "cut header", "truncated", "bomb", "huge bomb", "1×1", "20,000×20"],
)
def test_what_is_no_usable_image_is_refused_in_plain_words(data, message):
    with pytest.raises(ImageError, match=message):
        decode_image(data)


@pytest.mark.parametrize("read", [decode_image, lambda data: decode_mask(data, width=40, height=30)])
def test_postscript_is_not_run(read):
    program = encoded(Image.fromarray(gradient()).convert("RGB"), "EPS")
    with pytest.raises(ImageError, match="not an image in a format that can be read"):
        read(program)


def test_a_damaged_avif_is_refused_as_others_are():
    data = encoded(Image.fromarray(gradient()).convert("RGB"), "AVIF")
    with pytest.raises(ImageError):
        decode_image(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))


def test_too_many_bytes_are_refused_before_decoding():
    with pytest.raises(ImageError, match="ANOMALYLOOP_MAX_UPLOAD_MB"):
        decode_image(b"x" * 2000, max_bytes=1000)


def test_a_mask_survives_its_file():
    mask = (np.random.default_rng(0).random((30, 40)) > 0.5).astype(np.uint8)
    np.testing.assert_array_equal(decode_mask(encode_mask(mask), width=40, height=30), mask)


def test_any_nonzero_value_of_a_mask_is_anomalous():
    mask = np.zeros((30, 40), dtype=np.uint8)
    mask[2, 3], mask[4, 5] = 1, 255
    found = decode_mask(encoded(Image.fromarray(mask)), width=40, height=30)
    assert found.sum() == 2
    coloured = Image.fromarray(np.stack([mask, np.zeros_like(mask), np.zeros_like(mask)], axis=2))
    assert decode_mask(encoded(coloured), width=40, height=30).sum() == 2


def test_the_alpha_of_a_mask_is_not_looked_at():
    opaque_black = Image.new("RGBA", (40, 30), (0, 0, 0, 255))
    assert decode_mask(encoded(opaque_black), width=40, height=30).sum() == 0


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ImageError, match="40×30 px and the image is 41×30 px"):
        decode_mask(encoded(Image.new("L", (40, 30))), width=41, height=30)


def test_thumbnail_and_display_are_what_browsers_show():
    image = decode_image(encoded(Image.fromarray(gradient(600, 300)).convert("CMYK"), "TIFF"))
    assert Image.open(io.BytesIO(thumbnail(image))).size == (256, 128)
    shown = Image.open(io.BytesIO(display_image(image)))
    assert (shown.format, shown.mode, shown.size) == ("PNG", "RGB", (600, 300))
