"""One form in which names of files are compared, wherever they come from. Imports nothing of ours."""

import unicodedata


def compared(name: str) -> str:
    """A name as it is compared, never as it is shown: composed (NFC) and case folded.

    A Mac's Finder decomposes names (`é` is two characters, `균` three), Windows doesn't; and case is no difference.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
