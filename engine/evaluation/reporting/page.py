"""Results as one HTML file that needs nothing else: tables, and maps beside ground truth, the worst first."""

import html
from collections.abc import Sequence
from typing import Any

from engine.evaluation.reporting.paper import paper_figures
from engine.evaluation.reporting.results import METRICS, mean_metrics
from engine.evaluation.reporting.tables import Outcome, percent

_SHOWN = 48  # pictures of a method on a set
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } td, th { padding: .25rem .75rem; text-align: right; }
td:first-child, th:first-child { text-align: left; } tr + tr { border-top: 1px solid #8884; }
.paper { opacity: .65; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1rem; }
figure { margin: 0; } img { width: 100%; border-radius: 4px; } figcaption { font-size: 13px; overflow-wrap: anywhere; }
"""


def to_html(outcomes: Sequence[Outcome], facts: dict[str, Any]) -> str:
    """The page. Every text of the data sets is escaped."""
    sections = "".join(_section(one) for one in outcomes)
    title = f"Evaluation: {html.escape(str(facts['backbone']))}, {facts['image_size']} px"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>Figures in %; – where a set has no such labels. Pictures: image, anomaly map (stretched "
        "to its own range), ground truth where there is one; the largest errors first. An image's error is "
        "|label − score|, averaged with 1 − pixel AUROC within the image where it has both kinds of pixels.</p>"
        f"{sections}</html>\n"
    )


def _section(one: Outcome) -> str:
    head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in METRICS)
    rows = [_row(result.class_name, result.metrics) for result in one.classes]
    rows.append(_row("mean", mean_metrics(one.classes)))
    paper: dict[str, float | None] = {**paper_figures(one.data_set, one.method)}
    if paper:
        rows.append(_row("the paper, ViT-L/14@336px", paper, "paper"))
    problems = "".join(f"<li>{html.escape(text)}</li>" for text in one.every_problem())
    panels = sorted((p for result in one.classes for p in result.panels), key=lambda p: -p["error"])[:_SHOWN]
    return (
        f"<h2>{html.escape(one.data)}, {html.escape(one.method)}</h2>"
        f"<table><tr><th>class</th>{head}</tr>{''.join(rows)}</table>"
        + (f"<details open><summary>Problems</summary><ul>{problems}</ul></details>" if problems else "")
        + f'<div class="panels">{"".join(map(_figure, panels))}</div>'
    )


def _row(name: str, metrics: dict[str, float | None], style: str = "") -> str:
    cells = "".join(f"<td>{percent(metrics.get(metric))}</td>" for metric in METRICS)
    return f'<tr class="{style}"><td>{html.escape(name)}</td>{cells}</tr>'


def _figure(panel: dict[str, Any]) -> str:
    name = html.escape(str(panel["image"]))
    kind = "anomalous" if panel["label"] else "normal"
    caption = f"{name}<br>{kind} {html.escape(panel['defect'])}, score {panel['score']:.3f}, error {panel['error']:.3f}"
    return (
        f'<figure><img alt="{name}" src="data:image/jpeg;base64,{panel["picture"]}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
