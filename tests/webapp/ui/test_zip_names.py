"""The browser and the server read the names in a zip alike, and take the same files for images."""

import re
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import Page

from engine.images.suffixes import IMAGE_SUFFIXES
from tests.engine.files.test_tables import WORDS
from workers.exchange.zip_names import entry_names

UPLOADER = Path(__file__).parents[3] / "webapp" / "ui" / "uploader"
NAME = "그림/용접_균열.png"


def field(raw: bytes, name: str) -> bytes:
    told = b"\1" + struct.pack("<I", zlib.crc32(raw)) + name.encode()
    return struct.pack("<HH", 0x7075, len(told)) + told


# Entries of one zip: the names' bytes, whether they are said to be UTF-8, extra fields; and the names.
CASES = {
    "a Mac": ([(NAME.encode(), False, b"")], [NAME]),
    "decomposed": ([(unicodedata.normalize("NFD", NAME).encode(), True, b"")], [unicodedata.normalize("NFD", NAME)]),
    "backslashes": ([(NAME.replace("/", "\\").encode("cp949"), False, b"")], [NAME]),
    "Unicode Path": ([(b"??.png", False, field(b"??.png", NAME))], [NAME]),
    "of another name": ([(b"a.png", False, field(b"b.png", NAME))], ["a.png"]),
    "cut off": ([(b"a.png", False, b"\x75\x70\xff")], ["a.png"]),
    "ASCII beside": ([(b"a.png", False, b""), (NAME.encode("cp949"), False, b"")], ["a.png", NAME]),
    **{
        encoding: ([(f"{word}.png".encode(encoding), False, b"") for word in words], [f"{word}.png" for word in words])
        for encoding, words in WORDS.items()
    },
}


@pytest.mark.parametrize("case", CASES)
def test_names_are_those_that_people_see_in_the_browser_and_on_the_server(page: Page, case: str) -> None:
    entries, names = CASES[case]
    script = (UPLOADER / "zip_names.js").read_text(encoding="utf-8").replace("export ", "")
    given = [{"name": list(name), "utf8": utf8, "extra": list(extra)} for name, utf8, extra in entries]
    found = page.evaluate(
        f"(given) => {{ {script} ; return entryNames(given.map((one) => ({{ ...one, name: Uint8Array.from(one.name), "
        "extra: Uint8Array.from(one.extra) }))); }",
        given,
    )
    assert found == names
    infos = []
    for name, utf8, extra in entries:
        info = zipfile.ZipInfo()
        info.orig_filename = name.decode("utf-8" if utf8 else "cp437")
        info.flag_bits, info.extra = 0x800 * utf8, extra
        infos.append(info)
    assert [name.replace("\\", "/") for name in entry_names(infos)] == names


def test_the_browser_takes_for_images_what_the_server_does() -> None:
    listed = re.search(r"\\.\(([a-z0-9|]+)\)\$/i", (UPLOADER / "sources.js").read_text(encoding="utf-8"))
    assert listed is not None
    assert {f".{suffix}" for suffix in listed[1].split("|")} == set(IMAGE_SUFFIXES)
