"""Points in SVG: what was claimed across, what was true upwards, and the line where both are the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_SIDE, _LEFT, _BOTTOM, _TOP, _RIGHT = 420, 62, 48, 14, 250
_TICKS = 5
# Told apart by their shapes too, not by colour alone.
_SHAPES = (
    '<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="none" stroke="#1f6fb4" stroke-width="1.6"/>',
    '<rect x="{left:.1f}" y="{top:.1f}" width="7" height="7" fill="none" stroke="#c2410c" stroke-width="1.6"/>',
    '<path d="M{x:.1f} {top:.1f} l4.5 8 h-9 z" fill="none" stroke="#3f7d20" stroke-width="1.6"/>',
)
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class _Scale:
    """From values to px, the same on both axes."""

    low: float
    high: float

    def across(self, value: float) -> float:
        return _LEFT + (value - self.low) / (self.high - self.low) * _SIDE

    def upwards(self, value: float) -> float:
        return _TOP + (self.high - value) / (self.high - self.low) * _SIDE


def scatter_svg(groups: Mapping[str, Points], across: str, upwards: str) -> str:
    """A picture of points.

    Args:
        groups: name in the legend → its points (across, upwards); at most three, some may be empty.
        across: what the horizontal axis shows…
        upwards: …and the vertical one.

    Returns:
        a whole SVG document; both axes have the same range, with 0 in it.
    """
    scale = _scale([value for points in groups.values() for point in points for value in point])
    drawn = [
        _mark(number, scale.across(x), scale.upwards(y))
        for number, points in enumerate(groups.values())
        for x, y in points
    ]
    width, height = _LEFT + _SIDE + _RIGHT, _TOP + _SIDE + _BOTTOM
    middle = _TOP + _SIDE / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12"><rect width="{width}" height="{height}" fill="white"/>{_axes(scale)}{"".join(drawn)}'
        f"{_legend(list(groups))}"
        f'<text x="{_LEFT + _SIDE / 2}" y="{height - 10}" text-anchor="middle">{escape(across)}</text>'
        f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">{escape(upwards)}</text></svg>\n'
    )


def _scale(values: Sequence[float]) -> _Scale:
    low, high = min([0.0, *values]), max([0.0, *values])
    margin = 0.06 * (high - low) or 0.1
    return _Scale(low - margin, high + margin)


def _axes(scale: _Scale) -> str:
    """A frame, its ticks, and the line where both are the same."""
    ticks = [scale.low + (scale.high - scale.low) * part / (_TICKS - 1) for part in range(_TICKS)]
    below, left = _TOP + _SIDE + 16, _LEFT - 6
    words = [f'<text x="{scale.across(tick):.1f}" y="{below}" text-anchor="middle">{tick:.2f}</text>' for tick in ticks]
    words += [
        f'<text x="{left}" y="{scale.upwards(tick) + 4:.1f}" text-anchor="end">{tick:.2f}</text>' for tick in ticks
    ]
    return (
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#bbb"/>'
        f'<path d="M{_LEFT} {_TOP + _SIDE} l{_SIDE} {-_SIDE}" stroke="#888" stroke-dasharray="5 4"/>{"".join(words)}'
    )


def _legend(names: Sequence[str]) -> str:
    left = _LEFT + _SIDE + 20
    return "".join(
        f'{_mark(number, left, _TOP + 16 + 22 * number)}<text x="{left + 12}" y="{_TOP + 20 + 22 * number}">'
        f"{escape(name)}</text>"
        for number, name in enumerate(names)
    )


def _mark(number: int, x: float, y: float) -> str:
    return _SHAPES[number % len(_SHAPES)].format(x=x, y=y, left=x - 3.5, top=y - 4)
