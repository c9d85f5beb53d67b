"""Candidate against active on corrections held out, as a table."""

from collections.abc import Sequence
from html import escape
from typing import Any

_NAMES = {
    "pixel_auroc": "Pixel AUROC",
    "pixel_ap": "Pixel AP",
    "pixel_aupro": "Pixel AUPRO",
    "within_auroc": "Pixel AUROC within an image",
    "within_ap": "Pixel AP within an image",
    "image_auroc": "Image AUROC",
}


def metrics_table(metrics: dict[str, Any]) -> str:
    """The table as HTML; empty where nothing was measured.

    Args:
        metrics: of a run: `active`, `candidate`, `difference` (metric → value or None), `interval` (metric → low and
            high or None), `method`.
    """
    if not metrics.get("candidate"):
        return ""
    rows = "".join(_row(name, metrics) for name in metrics["candidate"])
    method = escape(str(metrics.get("method", "")))
    return (
        '<table class="al-table" data-testid="metrics-table"><caption>Candidate against active, '
        f"on corrections held out ({method})</caption><thead><tr><th>Metric</th><th>Active</th><th>Candidate</th>"
        f"<th>Difference</th><th>95 % interval</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(name: str, metrics: dict[str, Any]) -> str:
    difference = metrics["difference"][name]
    trend = "" if not difference else "al-better" if difference > 0 else "al-worse"
    cells = [
        f"<th>{escape(_NAMES.get(name, name))}</th>",
        f"<td>{_value(metrics['active'][name])}</td>",
        f"<td><b>{_value(metrics['candidate'][name])}</b></td>",
        f'<td class="{trend}">{_value(difference, "+.3f")}</td>',
        f'<td class="al-muted">{_interval(metrics["interval"][name])}</td>',
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _interval(bounds: Sequence[float] | None) -> str:
    return f"{_value(bounds[0], '+.3f')} … {_value(bounds[1], '+.3f')}" if bounds else "–"


def _value(value: float | None, form: str = ".3f") -> str:
    return "–" if value is None or value != value else format(value, form).replace("-", "−")
