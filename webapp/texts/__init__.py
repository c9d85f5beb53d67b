"""Every text of the page, by language: one JSON file each, key → text with {values} to be filled in.

The browser's scripts (`ui/shared/texts.js`) and what the server draws use the same files. A key that ends in
`.one` and `.other` has a text for one thing and for several: it is asked for without the ending, with a `count`.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.requests import HTTPConnection

_FOLDER = Path(__file__).parent
# In the order of the switch; each called by its own name.
LANGUAGES = {"en": "English", "ko": "한국어"}
DEFAULT_LANGUAGE = "en"
# What was chosen in the bar; written by the browser.
LANGUAGE_COOKIE = "anomalyloop_language"
# One part of an Accept-Language header: `ko-KR;q=0.8`.
_ACCEPTED = re.compile(r"\s*([a-z]+)[-\w]*\s*(?:;\s*q=([01](?:\.\d*)?)\s*)?", re.IGNORECASE)


class Texts:
    """The texts of one language, called with a key and its values."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = read_texts(language)

    def __call__(self, key: str, **values: object) -> str:
        """The text of a key.

        Raises:
            KeyError: no such text, or a value is missing.
        """
        text = self._texts.get(key)
        if text is None:
            text = self._texts[f"{key}.{'one' if values.get('count') == 1 else 'other'}"]
        return text.format(**{name: _shown(value) for name, value in values.items()})


@cache
def read_texts(language: str) -> dict[str, str]:
    """All texts of a language."""
    return json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))


def texts_of(request: HTTPConnection) -> Texts:
    """The texts for whoever asks."""
    return texts_for(request.cookies, request.headers)


def texts_for(cookies: Mapping[str, str], headers: Mapping[str, str]) -> Texts:
    """The texts as chosen in the bar, or else as the browser prefers."""
    chosen = cookies.get(LANGUAGE_COOKIE, "")
    return Texts(chosen if chosen in LANGUAGES else preferred_language(headers.get("accept-language", "")))


def preferred_language(accepted: str) -> str:
    """The first language of an Accept-Language header that there are texts in; what is not of its form is ignored."""
    parts = (_ACCEPTED.fullmatch(part) for part in accepted.split(","))
    ranked = [(-float(part[2] or 1), part[1].lower()) for part in parts if part]
    known = [language for _, language in sorted(ranked, key=lambda one: one[0]) if language in LANGUAGES]
    return known[0] if known else DEFAULT_LANGUAGE


def all_texts() -> dict[str, dict[str, str]]:
    """Language → its texts, for the browser."""
    return {language: read_texts(language) for language in LANGUAGES}


def _shown(value: object) -> object:
    return f"{value:,}" if isinstance(value, int) else value
