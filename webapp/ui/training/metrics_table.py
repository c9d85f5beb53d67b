"""Two prompts on the same corrections, as a table: candidate against active, or any version against another."""

from collections.abc import Sequence
from html import escape
from typing import Any

from webapp.texts import Texts


def metrics_table(say: Texts, metrics: dict[str, Any]) -> str:
    """A run's table as HTML; empty where nothing was measured.

    Args:
        say: the viewer's texts.
        metrics: of a run: `active`, `candidate`, `difference` (metric → value or None), `interval` (metric → low and
            high or None), `method`.
    """
    if not metrics.get("candidate"):
        return ""
    caption = say("metrics.caption", method=metrics.get("method", ""))
    return figures_table(say, metrics, caption, (say("metrics.active"), say("metrics.candidate")))


def figures_table(say: Texts, metrics: dict[str, Any], caption: str, names: tuple[str, str]) -> str:
    """Two prompts' metrics side by side, as HTML; `names` are those of `active` and of `candidate`."""
    rows = "".join(_row(say, name, metrics) for name in metrics["candidate"])
    first, second = map(escape, names)
    return (
        f'<table class="al-table" data-testid="metrics-table"><caption>{escape(caption)}</caption><thead><tr>'
        f'<th scope="col">{say("metrics.metric")}</th><th scope="col">{first}</th><th scope="col">{second}</th>'
        f'<th scope="col">{say("metrics.difference")}</th><th scope="col">{say("metrics.interval")}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(say: Texts, name: str, metrics: dict[str, Any]) -> str:
    difference = metrics["difference"][name]
    trend = "" if not difference else "al-better" if difference > 0 else "al-worse"
    cells = [
        f'<th scope="row">{escape(say(f"metric.{name}"))}</th>',
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
