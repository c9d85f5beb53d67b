"""Pixel metrics over any number of images, exact, in memory that does not grow with them.

Each image's values are sorted once and spilled to a file; at the end, ranges of values, each holding a bounded number
of pixels, are merged from the highest down, and the sums of `RankSums` go on from range to range.
"""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
from skimage.measure import label as connected_regions

from engine.detector.maps import FloatMap
from engine.evaluation.metrics.rank_sums import PIXEL_METRICS, RankSums

_VALUES_AT_ONCE = 1 << 23  # pixels merged at a time: 32 MB, and as much again while sorting
_SAMPLE = 1024  # every so many-th value of an image helps to choose the ranges
_KINDS: dict[str, type[np.generic]] = {"normal": np.float32, "anomalous": np.float32, "weights": np.float64}


@dataclass(frozen=True)
class _Run:
    """Where one image's sorted values lie in the files, in values; (anomalous ones: value and weight)."""

    normal: slice
    anomalous: slice


class PixelMetrics:
    """Collects maps and masks image by image; a context manager that removes its files.

    On disk it takes 4 bytes a normal pixel and 12 an anomalous one. In memory it takes some 100 MB, and 4 bytes for
    each `_SAMPLE` pixels: the files are read piece by piece, not mapped, as mapped pages count as the process's memory.

    Args:
        folder: where the files are made; None: the system's folder for temporary files.
        values_at_once: about how many pixels are merged at a time.
    """

    def __init__(self, folder: Path | None = None, *, values_at_once: int = _VALUES_AT_ONCE) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pixel-metrics-", dir=folder)
        self._files = {name: (Path(self._folder.name) / name).open("w+b") for name in _KINDS}
        self._runs: list[_Run] = []
        self._samples: list[FloatMap] = []
        self._values_at_once = values_at_once
        self._regions = 0

    def __enter__(self) -> "PixelMetrics":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in self._files.values():
            file.close()
        self._folder.cleanup()

    def add(self, mask: npt.NDArray[np.uint8], anomaly_map: FloatMap) -> None:
        """Take one image: (h, w) mask, nonzero where anomalous, and its map of the same shape.

        Raises:
            OSError: the disk is full.
            ValueError: the map holds undefined or infinite values.
        """
        if not np.isfinite(anomaly_map).all():
            raise ValueError("an anomaly map holds undefined or infinite values")
        numbered = connected_regions(mask != 0, connectivity=2)
        inside = numbered > 0
        normal = np.sort(anomaly_map[~inside].astype(np.float32, copy=False))
        anomalous, regions = anomaly_map[inside].astype(np.float32, copy=False), numbered[inside]
        order = np.argsort(anomalous)
        areas = np.bincount(regions)
        last = self._runs[-1] if self._runs else _Run(slice(0, 0), slice(0, 0))
        run = _Run(_after(last.normal, normal.size), _after(last.anomalous, anomalous.size))
        self._files["normal"].write(normal.tobytes())
        self._files["anomalous"].write(anomalous[order].tobytes())
        self._files["weights"].write((1.0 / areas[regions[order]]).tobytes())
        self._runs.append(run)
        self._samples += [normal[::_SAMPLE].copy(), anomalous[order][::_SAMPLE]]  # copied: a view would keep it all
        self._regions += int((areas[1:] > 0).sum())

    def metrics(self) -> dict[str, float]:
        """The metrics of all images so far, see `RankSums.metrics`; NaN for all where there are no images."""
        for file in self._files.values():
            file.flush()
        if not self._runs:
            return dict.fromkeys(PIXEL_METRICS, float("nan"))
        sums = RankSums(self._runs[-1].normal.stop, self._runs[-1].anomalous.stop, self._regions)
        edges = self._edges()
        normal = [self._bounds("normal", run.normal, edges) for run in self._runs]
        anomalous = [self._bounds("anomalous", run.anomalous, edges) for run in self._runs]
        for number in reversed(range(len(edges) + 1)):
            sums.add(
                np.sort(self._range("normal", normal, number)),
                self._range("anomalous", anomalous, number),
                self._range("weights", anomalous, number),
            )
        return sums.metrics()

    def _edges(self) -> FloatMap:
        """Ascending values that part the pixels into ranges of about `values_at_once`; may be none."""
        sample = np.sort(np.concatenate(self._samples))
        step = max(1, self._values_at_once // _SAMPLE)
        return np.unique(sample[step::step])

    def _bounds(self, name: str, run: slice, edges: FloatMap) -> npt.NDArray[np.int64]:
        """Where each range begins among one image's values, counted from the start of the file; the end comes last."""
        inner = np.searchsorted(self._read(name, run.start, run.stop), edges, side="left")
        return np.array([run.start, *(inner + run.start), run.stop])

    def _range(self, name: str, bounds: Sequence[npt.NDArray[np.int64]], number: int) -> npt.NDArray:
        """All images' values of one range."""
        return np.concatenate([self._read(name, one[number], one[number + 1]) for one in bounds])

    def _read(self, name: str, start: int, stop: int) -> npt.NDArray:
        kind = np.dtype(_KINDS[name])
        size = int(stop - start) * kind.itemsize
        return np.frombuffer(os.pread(self._files[name].fileno(), size, int(start) * kind.itemsize), kind)


def _after(last: slice, count: int) -> slice:
    return slice(last.stop, last.stop + count)
