"""Results as JSON and as Markdown, the paper's figures beside what was measured; – where a set has no such labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.evaluation.reporting.paper import paper_figures
from engine.evaluation.reporting.results import METRICS, ClassResult, mean_metrics

_TITLES = {
    "image_auroc": "image AUROC",
    "image_ap": "image AP",
    "image_f1_max": "image F1-max",
    "pixel_auroc": "pixel AUROC",
    "pixel_ap": "pixel AP",
    "pixel_f1_max": "pixel F1-max",
    "pixel_aupro": "pixel AUPRO",
}


@dataclass(frozen=True)
class Outcome:
    """One method on one data set.

    Attributes:
        data_set: a name of the catalogue.
        data: the folder's name, to tell sets of the same name apart.
        method: the method's name, or the experiment's row.
        classes: one result a class.
        problems: with the data set as a whole.
    """

    data_set: str
    data: str
    method: str
    classes: list[ClassResult]
    problems: list[str]

    def every_problem(self) -> list[str]:
        """Problems of the set and of its classes."""
        return [*self.problems, *(problem for one in self.classes for problem in one.problems)]


def to_json(outcomes: Sequence[Outcome], facts: dict[str, Any]) -> dict[str, Any]:
    """Everything but the pictures; nothing in it depends on when it ran, or on whether it was interrupted."""
    return {
        **facts,
        "results": [
            {
                "data_set": one.data_set,
                "data": one.data,
                "method": one.method,
                "mean": mean_metrics(one.classes),
                "paper": paper_figures(one.data_set, one.method),
                "classes": [_class_to_json(c) for c in one.classes],
                "problems": one.every_problem(),
            }
            for one in outcomes
        ],
    }


def _class_to_json(one: ClassResult) -> dict[str, Any]:
    found = {"class": one.class_name, "metrics": one.metrics, "images": one.images}
    return {**found, "fits": one.fits} if one.fits else found


def to_markdown(outcomes: Sequence[Outcome], facts: dict[str, Any]) -> str:
    """A table of methods for each data set (in %), then one of classes for each method, then problems."""
    blocks = [f"{facts['backbone']}, {facts['image_size']} px. Figures in %; – where the set has no such labels."]
    for key in dict.fromkeys((one.data_set, one.data) for one in outcomes):
        chosen = [one for one in outcomes if (one.data_set, one.data) == key]
        # An image that was measured after several fits is one image.
        images = sum(len({row["image"] for row in one.images}) for one in chosen[0].classes)
        count = len(chosen[0].classes)
        blocks.append(f"## {key[1]} ({key[0]}): {count} class{'es' if count > 1 else ''}, {images} images")
        blocks.append(_methods_table(chosen))
        blocks += [f"Per class, {one.method}\n\n{_classes_table(one)}" for one in chosen if len(one.classes) > 1]
        problems = dict.fromkeys(problem for one in chosen for problem in one.every_problem())
        if problems:
            blocks.append(f"{len(problems)} problems:\n\n" + "\n".join(f"- {problem}" for problem in problems))
    return "\n\n".join(blocks) + "\n"


def _methods_table(outcomes: Sequence[Outcome]) -> str:
    rows = []
    for one in outcomes:
        rows.append([one.method, *map(percent, mean_metrics(one.classes).values())])
        paper = paper_figures(one.data_set, one.method)
        if paper:
            rows.append(
                [f"{one.method}, the paper with ViT-L/14@336px", *(percent(paper.get(name)) for name in METRICS)]
            )
    return markdown_table(["method", *_TITLES.values()], rows)


def _classes_table(outcome: Outcome) -> str:
    rows = [[one.class_name, *(percent(one.metrics[name]) for name in METRICS)] for one in outcome.classes]
    mean = ["mean", *map(percent, mean_metrics(outcome.classes).values())]
    return markdown_table(["class", *_TITLES.values()], [*rows, mean])


def percent(value: float | None) -> str:
    """0–1 as a percentage with one digit, – for None."""
    return "–" if value is None else f"{100 * value:.1f}"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of texts."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
