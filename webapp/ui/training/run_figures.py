"""The figures behind a run's sentence: the threshold before and after, the parts that were offered, all metrics."""

from html import escape
from typing import Any

from db.tables.core import TuningRun
from webapp.texts import Texts
from webapp.texts.translation import translated
from webapp.ui.training.loss_chart import loss_chart
from webapp.ui.training.metrics_table import metrics_table

# What a run offers, by name: each has a text.
OFFERS = ("active", "prompts", "heads", "refiner", "image head")
# What is shown of each.
_METRICS = ("pixel_auroc", "pixel_ap", "image_auroc")


def run_figures(say: Texts, run: TuningRun) -> str:
    """Folded HTML; empty where a run has no figures."""
    parts = "".join(
        (
            parts_used(say, run.metrics),
            operating_point(say, run.metrics),
            offers_table(say, run.metrics),
            metrics_table(say, run.metrics),
            loss_chart(say, run.losses),
        )
    )
    if not parts:
        return ""
    return (
        f'<details class="al-figures" data-testid="run-figures"><summary>{say("figures.title")}</summary>'
        f"<div>{parts}</div></details>"
    )


def parts_used(say: Texts, metrics: dict[str, Any]) -> str:
    """Which parts the candidate has; empty for runs of before there were parts."""
    parts = metrics.get("parts")
    if not parts:
        return ""
    return f'<p data-testid="run-parts">{escape(say("figures.parts", parts=part_names(say, parts)))}</p>'


def part_names(say: Texts, parts: list[str]) -> str:
    """Parts of a version for people: `prompts, refiner, image head`."""
    return ", ".join(say(f"part.{one.replace(' ', '_')}") for one in parts)


def operating_point(say: Texts, metrics: dict[str, Any]) -> str:
    """What the threshold found and called falsely before, and does now; empty where that was not measured."""
    point = metrics.get("operating_point")
    if not point:
        return ""
    words = [say("figures.threshold", threshold=f"{point['threshold']:.2f}")]
    for name in ("recall", "false_alarms"):
        if point.get(name):
            before, after = (f"{100 * share:.0f}" for share in point[name])
            words.append(say(f"figures.{name}", before=before, after=after))
    return f'<p data-testid="operating-point">{escape(" ".join(words))}</p>' if len(words) > 1 else ""


def offers_table(say: Texts, metrics: dict[str, Any]) -> str:
    """What was offered, each with its figures and why it can't be used; empty for runs of before there were offers."""
    offers = metrics.get("offers")
    if not offers:
        return ""
    heads = "".join(
        f'<th scope="col">{say(key)}</th>'
        for key in ("figures.offer", *(f"metric.{name}" for name in _METRICS), "figures.gain", "figures.problem")
    )
    rows = "".join(_offer(say, offer) for offer in offers)
    return (
        f'<table class="al-table" data-testid="offers"><caption>{say("figures.offers")}</caption><thead><tr>{heads}'
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )


def _offer(say: Texts, offer: dict[str, Any]) -> str:
    name = offer["name"]
    shown = say(f"offer.{name.replace(' ', '_')}") if name in OFFERS else name
    gain = offer.get("gain")
    cells = [f"<td>{_value(offer['metrics'].get(metric))}</td>" for metric in _METRICS]
    cells.append(f"<td>{'–' if gain is None else f'{gain:+.3f}'.replace('-', '−')}</td>")
    why = translated(say, f"Not used: {offer['problem']}.") if offer.get("problem") else ""
    cells.append(f'<td class="al-row-words">{escape(why)}</td>')
    return f'<tr data-offer="{escape(name)}"><th scope="row">{escape(shown)}</th>{"".join(cells)}</tr>'


def _value(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3f}"
