"""What an evaluation gives for a class, and the mean over classes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

METRICS = ("image_auroc", "image_ap", "image_f1_max", "pixel_auroc", "pixel_ap", "pixel_f1_max", "pixel_aupro")


@dataclass(frozen=True)
class ClassResult:
    """What came out for one class.

    Attributes:
        class_name: of the class.
        metrics: each of `METRICS`, None where the class has no such labels.
        images: for each image its path, label, defect, score, and error (see `image_error`).
        problems: one sentence for each image or mask that could not be used.
        panels: of the images with the largest errors: path, error, and a picture as base64.
        fits: where the method was learnt from corrections of this class, the seed, metrics and decision of each fit.
    """

    class_name: str
    metrics: dict[str, float | None]
    images: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    panels: list[dict[str, Any]] = field(default_factory=list)
    fits: list[dict[str, Any]] = field(default_factory=list)


def mean_metrics(classes: Sequence[ClassResult]) -> dict[str, float | None]:
    """Each metric's mean over the classes that have it; None where none has."""
    means: dict[str, float | None] = {}
    for name in METRICS:
        values = [value for one in classes if (value := one.metrics[name]) is not None]
        means[name] = float(np.mean(values)) if values else None
    return means
