"""The rule by which a project calls images anomalous: by their score, or by the regions of their map."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.errors import BadSetting

KINDS = ("score", "regions")
# px²: of each image's own pixels; mm²: by the project's px_per_mm.
UNITS = ("px2", "mm2")
# Of an image, the areas of so many of its largest regions are kept: what `more_than` can ask for.
MOST_AREAS = 1000
_LARGEST = 1e12
_KEYS = {"kind", "area", "more_than", "single", "unit"}


@dataclass(frozen=True)
class RegionRule:
    """An image is anomalous by its map's regions: by more than so many that count, or by one that is large enough.

    Attributes:
        map_threshold: 0–1; what reaches it belongs to a region.
        area: px²; regions at least this large count.
        more_than: so many that count are still normal.
        single: px²; one region at least this large is enough; None: the number alone decides.
    """

    map_threshold: float
    area: float
    more_than: int = 0
    single: float | None = None

    @property
    def key(self) -> str:
        """Names the rule: kept with what it said of an image, so that what an older one said is told apart."""
        return f"{self.map_threshold!r} {self.area!r} {self.more_than} {self.single!r}"

    def calls_anomalous(self, areas: Sequence[float]) -> bool:
        """What it says of an image whose regions, at its map threshold, have these areas in px²."""
        counting = sum(area >= self.area for area in areas)
        return counting > self.more_than or (self.single is not None and max(areas, default=-1.0) >= self.single)


def region_rule(settings: Mapping[str, Any]) -> RegionRule | None:
    """The rule of a project with these settings; None: its score decides."""
    rule = settings.get("verdict_rule") or {}
    if rule.get("kind", "score") == "score":
        return None
    px2 = float(settings["px_per_mm"]) ** 2 if rule["unit"] == "mm2" else 1.0
    single = None if rule["single"] is None else rule["single"] * px2
    return RegionRule(float(settings["map_threshold"]), rule["area"] * px2, rule["more_than"], single)


def whole_rule(wanted: Any, px_per_mm: float | None) -> dict[str, Any]:
    """A rule as it is kept in the settings, with what was left out.

    Args:
        wanted: `{"kind": "score"}`, or `{"kind": "regions", "area": A, "more_than": N, "single": B, "unit": U}`;
            without `more_than`, 0; without `single`, None; without a unit, mm² where the project has a scale, else px².
        px_per_mm: the project's scale; None: it has none.

    Raises:
        BadSetting: it is no such rule, or in mm² without a scale.
    """
    if not isinstance(wanted, Mapping) or wanted.get("kind") not in KINDS or set(wanted) - _KEYS:
        raise BadSetting(
            f'The setting verdict_rule is {{"kind": "score"}}, or {{"kind": "regions"}} with area, more_than, single '
            f"and unit, not {wanted!r}."
        )
    if wanted["kind"] == "score":
        return {"kind": "score"}
    rule = {
        "kind": "regions",
        "area": wanted.get("area"),
        "more_than": wanted.get("more_than", 0),
        "single": wanted.get("single"),
        "unit": wanted.get("unit") or ("mm2" if px_per_mm else "px2"),
    }
    _check(rule, px_per_mm)
    return rule


def _check(rule: Mapping[str, Any], px_per_mm: float | None) -> None:
    for name in ("area", "single"):
        value = rule[name]
        if not _is_area(value) and not (name == "single" and value is None):
            raise BadSetting(f"The area in verdict_rule's {name} is a number from 0 on, not {value!r}.")
    if type(rule["more_than"]) is not int or not 0 <= rule["more_than"] < MOST_AREAS:
        raise BadSetting(
            f"The number in verdict_rule's more_than is whole, from 0 to {MOST_AREAS - 1}, not {rule['more_than']!r}."
        )
    if rule["unit"] not in UNITS:
        raise BadSetting(f"The unit in verdict_rule is one of {', '.join(UNITS)}, not {rule['unit']!r}.")
    if rule["unit"] == "mm2" and not px_per_mm:
        raise BadSetting(
            "The verdict rule counts in mm², and the project has no scale. Set px_per_mm, or give the areas in px² "
            '("unit": "px2").'
        )


def _is_area(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value <= _LARGEST
