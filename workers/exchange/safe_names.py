"""Names of files that Windows and every file system take: 255 bytes at most, without signs and words of their own."""

import re
import unicodedata

LONGEST = 255  # bytes
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\ufffe\uffff]')
# Devices of Windows, whatever their suffix.
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$| )", re.IGNORECASE)


def safe_name(name: str, *, otherwise: str, room: int = 0) -> str:
    """A name as every system takes it, composed (NFC); what it can't hold becomes `_`, and too long a one is cut.

    Args:
        name: as people wrote it.
        otherwise: the name where nothing is left of it.
        room: bytes that have to be left for what is put behind it.
    """
    plain = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name)).strip().rstrip(". ")
    if _DEVICES.match(plain):
        plain = f"_{plain}"
    return cut(plain, LONGEST - room).rstrip(". ") or otherwise


def cut(name: str, longest: int) -> str:
    """The beginning of a name, in so many bytes of UTF-8 at most; no character is halved."""
    return name.encode("utf-8")[:longest].decode("utf-8", errors="ignore")
