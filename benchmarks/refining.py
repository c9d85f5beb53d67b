"""What refining costs the processor: one image's map, and a run over 40 corrections; `python -m benchmarks.refining`.

One thread, drawn images of 512×512 px, features there already; times of the processor, the least of several.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import torch

from benchmarks.machine import machine
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
_MAPS, _RUNS, _PIXELS = 30, 2, 1500


def main() -> None:
    """Print both times."""
    torch.set_num_threads(1)
    engine = Engine(load_backbone("embedded", "cpu"))
    root = engine.detector_of(shipped_prompts(engine.backbone))
    corrections = [_as_tensor(_correction(engine, number)) for number in range(CORRECTIONS)]
    unlabelled = [engine.encode([_picture(100 + number)], surface=True)[0] for number in range(UNLABELLED)]
    views, draw = find_views(corrections, 0, unlabelled), torch.Generator().manual_seed(0)
    maps = [one.anomaly_map for one in root.score([one.features for one in corrections])]
    seen = [seen_pixels(*pair, _PIXELS, draw)[0] for pair in zip(corrections, [views] * len(maps), maps, strict=True)]
    (refiner,) = fit_refiners(views, [one for one in seen if one is not None], [range(len(seen))], 0)
    found = root.score(unlabelled[:1])[0].anomaly_map
    refine = _least(lambda: refiner.refine(unlabelled[0], found), _MAPS)
    run = _least(lambda: learn(engine, root, root, corrections, Config(), unlabelled=unlabelled), _RUNS)
    print(f"{machine()}; refining one map {1000 * refine:.1f} ms, run over {CORRECTIONS} corrections {run:.2f} s")


def _as_tensor(one: Correction) -> Correction:
    return replace(one, marked=torch.as_tensor(one.marked))


def _least(work: Callable[[], object], repeats: int) -> float:
    """Seconds of the processor."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


if __name__ == "__main__":
    main()
