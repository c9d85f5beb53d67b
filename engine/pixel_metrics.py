"""Pixel metrics over any number of images, exact, in memory that does not grow with them.

Each image's values are sorted once and spilled to a file; at the end, ranges of values, each holding a bounded number
of pixels, are merged from the highest down, and the sums of `RankSums` go on from range to range.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
from skimage.measure import label as connected_regions

from engine.maps import FloatMap
from engine.rank_sums import PIXEL_METRICS, RankSums

_VALUES_AT_ONCE = 1 << 23  # pixels merged at a time: 32 MB, and as much again while sorting
_SAMPLE = 1024  # every so many-th value of an image helps to choose the ranges


@dataclass(frozen=True)
class _Run:
    """Where one image's sorted values lie in the files, in values; (anomalous ones: value and weight)."""

    normal: slice
    anomalous: slice


class PixelMetrics:
    """Collects maps and masks image by image; a context manager that removes its files.

    On disk it takes 4 bytes a normal pixel and 12 an anomalous one. In memory it takes some 100 MB, and 4 bytes for
    each `_SAMPLE` pixels.

    Args:
        folder: where the files are made; None: the system's folder for temporary files.
        values_at_once: about how many pixels are merged at a time.
    """

    def __init__(self, folder: Path | None = None, *, values_at_once: int = _VALUES_AT_ONCE) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pixel-metrics-", dir=folder)
        root = Path(self._folder.name)
        self._paths = {name: root / name for name in ("normal", "anomalous", "weights")}
        self._files = {name: path.open("wb") for name, path in self._paths.items()}
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
        normal, anomalous, weights = (
            _mapped(self._paths[name], kind)
            for name, kind in (("normal", np.float32), ("anomalous", np.float32), ("weights", np.float64))
        )
        for low, high in self._ranges():
            chosen = [_within(anomalous, run.anomalous, low, high) for run in self._runs]
            sums.add(
                np.sort(np.concatenate([normal[_within(normal, run.normal, low, high)] for run in self._runs])),
                np.concatenate([anomalous[one] for one in chosen]),
                np.concatenate([weights[one] for one in chosen]),
            )
        return sums.metrics()

    def _ranges(self) -> Iterator[tuple[float, float]]:
        """Half-open ranges [low, high) of values, descending, that part the pixels evenly."""
        sample = np.sort(np.concatenate(self._samples))
        step = max(1, self._values_at_once // _SAMPLE)
        edges = np.unique(sample[step::step]) if sample.size > step else sample[:0]
        bounds = [-np.inf, *edges.tolist(), np.inf]
        yield from zip(reversed(bounds[:-1]), reversed(bounds[1:]), strict=True)


def _after(last: slice, count: int) -> slice:
    return slice(last.stop, last.stop + count)


def _within(values: FloatMap, run: slice, low: float, high: float) -> slice:
    """The part of a run, sorted ascending, with low ≤ value < high."""
    first, end = np.searchsorted(values[run], np.asarray([low, high], dtype=np.float32), side="left")
    return slice(run.start + int(first), run.start + int(end))


def _mapped(path: Path, kind: type[np.generic]) -> npt.NDArray:
    return np.memmap(path, dtype=kind, mode="r") if path.stat().st_size else np.empty(0, dtype=kind)
