"""Text that doesn't say in which encoding it is: tables that Excel saved, and names in zips of other systems.

UTF-8 can be told for certain. Of the old encodings of Windows the one is taken whose reading looks most like people's
words: common syllables, kana, common characters and letters count, rare ones and signs don't.
"""

import codecs
import unicodedata
from collections.abc import Sequence

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# In this order where two readings look equally good.
_OLD = ("cp949", "cp932", "gb18030", "big5", "cp1252", "cp437")
# Of a Korean syllable's parts, by their numbers in Unicode: doubled initials, and clusters at the end.
_DOUBLED, _CLUSTERS = {1, 4, 8, 10, 13}, {3, 5, 6, 9, 10, 11, 12, 13, 14, 15, 18}
_RARE_VOWELS = {3, 10, 15}


class UnknownEncoding(ValueError):
    """Bytes that are text in no encoding that is known."""


def decode_text(data: bytes) -> str:
    """The text of a file, in UTF-8, UTF-16 or an old encoding of Windows. Raises UnknownEncoding."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decoded(data, encoding).removeprefix("\ufeff")
    if data[:200].count(0) > len(data[:200]) // 4:
        return _decoded(data, "utf-16-le" if data[1:2] == b"\0" else "utf-16-be")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        likely = likely_encoding([line for line in data.splitlines() if not line.isascii()])
        return _decoded(data, likely or "cp437")


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnknownEncoding(
            f"It begins as text in {encoding} and isn't ({error.reason} at byte {error.start}). Save it as UTF-8."
        ) from error


def likely_encoding(texts: Sequence[bytes]) -> str | None:
    """The encoding in which all of these texts are most likely written: `utf-8`, or one of Windows; None: in none."""
    together = b"\n".join(texts)
    try:
        together.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    best, found = 0.0, None
    for encoding in _OLD:
        try:
            text = together.decode(encoding)
        except UnicodeDecodeError:
            continue
        score = _likeness(text, encoding)
        if score > best:
            best, found = score, encoding
    return found


def _likeness(text: str, encoding: str) -> float:
    """How much the letters beyond ASCII look like people's words, 0–1."""
    values = [_weight(character, encoding) for character in text if character > "\x7f"]
    return sum(values) / len(values) if values else 0.0


def _weight(character: str, encoding: str) -> float:
    code = ord(character)
    if 0xAC00 <= code <= 0xD7A3:
        common = _first_byte(character, "euc_kr") in range(0xB0, 0xC9)
        return _syllable(code - 0xAC00) if common else 0.1
    if 0x3041 <= code <= 0x30FF:
        return 1.0
    if 0xFF61 <= code <= 0xFF9F:  # half-width kana, which any byte from A1 up is in Japanese
        return 0.4
    if 0x4E00 <= code <= 0x9FFF:
        return {"cp932": 0.75, "gb18030": 0.8, "big5": 0.7}.get(encoding, 0.3) if _is_common(code, encoding) else 0.2
    category = unicodedata.category(character)
    if category in ("Ll", "Lu"):
        return 0.6 if code < 0x180 and encoding in ("cp1252", "cp437") else 0.3
    return 0.0 if encoding == "cp437" else 0.1


def _syllable(number: int) -> float:
    """Of a Korean syllable among the 2,350 of KS X 1001: less where its parts are rare."""
    initial, vowel, final = number // 588, number % 588 // 28, number % 28
    rare = (initial in _DOUBLED) + (final in _CLUSTERS) + (vowel in _RARE_VOWELS)
    return 1.0 - 0.3 * rare if rare < 2 else 0.1


def _is_common(code: int, encoding: str) -> bool:
    """Whether a character is of the first level of its standard: those that are written every day."""
    character = chr(code)
    if encoding == "gb18030":
        return _first_byte(character, "gb2312") in range(0xB0, 0xD8)
    if encoding == "cp932":
        return _first_byte(character, "shift_jis") in range(0x88, 0x99)
    if encoding == "big5":
        return _first_byte(character, "big5") in range(0xA4, 0xC7)
    return False


def _first_byte(character: str, encoding: str) -> int:
    try:
        return character.encode(encoding)[0]
    except UnicodeEncodeError:
        return 0
