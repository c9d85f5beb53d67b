"""One image, bytes → map, against the plain baseline: `python -m benchmarks.score --model NAME --image-size N`.

Baseline and engine each run in a process of their own and take turns; times are medians, an image's share of its batch.
Differences are the engine's from the baseline's float32.
"""

import argparse
import json
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import spearmanr

from benchmarks.machine import machine, markdown_table
from benchmarks.scorers import Scorer, Way

_HEAD = (
    "precision",
    "batch",
    "baseline s",
    "engine s",
    "ratio",
    "engine images/s",
    "baseline MiB",
    "engine MiB",
    "map difference, mean",
    "max",
    "scores' rank correlation",
    "share of the chip's peak",
)
_COLUMNS = (
    "batch",
    "baseline_s",
    "engine_s",
    "ratio",
    "engine_images_per_s",
    "baseline_peak_mib",
    "engine_peak_mib",
    "map_difference_mean",
    "map_difference_max",
    "score_rank_correlation",
    "share_of_peak",
)


def main() -> None:
    """Measure, print a table, write the JSON."""
    arguments = _parser().parse_args()
    results: dict[str, Any] = {}
    for precision in arguments.precision.split(","):
        results[precision] = measure(precision, arguments)
        if arguments.json:  # after each, so that what was measured outlives a run that is cut short
            arguments.json.write_text(json.dumps(results, indent=2))
    print(f"{machine()}; {arguments.threads} threads; {arguments.model}\n")
    rows = [[name, *_row(batch)] for name, result in results.items() for batch in (result, *result["larger_batches"])]
    print(markdown_table(_HEAD, rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.score", description=__doc__)
    parser.add_argument(
        "--model", default="ViT-L-14-336-quickgelu", help="of open_clip, weights at random; or embedded"
    )
    parser.add_argument("--image-size", type=int, default=0, help="side in px; 0: the backbone's own (default)")
    parser.add_argument("--precision", default="fp32,bf16", help="separated by commas (default %(default)s)")
    parser.add_argument("--batch", default="1", help="sizes, separated by commas, from 1 (default %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="timed turns of each (default %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (default %(default)s)")
    parser.add_argument("--compile", action="store_true", help="let torch.compile fuse the engine's blocks")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads (default: torch's)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser


def measure(precision: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures of one precision: those of the first batch size, and `larger_batches` with the others'."""
    with ExitStack() as stack:
        baseline, engine = (
            stack.enter_context(
                Scorer(
                    Way(
                        kind, arguments.model, arguments.image_size, used, arguments.device, arguments.threads, compiled
                    )
                )
            )
            for kind, used, compiled in (("baseline", "fp32", False), ("engine", precision, arguments.compile))
        )
        first, *others = [
            _compare(baseline, engine, int(batch), arguments.repeats) for batch in arguments.batch.split(",")
        ]
    return {**first, "larger_batches": others, "threads": arguments.threads, "machine": machine()}


def _compare(baseline: Scorer, engine: Scorer, batch: int, repeats: int) -> dict[str, Any]:
    turns = []
    for turn in range(repeats + 1):
        seeds = list(range(turn * batch, (turn + 1) * batch))
        turns.append((baseline.score(seeds), engine.score(seeds)))
    timed = turns[1:]  # the first one warms up; its maps count
    plain, ours = (statistics.median(turn[side][0]["seconds"] for turn in timed) / batch for side in (0, 1))
    return {
        "batch": batch,
        "baseline_s": plain,
        "engine_s": ours,
        "ratio": plain / ours,
        "baseline_images_per_s": 1 / plain,
        "engine_images_per_s": 1 / ours,
        "baseline_peak_mib": timed[-1][0][0]["peak_mib"],
        "engine_peak_mib": timed[-1][1][0]["peak_mib"],
        **_differences([turn[0] for turn in turns], [turn[1] for turn in turns]),
        "share_of_peak": _share_of_peak(engine.facts, ours),
        **{name: engine.facts[name] for name in ("image_size", "layers", "device")},
    }


def _differences(
    plain: Sequence[tuple[dict[str, Any], npt.NDArray[np.float32]]],
    ours: Sequence[tuple[dict[str, Any], npt.NDArray[np.float32]]],
) -> dict[str, float]:
    apart = np.abs(np.concatenate([maps for _, maps in plain]) - np.concatenate([maps for _, maps in ours]))
    scores = [np.concatenate([answer["scores"] for answer, _ in side]) for side in (plain, ours)]
    return {
        "map_difference_mean": float(apart.mean()),
        "map_difference_max": float(apart.max()),
        "score_rank_correlation": float(spearmanr(*scores).statistic),
    }


def _share_of_peak(facts: dict[str, Any], seconds: float) -> float | None:
    """Of the GPU's bf16 peak; None, shown as not measured, without a GPU whose peak is known."""
    return facts["teraflops"] / seconds / facts["peak_teraflops"] if facts["peak_teraflops"] else None


def _row(result: dict[str, Any]) -> list[object]:
    def cell(name: str) -> object:
        value = result[name]
        if name == "share_of_peak":
            return "not measured" if value is None else f"{100 * value:.0f} %"
        if name.startswith("map_difference"):
            return f"{value:.1e}"
        return f"{value:.0f}" if name.endswith("mib") else f"{value:.4f}" if name.startswith("score") else value

    return [cell(name) for name in _COLUMNS]


if __name__ == "__main__":
    main()
