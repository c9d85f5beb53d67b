"""Decoding: every format people have, upright and 8-bit, whatever their metadata; clear words for what is no image."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from engine.errors import ImageError
from engine.images.decoding import decode_image
from engine.images.mask_files import decode_mask, encode_mask
from engine.images.showing import display_image, thumbnail, to_rgb
from engine.images.suffixes import IMAGE_SUFFIXES


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
        (png_header(600_000, 600_000), "limit is 100,000,000 pixels"),
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
    with pytest.raises(ImageError, match="PostScript program, which is not run"):
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


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ImageError, match="40×30 px and the image is 41×30 px"):
        decode_mask(encoded(Image.new("L", (40, 30))), width=41, height=30)


def test_thumbnail_and_display_are_what_browsers_show():
    image = decode_image(encoded(Image.fromarray(gradient(600, 300)).convert("CMYK"), "TIFF"))
    assert Image.open(io.BytesIO(thumbnail(image))).size == (256, 128)
    shown = Image.open(io.BytesIO(display_image(image)))
    assert (shown.format, shown.mode, shown.size) == ("PNG", "RGB", (600, 300))


def odd_exif(orientation: int) -> bytes:
    """EXIF with an orientation and a tag that says it is a short number, and isn't one."""
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + struct.pack("<HHII", 0xA002, 4, 1, 70_000)
    entries += struct.pack("<HHII", 0x0106, 4, 1, 70_000)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 3) + entries + struct.pack("<I", 0)


@pytest.mark.parametrize("exif", [odd_exif(6), odd_exif(6)[:40], b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0rubbish"])
def test_odd_exif_costs_no_image_and_an_orientation_in_it_counts(exif):
    image = decode_image(encoded(Image.fromarray(gradient()).convert("RGB"), "JPEG", exif=exif))
    assert image.size == ((30, 40) if len(exif) > 30 else (40, 30))
    assert display_image(image)


def with_text(**chunks) -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, (text, zipped) in chunks.items():
        info.add_itxt(key.replace("_", ":"), text, zip=zipped) if ":" in key else info.add_text(key, text, zip=zipped)
    return encoded(Image.fromarray(gradient()).convert("RGB"), pnginfo=info)


@pytest.mark.parametrize(
    "data",
    [
        with_text(xmp=("hello", False)),
        with_text(Comment=("x" * 3_000_000, True)),
        with_text(**{"XML_com.adobe.xmp": ("<x:tiff:Orientation>99", False)}),
        with_text(Software=("a\0b", False)),
    ],
    ids=["text where bytes should be", "3 MB, deflated", "odd XMP", "NUL"],
)
def test_text_in_a_png_costs_no_image(data):
    np.testing.assert_array_equal(np.asarray(decode_image(data))[..., 0], gradient())


def test_a_chunk_with_a_wrong_checksum_that_pixels_do_not_need_costs_no_image():
    data = with_text(Comment=("hello", False))
    at = data.index(b"hello")
    assert decode_image(data[:at] + b"jello" + data[at + 5 :]).size == (40, 30)


def test_nothing_of_the_metadata_is_written_into_another_mode():
    one_bit = Image.fromarray(gradient() > 100)
    image = decode_image(encoded(one_bit, transparency=0))
    assert image.info == {}
    assert Image.open(io.BytesIO(display_image(image))).mode == "RGB" and thumbnail(image)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "P"])
def test_an_odd_profile_is_dropped_and_one_that_fits_is_kept(mode):
    from PIL import ImageCms

    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    kind = "TIFF" if mode == "CMYK" else "PNG"
    picture = Image.fromarray(gradient()).convert("RGB").convert(mode)
    for profile, kept in ((srgb, mode in ("RGB", "P")), (b"no profile at all", False)):
        image = decode_image(encoded(picture, kind, icc_profile=profile))
        assert ("icc_profile" in image.info) == kept
        assert display_image(image)


def test_palettes_are_colours_and_are_resized_as_such():
    stripes = np.tile(np.array([0, 1], dtype=np.uint8), (40, 20))
    image = Image.fromarray(stripes, "P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    decoded = decode_image(encoded(image))
    assert decoded.mode == "RGB"
    small = np.asarray(decoded.resize((10, 10), Image.Resampling.BICUBIC))
    assert small.min() > 90 and small.max() < 165  # black and white stripes seen from afar


def test_lab_pictures_are_seen():
    from PIL import ImageCms

    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    lab = ImageCms.applyTransform(Image.fromarray(gradient()).convert("RGB"), to_lab)
    pixels = np.asarray(to_rgb(decode_image(encoded(lab, "TIFF"))), dtype=int)
    assert np.abs(pixels - gradient()[..., None]).max() < 12


def icon_of(width: int, height: int) -> bytes:
    """An icon whose directory says 16×16, and whose picture is far larger."""
    inner = png_header(width, height)
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(inner), 22) + inner


def test_a_container_is_measured_before_what_it_holds_is_decoded():
    with pytest.raises(ImageError, match=r"30000×30000 px; the limit is .*ANOMALYLOOP_MAX_PIXELS"):
        decode_image(icon_of(30_000, 30_000))


def test_a_raised_limit_is_raised_beyond_the_one_of_pillow():
    wafer = encoded(Image.new("1", (14_000, 13_500)))
    with pytest.raises(ImageError, match="ANOMALYLOOP_MAX_PIXELS"):
        decode_image(wafer)
    assert decode_image(wafer, max_pixels=400_000_000).size == (14_000, 13_500)


def many_channels(count: int) -> bytes:
    """A TIFF of several channels of 8 bits."""
    width, height, at = 16, 12, 8
    tags = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    end = at + 2 + 12 * 9 + 4
    tags += [(273, 4, 1, end), (277, 3, 1, count), (278, 3, 1, height), (279, 4, 1, width * height * count)]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", at) + directory + bytes(width * height * count)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (many_channels(5), "The TIFF has 5 channels of 8 bits each"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC picture of a phone"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"  <svg xmlns=", "a drawing"),
        (b"II*\0\xff\xff\xff\x7f", "directory can't be read"),
    ],
)
def test_what_can_not_be_read_is_refused_as_what_it_is(data, words):
    with pytest.raises(ImageError, match=words):
        decode_image(data)


@pytest.mark.parametrize("suffix", [".gif", ".jfif", ".jp2", ".avif", ".png", ".tif", ".webp", ".tga", ".ppm"])
def test_what_is_taken_for_an_image_by_its_name_can_be_decoded(suffix):
    assert suffix in IMAGE_SUFFIXES
    image_format = Image.registered_extensions()[suffix]
    assert decode_image(encoded(Image.fromarray(gradient()).convert("RGB"), image_format)).size == (40, 30)
