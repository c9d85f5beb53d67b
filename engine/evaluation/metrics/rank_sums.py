"""AUROC, AP, F1-max and AUPRO of pixels as sums over the anomalous ones, over every threshold.

They depend on the maps only through one question: at each value that an anomalous pixel has, how many normal pixels
lie above it, and how many are equal. So no threshold needs a pass of its own, and values can come range by range.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FPR_LIMIT = 0.3  # where the AUPRO curve ends, as in the literature
PIXEL_METRICS = ("pixel_auroc", "pixel_ap", "pixel_f1_max", "pixel_aupro")
Floats = npt.NDArray[np.float64]
Values = npt.NDArray[np.floating]


@dataclass
class RankSums:
    """The four metrics as sums over anomalous pixels, highest first, fed range by range.

    Attributes:
        normal_count: N, normal pixels of all images.
        anomalous_count: P.
        region_count: 8-connected regions of all masks.
        fpr_limit: where the AUPRO curve ends.
    """

    normal_count: int
    anomalous_count: int
    region_count: int
    fpr_limit: float = FPR_LIMIT
    _normal_above: int = 0
    _anomalous_above: int = 0
    _roc: float = 0.0
    _ap: float = 0.0
    _pro: float = 0.0
    f1_max: float = 0.0
    threshold: float = float("nan")

    def add(self, normal: Values, anomalous: Values, weights: Floats) -> None:
        """Take the next lower range of values.

        Args:
            normal: (n,) values of normal pixels, ascending; all below those of earlier calls.
            anomalous: (m,) values of anomalous pixels, in any order.
            weights: (m,) one over the area of the pixel's region.
        """
        if anomalous.size:
            self._add_anomalous(normal, anomalous, weights)
        self._normal_above += normal.size
        self._anomalous_above += anomalous.size

    def _add_anomalous(self, normal: Values, anomalous: Values, weights: Floats) -> None:
        order = np.argsort(anomalous)[::-1]
        ordered = anomalous[order]
        first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))  # of each distinct value, descending
        values = ordered[first]
        counts = np.diff(np.append(first, ordered.size))
        weight = np.add.reduceat(weights[order], first)
        # Normal pixels above each value, and above or equal: false positives just before and at that threshold.
        before = self._normal_above + (normal.size - np.searchsorted(normal, values, side="right")).astype(np.float64)
        at = self._normal_above + (normal.size - np.searchsorted(normal, values, side="left")).astype(np.float64)
        found = self._anomalous_above + np.cumsum(counts)
        self._roc += float((counts * (self.normal_count - (before + at) / 2)).sum())
        self._ap += float((counts * (found / (found + at))).sum())
        self._pro += float((weight * self._area_right_of_step(before, at)).sum())
        f1 = 2 * found / (found + at + self.anomalous_count)
        best = int(f1.argmax())
        if f1[best] > self.f1_max:
            self.f1_max, self.threshold = float(f1[best]), float(values[best])

    def _area_right_of_step(self, before: Floats, at: Floats) -> Floats:
        """How far a step of the overlap, a ramp where normal pixels tie, extends up to the limit (in pixels)."""
        limit = self.fpr_limit * self.normal_count
        with np.errstate(divide="ignore", invalid="ignore"):
            cut = (limit - before) ** 2 / (2 * (at - before))
        return np.where(at <= limit, limit - (before + at) / 2, np.where(before < limit, cut, 0.0))

    def metrics(self) -> dict[str, float]:
        """Each of `PIXEL_METRICS`, 0–1; NaN without anomalous pixels and, but for AP and F1, without normal ones."""
        if not self.anomalous_count:
            return dict.fromkeys(PIXEL_METRICS, float("nan"))
        both = self.normal_count > 0
        roc = self._roc / (self.normal_count * self.anomalous_count) if both else float("nan")
        pro = self._pro / (self.fpr_limit * self.normal_count * self.region_count) if both else float("nan")
        return dict(zip(PIXEL_METRICS, (roc, self._ap / self.anomalous_count, self.f1_max, pro), strict=True))
