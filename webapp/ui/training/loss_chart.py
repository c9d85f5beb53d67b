"""The loss of a run as a line chart in SVG: one line a fold, the final pass drawn strongest."""

from typing import Any

from webapp.texts import Texts

WIDTH, HEIGHT = 560, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 10, 12, 24


def loss_chart(say: Texts, losses: list[dict[str, Any]]) -> str:
    """SVG of the total loss over epochs; empty while there are fewer than two epochs.

    Args:
        say: the viewer's texts.
        losses: one dict an epoch with `fold` (−1: all corrections), `epoch` (1, 2, …) and `total`.
    """
    lines: dict[int, list[tuple[float, float]]] = {}
    for row in losses:
        lines.setdefault(int(row["fold"]), []).append((float(row["epoch"]), float(row["total"])))
    if max((len(line) for line in lines.values()), default=0) < 2:
        return ""
    highest = max(value for line in lines.values() for _, value in line)
    lowest = min(value for line in lines.values() for _, value in line)
    epochs = max(epoch for line in lines.values() for epoch, _ in line)
    scale = _Scale(lowest, highest, epochs)
    strongest = -1 if -1 in lines else max(lines)
    drawn_last = sorted(lines, key=lambda fold: fold == strongest)
    paths = "".join(_path(lines[fold], scale, fold == strongest) for fold in drawn_last)
    words = say("chart.loss.label", highest=_number(highest), lowest=_number(lowest), epochs=round(epochs))
    return (
        f'<figure class="al-chart" data-testid="loss-chart"><figcaption>{say("chart.loss")}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">{_axes(scale)}{paths}</svg></figure>'
    )


class _Scale:
    def __init__(self, lowest: float, highest: float, epochs: float) -> None:
        margin = (highest - lowest) * 0.05 or 0.5
        self.low, self.high, self.epochs = lowest - margin, highest + margin, epochs

    def x(self, epoch: float) -> float:
        return _LEFT + (epoch - 1) / max(1.0, self.epochs - 1) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _TOP + (self.high - value) / (self.high - self.low) * (HEIGHT - _TOP - _BOTTOM)


def _axes(scale: _Scale) -> str:
    parts = []
    for step in range(4):
        value = scale.low + (scale.high - scale.low) * step / 3
        y = scale.y(value)
        parts.append(f'<line class="al-grid-line" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{_number(value)}</text>')
    for epoch in sorted({1, round((1 + scale.epochs) / 2), round(scale.epochs)}):
        parts.append(f'<text x="{scale.x(epoch):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{epoch}</text>')
    return "".join(parts)


def _path(line: list[tuple[float, float]], scale: _Scale, strong: bool) -> str:
    points = " ".join(f"{scale.x(epoch):.1f},{scale.y(value):.1f}" for epoch, value in line)
    x, y = points.split(" ")[-1].split(",")
    kind = "al-line-strong" if strong else "al-line"
    return f'<polyline class="{kind}" points="{points}"/><circle class="{kind}-end" cx="{x}" cy="{y}" r="3"/>'


def _number(value: float) -> str:
    return f"{value:.3g}"
