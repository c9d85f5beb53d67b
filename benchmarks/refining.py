"""What refining costs the processor: one image's map, and a run over 40 corrections; `python -m benchmarks.refining`.

Drawn images of 512×512 px, features there already; the least of several, by one thread's processor time, and by the
clock with as many threads as there are cores, for which nothing else may run.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import torch

from benchmarks.machine import machine, markdown_table
from benchmarks.times import _correction, _picture
from engine.backbone.loading import load_backbone
from engine.detector.prompt_files import shipped_prompts
from engine.learning.corrections import Correction
from engine.learning.fitting import Config, learn
from engine.learning.pixels import seen_pixels
from engine.learning.refining import fit_refiners
from engine.learning.views import find_views
from engine.serving.engine import Engine

CORRECTIONS, UNLABELLED = 40, 12
_PIXELS = 1500
# What is measured, and how often.
_MAP, _RUN = "refining one map", f"a run over {CORRECTIONS}"
_REPEATS = {_MAP: 30, _RUN: 3}


def main() -> None:
    """Print both times, of one thread and of all."""
    works, cores = _works(), torch.get_num_threads()
    print(f"{machine()}\n\n{markdown_table(['s', *works], [_row(works, 1), _row(works, cores)])}")


def _row(works: dict[str, Callable[[], object]], threads: int) -> list[object]:
    """By the processor's time for one thread, by the clock for several."""
    torch.set_num_threads(threads)
    clock = time.process_time if threads == 1 else time.perf_counter
    return [f"{threads} threads", *(_least(work, _REPEATS[name], clock) for name, work in works.items())]


def _works() -> dict[str, Callable[[], object]]:
    engine = Engine(load_backbone("embedded", "cpu"))
    root = engine.detector_of(shipped_prompts(engine.backbone))
    corrections = [_as_tensor(_correction(engine, number)) for number in range(CORRECTIONS)]
    unlabelled = [engine.encode([_picture(100 + number)], surface=True)[0] for number in range(UNLABELLED)]
    views, draw = find_views(corrections, 0, unlabelled), torch.Generator().manual_seed(0)
    maps = [one.anomaly_map for one in root.score([one.features for one in corrections])]
    seen = [some for some, _ in seen_pixels(corrections, views, maps, _PIXELS, draw) if some is not None]
    (refiner,) = fit_refiners(views, seen, [range(len(seen))], 0)
    found = root.score(unlabelled[:1])[0].anomaly_map
    return {
        _MAP: lambda: refiner.refine(unlabelled[0], found),
        _RUN: lambda: learn(engine, root, root, corrections, Config(), unlabelled=unlabelled),
    }


def _as_tensor(one: Correction) -> Correction:
    return replace(one, marked=torch.as_tensor(one.marked))


def _least(work: Callable[[], object], repeats: int, clock: Callable[[], float]) -> float:
    """Seconds."""
    times = []
    for _ in range(repeats):
        began = clock()
        work()
        times.append(clock() - began)
    return min(times)


if __name__ == "__main__":
    main()
