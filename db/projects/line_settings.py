"""The settings of a project that the line needs: what inspections keep, the scale, and what file names say."""

from collections.abc import Mapping
from typing import Any, Literal

from db.errors import BadSetting
from db.images.part_facts import check_pattern

Keep = Literal["all", "anomalous", "sample", "none"]
# Which inspected images are kept: all; those that are anomalous or unsure; one in `keep_every`; none.
KEEP: tuple[Keep, ...] = ("all", "anomalous", "sample", "none")
LINE_SETTINGS = ("keep", "keep_every", "px_per_mm", "name_pattern")
# A score this near to the threshold is unsure.
_UNSURE = 0.1
_MOST_PX_PER_MM = 100_000.0


def check_line_setting(name: str, value: Any) -> None:
    """Raises BadSetting for a value that the setting can't have."""
    if name == "keep" and value not in KEEP:
        raise BadSetting(f"The setting keep is one of {', '.join(KEEP)}, not {value!r}.")
    if name == "keep_every" and (type(value) is not int or not 1 <= value <= 1_000_000):
        raise BadSetting(f"The setting keep_every is a whole number from 1 to 1000000, not {value!r}.")
    if name == "px_per_mm" and value is not None and not _is_scale(value):
        raise BadSetting(f"The setting px_per_mm is a number above 0, or null where no scale is known, not {value!r}.")
    if name == "name_pattern":
        check_pattern(value)


def is_kept(settings: Mapping[str, Any], sha256: str, score: float, verdict: str | None) -> bool:
    """Whether the project's rule keeps an inspected image: the same image is always answered alike.

    Args:
        settings: the project's.
        sha256: of its bytes, in hex.
        score: 0–1.
        verdict: `normal`, `anomalous`, or None where it is not judged yet, which is unsure.
    """
    rule = settings.get("keep", "all")
    if rule == "sample":
        return int(sha256[:12], 16) % settings.get("keep_every", 1) == 0
    if rule == "anomalous":
        return verdict != "normal" or abs(score - settings["threshold"]) <= _UNSURE
    return rule == "all"


def _is_scale(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value <= _MOST_PX_PER_MM
