"""What the feedback loop found, as tables: served beside zero-shot, never worse, claimed gains beside true ones."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from benchmarks.machine import markdown_table
from benchmarks.scatter import Points, scatter_svg

# What must never be worse than zero-shot, by more than this.
GUARDED = {"pixel_auroc": "pixel AUROC", "pixel_ap": "pixel AP", "image_auroc": "image AUROC"}
TOLERATED = 0.01
_SHOWN = {"pixel_auroc": "pixel AUROC", "pixel_ap": "pixel AP", "pixel_aupro": "AUPRO", "image_auroc": "image AUROC"}


@dataclass(frozen=True)
class Row:
    """What was served after so many corrections, measured on images that are never corrected; NaN where undefined.

    Attributes:
        data: the set.
        seed: of the order and of the runs.
        corrected: how many images.
        pixel_auroc: over all pixels of all images, at each image's own size.
        pixel_ap: the same.
        pixel_aupro: at 256×256 px.
        image_auroc: of the scores.
        version: number of the version in service.
        promoted: whether the run's candidate was put in service.
        decision: what the run said, or its error.
        seconds: from the run's start to its end.
        zero_shot: the guarded metrics before any correction.
        claimed: metric → gain over the version before that the run claimed, out of fold.
        true: metric → the gain on these images; of promoted candidates.
    """

    data: str
    seed: int
    corrected: int
    pixel_auroc: float
    pixel_ap: float
    pixel_aupro: float
    image_auroc: float
    version: int
    promoted: bool = False
    decision: str = ""
    seconds: float = 0.0
    zero_shot: dict[str, float] = field(default_factory=dict)
    claimed: dict[str, float] = field(default_factory=dict)
    true: dict[str, float] = field(default_factory=dict)

    def change(self, name: str) -> float:
        """From zero-shot to what is served."""
        return float(getattr(self, name) - self.zero_shot[name])

    def line(self) -> str:
        """The row in words, each figure with zero-shot's behind it."""
        figures = ", ".join(
            f"{title} {_number(getattr(self, name))} ({_number(self.zero_shot[name])})"
            for name, title in GUARDED.items()
        )
        return (
            f"{self.data} seed {self.seed}, {self.corrected} corrected (zero-shot): {figures}, AUPRO "
            f"{_number(self.pixel_aupro)}; v{self.version}, {self.seconds:.1f} s. {self.decision}"
        )


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def to_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows with null where a figure is undefined."""
    return [_without_nan(asdict(row)) for row in rows]


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(one) for name, one in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value


def served_table(rows: Sequence[Row]) -> str:
    """Each set and number of corrections: means over seeds, zero-shot's in parentheses, and the worst changes."""
    lines: list[list[object]] = []
    for data, corrected in dict.fromkeys((row.data, row.corrected) for row in rows):
        some = [row for row in rows if (row.data, row.corrected) == (data, corrected)]
        promoted = f"{sum(row.promoted for row in some)} of {len(some)}" if corrected else None
        figures = [_beside_zero_shot(some, name) for name in _SHOWN]
        worst = [min(row.change(name) for row in some) if corrected else None for name in GUARDED]
        seconds = f"{np.mean([row.seconds for row in some]):.1f}" if corrected else None
        lines.append([data, corrected, *figures, *worst, promoted, seconds])
    worst_titles = [f"worst change, {title}" for title in GUARDED.values()]
    return markdown_table(["set", "corrected", *_SHOWN.values(), *worst_titles, "put in service", "s a run"], lines)


def _beside_zero_shot(rows: Sequence[Row], name: str) -> str:
    served = _number(float(np.mean([getattr(row, name) for row in rows])))
    if name not in GUARDED or not rows[0].corrected or served == "–":
        return served
    return f"{served} ({_number(float(np.mean([row.zero_shot[name] for row in rows])))})"


def never_worse(rows: Sequence[Row]) -> str:
    """Whether any set, seed or step lost, and on how many steps something new is served."""
    steps = [row for row in rows if row.corrected]
    losses = [
        f"{row.data}, seed {row.seed}, {row.corrected} corrected: {title} {row.change(name):+.3f}"
        for row in steps
        for name, title in GUARDED.items()
        if row.change(name) < -TOLERATED
    ]
    first = {(row.data, row.seed): row.version for row in rows if not row.corrected}
    new = sum(row.version != first[row.data, row.seed] for row in steps)
    words = "\n".join(f"- {loss}" for loss in losses)
    verdict = (
        f"Worse than zero-shot by more than {TOLERATED}:\n\n{words}"
        if losses
        else (f"No set, seed or step is worse than zero-shot by more than {TOLERATED}.")
    )
    return f"Something new is served on {new} of {len(steps)} steps. {verdict}"


def claims(rows: Sequence[Row]) -> dict[str, list[tuple[float, float]]]:
    """Metric → claimed and true gain of every candidate that was put in service."""
    return {
        name: [
            (row.claimed[name], row.true[name])
            for row in rows
            if name in row.claimed and not np.isnan(row.true.get(name, float("nan")))
        ]
        for name in GUARDED
    }


def claims_table(rows: Sequence[Row]) -> str:
    """The claimed gain beside the true one: the mean error tells whether claims are biased."""
    lines = [
        [GUARDED[name], len(points), *_means(points, (_claimed, _true, _error, lambda c, t: abs(_error(c, t))))]
        for name, points in claims(rows).items()
    ]
    return markdown_table(["", "candidates", "claimed gain", "true gain", "mean error", "mean absolute error"], lines)


def claims_plot(rows: Sequence[Row]) -> str:
    """The same as a picture."""
    groups: dict[str, Points] = {}
    for name, points in claims(rows).items():
        (error,) = _means(points, (_error,))
        words = "no candidates" if error is None else f"mean error {error:+.3f}"
        groups[f"{GUARDED[name]}: {words}"] = points
    return scatter_svg(groups, "gain claimed out of fold", "gain on images never corrected")


def _claimed(claimed: float, true: float) -> float:
    return claimed


def _true(claimed: float, true: float) -> float:
    return true


def _error(claimed: float, true: float) -> float:
    return claimed - true


def _means(points: Points, of: Sequence[Callable[[float, float], float]]) -> list[float | None]:
    return [float(np.mean([one(*point) for point in points])) if points else None for one in of]
