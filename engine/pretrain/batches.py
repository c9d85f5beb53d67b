"""Batches of drawn images and tokenised texts, made in a background process so that both cores have work.

Batch number t is a function of (seed, t, schedule, lanes) alone, so that a resumed run sees what an unbroken one would
have. With several lanes, one process each, a batch repeats images of its own lane only: processes share nothing.
"""

import functools
import os
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import open_clip
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.pretrain.captions import caption, kind_text, state_pair
from engine.pretrain.drawing.defects import DEFECTS
from engine.pretrain.drawing.fields import Rng
from engine.pretrain.drawing.sample import Sample, draw_sample
from engine.pretrain.schedule import Stage, stage_at

_REPLAY_WINDOW = 60
_FIRST_WINDOW = 4  # batches drawn at once, where there is nothing to repeat yet
_MOST_FRESH = 256
_NICENESS = 5


@dataclass
class Batch:
    """What one step learns from; B images of s px, texts of L tokens.

    Attributes:
        images: (B, 3, s, s) uint8.
        labels: (B, s, s) uint8, 0 where normal, else 1 + index in DEFECTS.
        captions: (B, L) token ids; same_caption: (B, B) bool.
        normal_texts, damaged_texts: (B, L), one pair an image.
        kind_texts: (len(DEFECTS), L).
    """

    images: Tensor
    labels: Tensor
    captions: Tensor
    same_caption: Tensor
    normal_texts: Tensor
    damaged_texts: Tensor
    kind_texts: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""
        return Batch(**{part.name: getattr(self, part.name).to(device, non_blocking=True) for part in fields(self)})

    def pin_memory(self) -> "Batch":
        """The same batch in memory that a GPU reads from directly; torch's loader calls it."""
        return Batch(**{part.name: getattr(self, part.name).pin_memory() for part in fields(self)})


class DrawnBatches(Dataset[Batch]):
    """Batch t of a run. Some of its images are new; the others were seen in one of its lane's last 60 batches."""

    def __init__(
        self, seed: int, stages: tuple[Stage, ...], steps: int, without: frozenset[str] = frozenset(), lanes: int = 1
    ) -> None:
        self.seed, self.stages, self.steps, self.without, self.lanes = seed, stages, steps, without, lanes
        self._drawn: OrderedDict[tuple[int, int], Sample] = OrderedDict()

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng([self.seed, step, 2])
        stage = stage_at(self.stages, step / self.steps)
        fresh = round(stage.batch * stage.fresh)
        wanted = [(step, n) for n in range(fresh)]
        before = self._earlier_steps(step, stage)
        for _ in range(stage.batch - fresh):
            wanted.append((before[int(rng.integers(len(before)))], int(rng.integers(fresh))))
        samples = [_turned(rng, self._sample(*key, fresh, stage.size)) for key in wanted]
        return make_batch(rng, samples)

    def _earlier_steps(self, step: int, stage: Stage) -> list[int]:
        """Of the same lane and stage; where they are few, steps below 0 too, whose drawings are no step's new ones."""
        window = range(step - self.lanes, max(step - _REPLAY_WINDOW * self.lanes, 0) - 1, -self.lanes)
        before = [earlier for earlier in window if stage_at(self.stages, earlier / self.steps) == stage]
        return before + [-1 - step % self.lanes - n * self.lanes for n in range(_FIRST_WINDOW - len(before))]

    def _sample(self, step: int, number: int, fresh: int, size: int) -> Sample:
        """Drawn once and kept as long as it can be asked for again."""
        key = (step, number)
        if key not in self._drawn or self._drawn[key].image.shape[0] != size:
            self._drawn.pop(key, None)  # of an earlier stage: the new one is the youngest, and goes last
            index = (step + _FIRST_WINDOW * self.lanes) * _MOST_FRESH + number
            self._drawn[key] = draw_sample(self.seed, index, size, self.without)
            if len(self._drawn) > (_REPLAY_WINDOW + 4) * fresh:
                self._drawn.popitem(last=False)
        return self._drawn[key]


def _turned(rng: Rng, sample: Sample) -> Sample:
    """Mirrored and turned by quarters, at random."""
    turns, mirrored = int(rng.integers(4)), rng.random() < 0.5
    image, labels = np.rot90(sample.image, turns), np.rot90(sample.labels, turns)
    if mirrored:
        image, labels = image[:, ::-1], labels[:, ::-1]
    return Sample(image, labels, sample.noun, sample.family, sample.defects)


def make_batch(rng: Rng, samples: list[Sample]) -> Batch:
    """Samples of one size, with new words for each."""
    words = [caption(rng, s.noun, s.defects) for s in samples]
    pairs = [state_pair(rng, s.noun, s.defects[0] if s.defects else None) for s in samples]
    kinds = [kind_text(rng, defect.name) for defect in DEFECTS]
    same = np.array(words)[:, None] == np.array(words)[None, :]
    images = np.stack([s.image for s in samples]).transpose(0, 3, 1, 2)
    return Batch(
        images=torch.from_numpy(np.ascontiguousarray(images)),
        labels=torch.from_numpy(np.stack([s.labels for s in samples])),
        captions=tokens(words),
        same_caption=torch.from_numpy(same),
        normal_texts=tokens([pair[0] for pair in pairs]),
        damaged_texts=tokens([pair[1] for pair in pairs]),
        kind_texts=tokens(kinds),
    )


def tokens(texts: list[str]) -> Tensor:
    """(n, L) CLIP token ids, cut behind the longest text: the text tower is causal, so that nothing changes."""
    rows = [_token_row(text) for text in texts]
    length = max(int(np.flatnonzero(row)[-1]) + 1 for row in rows)
    return torch.from_numpy(np.stack(rows)[:, :length])


@functools.lru_cache(maxsize=4096)
def _token_row(text: str) -> npt.NDArray[np.int64]:
    return open_clip.tokenize([text])[0].numpy()


def batches_from(dataset: DrawnBatches, first_step: int, *, background: bool) -> Iterator[Batch]:
    """The batches from `first_step` to the end, in order, a few of them made ahead."""
    loader = DataLoader(
        dataset,
        batch_size=None,
        sampler=range(first_step, len(dataset)),
        worker_init_fn=_be_modest,
        num_workers=dataset.lanes if background else 0,
        prefetch_factor=max(12 // dataset.lanes, 2) if background else None,
        pin_memory=torch.cuda.is_available(),
        multiprocessing_context="spawn" if background else None,
    )
    return iter(loader)


def _be_modest(_: int) -> None:
    torch.set_num_threads(1)
    os.nice(_NICENESS)
