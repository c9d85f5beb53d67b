"""Masks in all ways in which tools write them: 30×40 px marked in an image of 160×120, and nothing else."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw, ImageFilter

from engine.errors import ImageError
from engine.images.mask_files import decode_mask, doubt, encode_mask, is_photograph, read_marks
from tests.pictures import encoded, picture

WIDTH, HEIGHT, AREA = 160, 120, 1200
TRUTH = np.zeros((HEIGHT, WIDTH), dtype=bool)
TRUTH[40:70, 50:90] = True


def painted(inside: tuple[int, ...] | int, outside: tuple[int, ...] | int = 0, mode: str = "L") -> Image.Image:
    image = Image.new(mode, (WIDTH, HEIGHT), outside)
    image.paste(inside, (50, 40, 90, 70))
    return image


def smooth(size: int = 4) -> Image.Image:
    """Drawn larger and shrunk, so that its edges (half a pixel off) are grey."""
    large = Image.new("L", (WIDTH * size, HEIGHT * size))
    ImageDraw.Draw(large).ellipse((60 * size - 1, 30 * size - 1, 100 * size, 80 * size), fill=255)
    return large.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def palette(colours: list[int], inside: int = 1, outside: int = 0, **options) -> bytes:
    image = Image.fromarray(np.where(TRUTH, inside, outside).astype(np.uint8), "P")
    image.putpalette(colours)
    return encoded(image, **options)


def layer(inside: tuple[int, ...], outside: tuple[int, ...]) -> bytes:
    return encoded(painted(inside, outside, "RGBA"))


def lab() -> bytes:
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    return encoded(ImageCms.applyTransform(painted((255, 255, 255), (0, 0, 0), "RGB"), to_lab), "TIFF")


def floats(inside: float, outside: float) -> bytes:
    return encoded(Image.fromarray(np.where(TRUTH, inside, outside).astype(np.float32)), "TIFF")


def again(data: bytes, kind: str = "PNG") -> bytes:
    """A lossy file, saved anew in another format."""
    return encoded(Image.open(io.BytesIO(data)), kind)


def pages(*images: Image.Image, kind: str = "TIFF", **options) -> bytes:
    return encoded(images[0], kind, save_all=True, append_images=list(images[1:]), **options)


WAYS = {
    "grey": encoded(painted(255)),
    "0 and 1": encoded(painted(1)),
    "1 bit": encoded(painted(1, 0, "1")),
    "16 bits, 0 and 1": encoded(Image.fromarray(TRUTH.astype(np.uint16))),
    "16 bits, to the top": encoded(Image.fromarray(TRUTH.astype(np.uint16) * 65535)),
    "32 bits": encoded(Image.fromarray(TRUTH.astype(np.int32) * 70_000), "TIFF"),
    "red on black": encoded(painted((255, 0, 0), (0, 0, 0), "RGB")),
    "dark blue on black": encoded(painted((0, 0, 64), (0, 0, 0), "RGB")),
    "red on white": encoded(painted((255, 0, 0), (255, 255, 255), "RGB")),
    "CMYK": encoded(painted((0, 0, 0, 0), (0, 0, 0, 255), "CMYK"), "TIFF"),
    "Lab": lab(),
    "JPEG": encoded(painted(255), "JPEG", quality=75),
    "JPEG, poor": encoded(painted(255), "JPEG", quality=30),
    "JPEG, red": encoded(painted((255, 0, 0), (0, 0, 0), "RGB"), "JPEG"),
    "JPEG, red on white": encoded(painted((255, 0, 0), (255, 255, 255), "RGB"), "JPEG", quality=95, subsampling=0),
    "JPEG, saved as PNG": again(encoded(painted(255), "JPEG", quality=90)),
    "JPEG, saved as BMP": again(encoded(painted(255), "JPEG", quality=60), "BMP"),
    "WebP": encoded(painted((255, 255, 255), (0, 0, 0), "RGB"), "WEBP", quality=70),
    "JPEG within TIFF": encoded(painted((255, 255, 255), (0, 0, 0), "RGB"), "TIFF", compression="jpeg"),
    "palette of VOC": palette([0, 0, 0, 128, 0, 0]),
    "palette all black": palette([0] * 6),
    "palette, black second": palette([255, 0, 0, 0, 0, 0], inside=0, outside=1),
    "palette without black": palette([70, 70, 90, 200, 10, 10]),
    "palette, transparent": palette([0, 0, 0, 0, 0, 0], transparency=0),
    "BMP of 8 bits, black and white": again(palette([0, 0, 0, 255, 255, 255]), "BMP"),
    "GIF": encoded(painted(255), "GIF"),
    "black strokes on nothing": layer((0, 0, 0, 255), (0, 0, 0, 0)),
    "black strokes on nothing that is white": layer((0, 0, 0, 255), (255, 255, 255, 0)),
    "white on nothing": layer((255, 255, 255, 255), (0, 0, 0, 0)),
    "white on nothing that is white": layer((255, 255, 255, 255), (255, 255, 255, 0)),
    "red, half seen, on nothing": layer((255, 0, 0, 128), (255, 0, 0, 0)),
    "a layer over black paper": layer((255, 255, 255, 255), (0, 0, 0, 255)),
    "half seen over black paper": layer((255, 255, 255, 128), (0, 0, 0, 255)),
    "grey and alpha": encoded(painted((0, 255), (0, 0), "LA")),
    "grey with a transparent value": encoded(painted(0, 255), transparency=255),
    "floats with NaN": floats(1.0, np.nan),
    "floats": floats(1.0, 0.0),
    "negative floats": floats(1.0, -1.0),
    "TIFF, the first page empty": pages(painted(0), painted(255)),
    "GIF of two pages": pages(painted(0), painted(255), kind="GIF", duration=100),
    "TIFF with a preview": pages(painted(255), painted(255).resize((40, 30))),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_writing_a_mask_marks_the_same(way):
    data = WAYS[way]
    found = decode_mask(data, width=WIDTH, height=HEIGHT).astype(bool)
    lossy = any(kind in way for kind in ("JPEG", "WebP"))
    assert np.count_nonzero(found != TRUTH) <= (0.01 * AREA if lossy else 0)
    assert not is_photograph(data)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG"])
def test_grey_edges_are_cut_at_the_middle_whatever_the_format(kind):
    options = {"quality": 92} if kind == "JPEG" else {"lossless": True} if kind == "WEBP" else {}
    image = smooth().convert("RGB") if kind == "WEBP" else smooth()
    found = decode_mask(encoded(image, kind, **options), width=WIDTH, height=HEIGHT)
    assert abs(int(found.sum()) - np.count_nonzero(np.asarray(smooth()) > 127)) <= 0.01 * found.sum()


@pytest.mark.parametrize("blur", [1, 3])
def test_a_blurred_mask_is_cut_at_the_middle(blur):
    blurred = painted(255).filter(ImageFilter.GaussianBlur(blur))
    found = decode_mask(encoded(blurred), width=WIDTH, height=HEIGHT)
    assert found.sum() == np.count_nonzero(np.asarray(blurred) > np.asarray(blurred).max() / 2)


def test_a_map_of_classes_is_marked_as_a_whole():
    for values in ([1, 2, 3], [85, 170, 255], [60, 128, 255], [1, 15, 255]):
        classes = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
        for number, value in enumerate(values):
            classes[10 + 30 * number : 30 + 30 * number, 20:60] = value
        assert decode_mask(encoded(Image.fromarray(classes)), width=WIDTH, height=HEIGHT).sum() == 3 * 20 * 40
    colours = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    colours[10:30, 20:60], colours[60:80, 20:60] = (0, 0, 128), (255, 255, 0)
    assert decode_mask(encoded(Image.fromarray(colours)), width=WIDTH, height=HEIGHT).sum() == 2 * 20 * 40


def test_one_pixel_is_enough():
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    mask[3, 4] = 200
    assert decode_mask(encoded(Image.fromarray(mask)), width=WIDTH, height=HEIGHT).sum() == 1


def test_a_mask_is_turned_as_an_image_is():
    exif = Image.Exif()
    exif[0x0112] = 3
    found = decode_mask(encoded(painted(255), exif=exif), width=WIDTH, height=HEIGHT)
    np.testing.assert_array_equal(found, TRUTH[::-1, ::-1])


def test_a_mask_of_the_stored_picture_is_turned_as_the_picture_is():
    upright = decode_mask(encoded(painted(255)), width=HEIGHT, height=WIDTH, orientation=lambda: 6)
    np.testing.assert_array_equal(upright, np.rot90(TRUTH, -1))
    with pytest.raises(ImageError, match="160×120 px and the image is 120×160"):
        decode_mask(encoded(painted(255)), width=HEIGHT, height=WIDTH)


def test_what_was_done_with_pages_is_said():
    assert "2 pages" in read_marks(WAYS["TIFF, the first page empty"], width=WIDTH, height=HEIGHT).notes[0]
    assert "passed over" in read_marks(WAYS["TIFF with a preview"], width=WIDTH, height=HEIGHT).notes[0]


def photographs() -> dict[str, bytes]:
    scene = Image.radial_gradient("L").resize((WIDTH, HEIGHT))
    dark = Image.new("L", (WIDTH, HEIGHT))
    dark.paste(picture(1, width=50, height=40, mode="L").filter(ImageFilter.GaussianBlur(1)), (30, 30))
    return {
        "noise": encoded(picture(width=WIDTH, height=HEIGHT)),
        "JPEG": encoded(picture(width=WIDTH, height=HEIGHT), "JPEG"),
        "smooth": encoded(scene),
        "16 bits": encoded(Image.fromarray(np.asarray(scene).astype(np.uint16) * 200)),
        "palette": encoded(picture(width=WIDTH, height=HEIGHT).quantize(200)),
        "a part before black": encoded(dark),
        "RGBA": encoded(picture(width=WIDTH, height=HEIGHT).convert("RGBA")),
    }


@pytest.mark.parametrize("kind", photographs())
def test_a_photograph_is_no_mask(kind):
    data = photographs()[kind]
    with pytest.raises(ImageError, match="photograph or a map of shades"):
        decode_mask(data, width=WIDTH, height=HEIGHT)
    assert is_photograph(data) and not is_photograph(data[:60])


def test_what_marks_nothing_or_nearly_all_is_asked_about():
    inverted = read_marks(encoded(painted(0, 255)), width=WIDTH, height=HEIGHT).pixels
    assert inverted.sum() == WIDTH * HEIGHT - AREA
    assert "93.8 %" in doubt(int(inverted.sum()), inverted.size)
    assert "marks nothing" in doubt(0, 100)
    assert doubt(1, 100) == doubt(90, 100) == ""


def test_a_mask_of_too_many_pages_is_refused():
    with pytest.raises(ImageError, match="has 80 pages"):
        decode_mask(pages(*[painted(255)] * 80), width=WIDTH, height=HEIGHT)


@pytest.mark.parametrize("mask", [TRUTH, ~TRUTH, TRUTH & False, TRUTH | True])
def test_a_mask_of_ours_is_read_as_it_was_written(mask):
    np.testing.assert_array_equal(decode_mask(encode_mask(mask), width=WIDTH, height=HEIGHT), mask)
