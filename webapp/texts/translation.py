"""What the other rooms say (errors, a run's decision) in the language of whoever looks.

They know no language but English, which REST and logs get too. `LANGUAGE_sentences.json` has a translation for the
sentences that are met on the page, by their English form with {} for what varies. Others stay English.
"""

import json
import re
from functools import cache
from pathlib import Path

from webapp.texts import Texts

_FOLDER = Path(__file__).parent


def translated(say: Texts, words: str) -> str:
    """One sentence or several after one another, translated; as they are where one of them is not known."""
    translated, rest = [], words
    while rest:
        found = _first_sentence(say, rest)
        if found is None:
            return words
        translated.append(found[0])
        rest = found[1]
    return " ".join(translated)


@cache
def read_sentences(language: str) -> dict[str, dict[str, str]]:
    """English → the language; empty for English itself.

    `sentences`; and for what varies in them: `words`, which are the whole of it, and `phrases` anywhere in it.
    """
    file = _FOLDER / f"{language}_sentences.json"
    if not file.exists():
        return {"sentences": {}, "words": {}, "phrases": {}}
    return json.loads(file.read_text(encoding="utf-8"))


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(re.escape(english).replace(r"\{\}", "(.*?)") + r"(?:\s+|$)", re.DOTALL), translation)
        for english, translation in read_sentences(language)["sentences"].items()
    ]


def _first_sentence(say: Texts, words: str) -> tuple[str, str] | None:
    """The sentence that these words begin with, translated, and what follows it; None where it is not known."""
    for pattern, translation in _patterns(say.language):
        if match := pattern.match(words):
            varying = (_varying(say, group) for group in match.groups())
            return translation.format(*varying), words[match.end() :]
    return None


def _varying(say: Texts, words: str) -> str:
    known = read_sentences(say.language)
    if words in known["words"]:
        return known["words"][words]
    for english, translation in known["phrases"].items():
        words = words.replace(english, translation)
    return words
