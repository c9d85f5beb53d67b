"""How a run goes: image sizes and batch sizes by progress, and the learning rate."""

import math
from dataclasses import dataclass

_WARM_UP = 0.03
_FLOOR = 0.01


@dataclass(frozen=True)
class Stage:
    """From progress `start` (0–1) on, batches of `batch` images of `size` px, of which the share `fresh` is new."""

    start: float
    size: int
    batch: int
    fresh: float = 0.5

    @classmethod
    def parse(cls, text: str) -> "Stage":
        """START:SIZE:BATCH:FRESH, such as 0.6:192:160:0.1. Raises ValueError on anything else."""
        start, size, batch, fresh = text.split(":")
        return cls(float(start), int(size), int(batch), float(fresh))


STAGES = (Stage(0.0, 96, 64), Stage(0.35, 128, 64), Stage(0.75, 192, 32), Stage(0.93, 256, 16))
# A later round begins with weights that know the easy part: no step at the smallest size, and smaller steps.
LATER_STAGES = (Stage(0.0, 128, 64), Stage(0.6, 192, 32), Stage(0.85, 256, 16))
LATER_RATE = 0.6
# For a GPU, which learns faster than a dozen cores draw: large batches, most images seen before.
LARGE_STAGES = (Stage(0.0, 128, 256, 0.125), Stage(0.3, 192, 160, 0.125), Stage(0.55, 256, 128, 0.125))


def stage_at(stages: tuple[Stage, ...], progress: float) -> Stage:
    """The stage that holds at `progress`, 0–1."""
    return [stage for stage in stages if stage.start <= progress][-1]


def rate_at(progress: float) -> float:
    """Share of the highest learning rate: a short rise, then a cosine down to 1 %."""
    if progress < _WARM_UP:
        return (progress + 1e-3) / (_WARM_UP + 1e-3)
    through = (progress - _WARM_UP) / (1 - _WARM_UP)
    return _FLOOR + (1 - _FLOOR) * 0.5 * (1 + math.cos(math.pi * through))
