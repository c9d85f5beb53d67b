"""Which part an image shows: number, lot, station, time of capture and free tags; given, or read from its name."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from db.errors import BadSetting
from db.tables.core import Image
from names import compared

LONGEST, MOST_TAGS = 200, 20
# What a pattern of file names may call its groups, besides `time`.
_TEXTS = ("part", "lot", "station")
_LONGEST_PATTERN = 300
# Times in file names and in EXIF: digits alone, whatever lies between them.
_DIGITS = re.compile(r"(\d{4})\D?(\d{2})\D?(\d{2})(?:\D?(\d{2})\D?(\d{2})(?:\D?(\d{2}))?)?")


@dataclass(frozen=True)
class PartFacts:
    """What is known of an image's part; None: nobody said.

    Attributes:
        part: its number.
        lot: of which it is one.
        station: where the image was taken.
        captured_at: when; its zone is that of the camera where it came with one, else UTC.
        tags: free words.
    """

    part: str | None = None
    lot: str | None = None
    station: str | None = None
    captured_at: datetime | None = None
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for what is too long."""
        for name in _TEXTS:
            if len(getattr(self, name) or "") > LONGEST:
                raise ValueError(f"The {name} has more than {LONGEST} characters.")
        if len(self.tags) > MOST_TAGS or any(len(tag) > LONGEST for tag in self.tags):
            raise ValueError(f"An image has at most {MOST_TAGS} tags of at most {LONGEST} characters.")

    @property
    def searched(self) -> str | None:
        """All of its words in the form in which they are compared; None: there are none."""
        words = [word for word in (self.part, self.lot, self.station, *self.tags) if word]
        return compared("\n".join(words)) if words else None

    def or_else(self, other: "PartFacts") -> "PartFacts":
        """What is not known here, from there."""
        mine = {name: getattr(self, name) for name in (*_TEXTS, "captured_at")}
        return replace(
            other,
            **{name: value for name, value in mine.items() if value},
            tags=tuple(dict.fromkeys((*self.tags, *other.tags))),
        )


NOTHING_KNOWN = PartFacts()


def facts_of(image: Image) -> dict[str, Any]:
    """What an image's row says of its part, as JSON has it."""
    return {
        "part": image.part,
        "lot": image.lot,
        "station": image.station,
        "captured_at": None if image.captured_at is None else image.captured_at.isoformat(),
        "tags": list(image.tags or []),
    }


def facts_in_name(file_name: str, pattern: str | None) -> PartFacts:
    """What a project's pattern finds in a file name; nothing where it does not fit.

    Args:
        file_name: as it came.
        pattern: as `check_pattern` takes it; None: there is none.
    """
    found = re.search(_expression(pattern), file_name) if pattern else None
    if found is None:
        return NOTHING_KNOWN
    given = {name: value[:LONGEST] for name, value in found.groupdict().items() if value}
    when = given.pop("time", None)
    return PartFacts(**given, captured_at=None if when is None else time_in(when))  # type: ignore[arg-type]


def time_in(text: str) -> datetime | None:
    """A time from its digits, in UTC where nothing says otherwise: 2026-11-28 09:30:05, 20261128T0930, 2026:11:28 …"""
    found = _DIGITS.search(text)
    if found is None:
        return None
    try:
        return datetime.fromisoformat("{}-{}-{}T{}:{}:{}+00:00".format(*(one or "00" for one in found.groups())))
    except ValueError:
        return None


def check_pattern(pattern: Any) -> None:
    """Whether this can be a pattern: text with {part}, {lot}, {station} and {time} in it, * for anything between.

    Raises:
        BadSetting: it names something else, one of them twice, or none.
    """
    if not isinstance(pattern, str) or len(pattern) > _LONGEST_PATTERN:
        raise BadSetting(f"A pattern of file names is text of at most {_LONGEST_PATTERN} characters.")
    names = re.findall(r"\{(.*?)\}", pattern)
    if pattern and (not names or len(set(names)) < len(names) or set(names) - {*_TEXTS, "time"}):
        raise BadSetting(
            "A pattern of file names has {part}, {lot}, {station} or {time} in it, each once at most, and * for "
            f"anything between, such as {{station}}_{{lot}}_{{part}}_*; not {pattern!r}."
        )


def _expression(pattern: str) -> str:
    """As a regular expression that takes no long time: no group may contain what follows it."""
    parts = re.split(r"(\{.*?\}|\*)", pattern)
    made = []
    for number, part in enumerate(parts):
        after = next((one[0] for one in parts[number + 1 :] if one and one != "*" and not one.startswith("{")), "")
        anything = f"[^{re.escape(after)}/]" if after else "[^/]"
        if part == "*":
            made.append("[^/]*?")
        elif part.startswith("{"):
            made.append(f"(?P<{part[1:-1]}>{anything}+)")
        else:
            made.append(re.escape(part))
    return "^" + "".join(made)
