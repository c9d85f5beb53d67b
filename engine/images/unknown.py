"""What a file is that can't be read as an image, and what to do with it: by its first bytes."""

import io
import struct
import warnings

from PIL import TiffImagePlugin

# Where in a file, what is there, and what it then is.
_KNOWN = (
    (4, b"ftyphei", "a HEIC picture of a phone, which can't be read here. Save it as JPEG"),
    (4, b"ftyphev", "a HEIC picture of a phone, which can't be read here. Save it as JPEG"),
    (4, b"ftypmif1", "a HEIF picture, which can't be read here. Save it as JPEG"),
    (4, b"ftyp", "a video, or a picture of a kind that can't be read here. Save single pictures of it as PNG"),
    (0, b"\xff\x0a", "a JPEG XL picture, which can't be read here. Save it as PNG"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture, which can't be read here. Save it as PNG"),
    (0, b"%PDF", "not an image but a PDF document. Save its pages as PNG"),
    (0, b"%!PS", "a PostScript program, which is not run; it is not an image in a format that can be read. Save it "
     "as PNG"),
    (128, b"DICM", "a DICOM file, which can't be read here. Save its pixels as 16-bit PNG or TIFF"),
    (0, b"\x93NUMPY", "not an image but a NumPy array. Save it as TIFF"),
    (0, b"\x89HDF", "not an image but an HDF5 file. Save its pictures as TIFF"),
    (0, b"PK\x03\x04", "not an image but a zip file or an office document. Unpack it, or send a .zip under that name"),
    (0, b"<svg", "not an image but a drawing (SVG) without pixels. Save it as PNG"),
    (0, b"<?xml", "not an image but a text (XML). Choose the picture that belongs to it"),
    (0, b"{", "not an image but a text (JSON). Choose the picture that belongs to it"),
)  # fmt: skip
_DAMAGED = "The TIFF is damaged: its directory can't be read. Export it anew."
_TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def what_it_is(data: bytes) -> str:
    """A sentence for a person on a file that no reader knows."""
    if data.startswith(_TIFFS):
        return _odd_tiff(data)
    for at, start, words in _KNOWN:
        if data[at:].startswith(start) or (at == 0 and data[:64].lstrip().startswith(start)):
            return f"The file is {words}."
    return "The file is not an image in a format that can be read. Use PNG, JPEG, TIFF, BMP or WebP."


def _odd_tiff(data: bytes) -> str:
    """What kind of TIFF it is: channels, bits and kind of numbers, as its first directory says."""
    try:
        directory = TiffImagePlugin.ImageFileDirectory_v2(data[:8] if data[2] != 43 else data[:16])
        file = io.BytesIO(data)
        file.seek(directory.next)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            directory.load(file)
        if not directory:
            return _DAMAGED
        channels = int(directory.get(TiffImagePlugin.SAMPLESPERPIXEL, 1))
        bits = directory.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
        kind = {1: "", 2: " signed", 3: " float", 5: " complex", 6: " complex"}.get(
            (directory.get(TiffImagePlugin.SAMPLEFORMAT, (1,)) or (1,))[0], ""
        )
    except (SyntaxError, OSError, ValueError, TypeError, KeyError, IndexError, struct.error, OverflowError):
        return _DAMAGED
    said = f"The TIFF has {channels} channel{'s' if channels > 1 else ''} of {bits[0] if bits else 1}{kind} bits each"
    if channels > 4:
        return f"{said}, and an image has one (grey), three (colour) or four. Save the channels that are to be seen."
    return f"{said}, in an arrangement that can't be read. Save it as PNG, or as a plain 8- or 16-bit TIFF."
