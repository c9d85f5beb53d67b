"""What the runs' candidates reached on held-out corrections, run after run, as a line chart in SVG."""

from collections.abc import Sequence

from db.tables.core import TuningRun
from webapp.texts import Texts

WIDTH, HEIGHT = 560, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 104, 12, 24
# What is drawn: the table has more. Lines are told apart by their names at the end and by their dashes, not by colour.
_DASHES = {"pixel_auroc": "", "pixel_ap": "7 3", "pixel_aupro": "2 3", "image_auroc": "9 3 2 3"}
_NAME_HEIGHT = 13.0


def metric_chart(say: Texts, runs: Sequence[TuningRun], in_service: set[int]) -> str:
    """The chart as HTML; empty with fewer than two runs that were judged.

    Args:
        say: the viewer's texts.
        runs: the newest first.
        in_service: ids of the versions that are or were in use: their points are filled.
    """
    judged = [run for run in reversed(runs) if run.metrics.get("candidate")]
    if len(judged) < 2:
        return ""
    lines = {name: _line(judged, name) for name in _DASHES}
    lines = {name: line for name, line in lines.items() if line}
    drawn = "".join(_drawn(name, line, judged, in_service) for name, line in lines.items())
    names = {name: say(f"metric.{name}") for name in lines}
    words = "; ".join(
        say("chart.metrics.label", metric=names[name], value=f"{line[-1][1]:.2f}") for name, line in lines.items()
    )
    return (
        f'<figure class="al-chart" data-testid="metric-chart"><figcaption>{say("chart.metrics")}'
        f'<span class="al-muted"> · {say("chart.metrics.filled")}</span></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">{_axes(judged)}{drawn}'
        f"{_names(lines, names)}</svg></figure>"
    )


def _line(judged: Sequence[TuningRun], name: str) -> list[tuple[float, float]]:
    values = [(number, run.metrics["candidate"].get(name)) for number, run in enumerate(judged)]
    return [(_x(number, len(judged)), value) for number, value in values if value is not None]


def _x(number: int, count: int) -> float:
    return _LEFT + number / max(1, count - 1) * (WIDTH - _LEFT - _RIGHT)


def _y(value: float) -> float:
    return _TOP + (1 - value) * (HEIGHT - _TOP - _BOTTOM)


def _axes(judged: Sequence[TuningRun]) -> str:
    parts = []
    for value in (0.0, 0.5, 1.0):
        y = _y(value)
        parts.append(f'<line class="al-grid-line" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{value:g}</text>')
    step = -(-len(judged) // 8)
    for number in range(0, len(judged), step):
        x = _x(number, len(judged))
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{judged[number].id}</text>')
    return "".join(parts)


def _drawn(name: str, line: list[tuple[float, float]], judged: Sequence[TuningRun], in_service: set[int]) -> str:
    points = " ".join(f"{x:.1f},{_y(value):.1f}" for x, value in line)
    used = {_x(number, len(judged)) for number, run in enumerate(judged) if run.candidate_version_id in in_service}
    dots = "".join(
        f'<circle class="al-metric-dot" data-used="{str(x in used).lower()}" cx="{x:.1f}" cy="{_y(value):.1f}" r="3"/>'
        for x, value in line
    )
    return f'<polyline class="al-metric" stroke-dasharray="{_DASHES[name]}" points="{points}"/>{dots}'


def _names(lines: dict[str, list[tuple[float, float]]], names: dict[str, str]) -> str:
    """Each line's name at its end, moved down where it would lie on another."""
    parts, lowest = [], 0.0
    for name, line in sorted(lines.items(), key=lambda item: -item[1][-1][1]):
        y = max(_y(line[-1][1]) + 3.5, lowest + _NAME_HEIGHT)
        lowest = y
        parts.append(f'<text x="{WIDTH - _RIGHT + 8}" y="{y:.1f}">{names[name]}</text>')
    return "".join(parts)
