"""Which corrections a run learns from and which it is judged on; an image never changes sides."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

HOLDOUT_SHARE = 4  # one image in four
# Fewer held-out images, or fewer anomalous ones among them, judge too coarsely: then K-fold over all.
MIN_HELD_OUT = 12
MIN_ANOMALOUS = 4
FOLDS = 4


@dataclass(frozen=True)
class Fold:
    """Positions of the images that are learnt from, and of those that are measured on."""

    training: tuple[int, ...]
    held_out: tuple[int, ...]


def is_held_out(key: str) -> bool:
    """Whether an image (named by the sha256 of its bytes) is on the hold-out's side: the same for ever."""
    return _rank(key) % HOLDOUT_SHARE == 0


def _rank(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])


def judging_folds(keys: Sequence[str], labels: Sequence[int]) -> list[Fold]:
    """How n corrections are split for judging.

    Args:
        keys: the images' sha256.
        labels: 1 where anomalous.

    Returns:
        One fold, the stable hold-out, where it is large enough; otherwise K-fold over all images, each held out once,
        anomalous and normal ones spread evenly; no fold when there are fewer than two images or fewer than two
        anomalous ones, since then nothing can be judged.
    """
    held = tuple(i for i, key in enumerate(keys) if is_held_out(key))
    learnt = tuple(i for i, key in enumerate(keys) if not is_held_out(key))
    if len(held) >= MIN_HELD_OUT and sum(labels[i] for i in held) >= MIN_ANOMALOUS and any(labels[i] for i in learnt):
        return [Fold(learnt, held)]
    if len(keys) < 2 or sum(labels) < 2:
        return []
    order = sorted(range(len(keys)), key=lambda i: (labels[i], _rank(keys[i])), reverse=True)
    count = min(FOLDS, sum(labels))
    parts = [tuple(sorted(order[start::count])) for start in range(count)]
    return [Fold(tuple(i for i in range(len(keys)) if i not in part), part) for part in parts]
