"""The tuning loop of all trainable methods: seeded order, Adam, a state that another process can go on from."""

import io
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from engine.errors import EngineError
from engine.features.image_features import ImageFeatures
from engine.learning.losses import LAMBDA


class Diverged(EngineError):
    """A tuning whose loss grew beyond all numbers."""


@dataclass(frozen=True)
class Example:
    """One corrected image.

    Attributes:
        features: of the image.
        mask: (h, w) uint8, 1 where anomalous, or float32, the share of each pixel that is; its size decides at which
            resolution the local loss is taken.
        class_name: what is seen on it, for methods that name it.
    """

    features: ImageFeatures
    mask: Tensor
    class_name: str = "object"

    @property
    def label(self) -> int:
        """1 where any pixel is anomalous."""
        return int(self.mask.any())


@dataclass(frozen=True)
class TuningConfig:
    """How to tune.

    Attributes:
        learning_rate: of Adam.
        betas: of Adam; the reference's.
        batch_size: images a step.
        weight: λ of the local loss.
        image_weight: of the global loss; 0 leaves the local one alone.
        resolution: where the local loss is taken: on all `pixels` of the mask, as the reference does, or on the grid
            of `patches`, some 60 times less work.
        pull: weight of 1 − cosine between the text features and those tuning started from, divided by the number of
            examples: few corrections may move the prompts little, many may move them far. 0 in the reference.
        cast_float16: round deep tokens to float16, as the reference does.
        seed: of the order of the examples.
    """

    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.5, 0.999)
    batch_size: int = 8
    weight: float = LAMBDA
    image_weight: float = 1.0
    resolution: Literal["pixels", "patches"] = "pixels"
    pull: float = 0.0
    cast_float16: bool = False
    seed: int = 0


class TuningLoop(ABC):
    """What is learnt, epoch by epoch; its state can be saved, and restored by another process.

    Args:
        learner: holds the parameters.
        examples: at least one.
        config: how to tune.
    """

    def __init__(self, learner: nn.Module, examples: Sequence[Example], config: TuningConfig) -> None:
        if not examples:
            raise ValueError("tuning needs at least one example")
        self.examples = list(examples)
        self.config = config
        self.learner = learner
        self.optimizer = torch.optim.Adam(learner.parameters(), lr=config.learning_rate, betas=config.betas)
        self.device = next(learner.parameters()).device
        self.epoch = 0

    @abstractmethod
    def _loss(self, batch: list[Example]) -> dict[str, Tensor]:
        """Terms of the loss by name, scalars; `total` is what is minimised."""

    def run_epoch(self) -> dict[str, float]:
        """Go once through the examples. Returns the mean of each term of the loss, `total` among them.

        Raises:
            Diverged: one of them is no number any more.
        """
        sums: dict[str, float] = {}
        for batch in self._batches():
            terms = self._loss(batch)
            self.optimizer.zero_grad()
            terms["total"].backward()
            self.optimizer.step()
            for name, value in terms.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) * len(batch) / len(self.examples)
        self.epoch += 1
        if not all(math.isfinite(value) for value in sums.values()):
            raise Diverged(
                f"The tuning diverged: in epoch {self.epoch} its loss is no number any more, and nothing of it is "
                f"kept. Choose a lower learning rate than {self.config.learning_rate:g}."
            )
        return sums

    def _batches(self) -> Iterator[list[Example]]:
        # Seeded by the epoch too, so that a resumed tuning goes on as an unbroken one would.
        generator = torch.Generator().manual_seed(self.config.seed * 100_003 + self.epoch)
        order = torch.randperm(len(self.examples), generator=generator).tolist()
        for start in range(0, len(order), self.config.batch_size):
            yield [self.examples[index] for index in order[start : start + self.config.batch_size]]

    def state(self) -> bytes:
        """All that `restore` needs to go on from here."""
        buffer = io.BytesIO()
        saved = {"epoch": self.epoch, "learner": self.learner.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(saved, buffer)
        return buffer.getvalue()

    def restore(self, state: bytes) -> None:
        """Go on from a `state` of a loop with the same start, examples and configuration."""
        saved = torch.load(io.BytesIO(state), map_location=self.device, weights_only=True)
        self.learner.load_state_dict(saved["learner"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.epoch = saved["epoch"]


def mean_terms(
    groups: Sequence[Sequence[Example]], loss: Callable[[Sequence[Example]], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """Terms of a loss that are means over images, taken group by group: what they are of all groups together."""
    count = sum(len(group) for group in groups)
    total: dict[str, Tensor] = {}
    for group in groups:
        for name, value in loss(group).items():
            share = value * (len(group) / count)
            total[name] = total[name] + share if name in total else share
    return total
