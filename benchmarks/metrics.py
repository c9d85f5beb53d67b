"""AUPRO of large maps: ours, the usual loop over thresholds and regions, and anomalib's, side by side in one run.

`python -m benchmarks.metrics` takes some minutes, nearly all of them in the usual loop; `--memory 2000` measures
instead the peak memory of all pixel metrics over that many maps.
"""

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from skimage.measure import label, regionprops

from benchmarks.machine import machine, markdown_table
from engine.evaluation.metrics.of_arrays import FPR_LIMIT, aupro
from engine.evaluation.metrics.spilled import PixelMetrics

Maps = npt.NDArray[np.float32]
Masks = npt.NDArray[np.uint8]


def drawn(number: int, side: int) -> tuple[Masks, Maps]:
    """A mask with up to three ellipses and a smooth noisy map that is somewhat higher there, both (side, side)."""
    random = np.random.default_rng(number)
    rows, columns = np.mgrid[:side, :side]
    mask = np.zeros((side, side), dtype=np.uint8)
    for _ in range(random.integers(0, 4)):
        center, radii = random.uniform(0, side, 2), random.uniform(side / 60, side / 8, 2)
        mask |= (((rows - center[0]) / radii[0]) ** 2 + ((columns - center[1]) / radii[1]) ** 2 < 1).astype(np.uint8)
    noise = gaussian_filter(random.normal(0, 1, mask.shape), 8)
    return mask, (0.4 + 0.5 * noise / noise.std() * 0.1 + 0.1 * mask).astype(np.float32)


def usual_loop(masks: Masks, maps: Maps, steps: int = 200) -> float:
    """AUPRO as it is usually written: for each of 200 thresholds, for each map, for each region, count pixels."""
    low, high = maps.min(), maps.max()
    overlaps, rates = [], []
    normal = masks == 0
    for threshold in np.arange(low, high, (high - low) / steps):
        found = maps > threshold
        overlap = [
            found[number][region.coords[:, 0], region.coords[:, 1]].sum() / region.area
            for number, mask in enumerate(masks)
            for region in regionprops(label(mask, connectivity=2))
        ]
        overlaps.append(np.mean(overlap))
        rates.append((found & normal).sum() / normal.sum())
    fpr, pro = np.array(rates), np.array(overlaps)
    keep = fpr < FPR_LIMIT
    fpr, pro = (fpr[keep] - fpr[keep].min()) / (fpr[keep].max() - fpr[keep].min()), pro[keep]
    return float(np.trapezoid(pro[::-1], fpr[::-1]))


def streamed(masks: Masks, maps: Maps) -> float:
    """AUPRO with every value spilled to disk; the other three pixel metrics come with it."""
    with PixelMetrics() as metrics:
        for mask, one in zip(masks, maps, strict=True):
            metrics.add(mask, one)
        return metrics.metrics()["pixel_aupro"]


def anomalib_aupro(masks: Masks, maps: Maps) -> float:
    """AUPRO by `anomalib.metrics`. Raises ImportError where it is not installed."""
    import torch
    from anomalib.metrics.aupro import _AUPRO

    metric = _AUPRO(fpr_limit=FPR_LIMIT)
    metric.update(torch.from_numpy(maps), torch.from_numpy(masks))
    return float(metric.compute())


def compare(count: int, side: int) -> None:
    """Print a table of times and values."""
    masks, maps = (np.stack(part) for part in zip(*(drawn(number, side) for number in range(count)), strict=True))
    ways: list[tuple[str, Callable[[Masks, Maps], float]]] = [
        ("ours, in memory: every threshold", aupro),
        ("ours, in memory: the reference's 200 thresholds", lambda m, a: aupro(m, a, thresholds=200)),
        ("ours, streamed: every threshold, and AUROC, AP, F1-max", streamed),
        ("anomalib.metrics.AUPRO", anomalib_aupro),
        ("the usual loop, 200 thresholds", usual_loop),
    ]
    rows: list[tuple[str, float, float]] = []
    for name, way in ways:
        start = time.perf_counter()
        try:
            value = way(masks, maps)
        except ImportError as error:
            print(f"{name} is left out: anomalib is not installed here ({error}). pip install anomalib to compare.")
            continue
        rows.append((name, time.perf_counter() - start, value))
    print(f"{count} maps of {side}×{side} px; {machine()}\n")
    print(markdown_table(["AUPRO", "seconds", "value"], rows))
    taken = {name: seconds for name, seconds, _ in rows}
    loop = taken["the usual loop, 200 thresholds"]
    for name, seconds in taken.items():
        print(f"{loop / seconds:8.1f} times the speed of the usual loop: {name}")


def memory(count: int, side: int) -> None:
    """Print the peak memory and time of all pixel metrics over `count` maps, made one at a time."""
    masks_and_maps = [drawn(number, side) for number in range(8)]
    start = time.perf_counter()
    with PixelMetrics() as metrics:
        for number in range(count):
            mask, one = masks_and_maps[number % 8]
            metrics.add(mask, one + np.float32(number * 1e-6))  # shifted, so that few values repeat
        found = metrics.metrics()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{count} maps of {side}×{side} px; {machine()}")
    print(f"peak memory {peak:.2f} GiB, {time.perf_counter() - start:.0f} s; {found}")


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100, help="maps to compare on (default %(default)s)")
    parser.add_argument("--side", type=int, default=518, help="of the maps, in px (default %(default)s)")
    parser.add_argument("--memory", type=int, default=0, metavar="N", help="measure peak memory over N maps instead")
    arguments = parser.parse_args()
    if arguments.memory:
        memory(arguments.memory, arguments.side)
    else:
        compare(arguments.images, arguments.side)


if __name__ == "__main__":
    main()
