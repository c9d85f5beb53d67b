"""From corrections to candidate prompts: tune, choose the length on held-out images, compare with the active ones.

Every fold is tuned once to the greatest length, and the text features are kept at a ladder of epochs; held-out maps
are then made from them. Resuming needs only these small tensors and the state of the tuning in progress.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from engine.comparison import OBJECTIVE, Comparison, HeldOut, compare, held_out, measure
from engine.detector.detector import Detector
from engine.holdout import Fold
from engine.prompts import Prompts
from engine.serving import Engine
from engine.tuning import Example, Tuner, TuningConfig

LADDER = (1, 2, 3, 5, 8, 12, 16, 20, 25, 30, 40, 50, 65, 80, 100)


@dataclass(frozen=True)
class Progress:
    """Where a proposal stands, told after every epoch.

    Attributes:
        share: done, 0–1.
        stage: one line for people.
        losses: one dict an epoch so far: fold (−1: all corrections), epoch and the mean terms of the loss.
        judging: true while held-out images are measured.
        checkpoint: gives the bytes from which `propose` can resume.
    """

    share: float
    stage: str
    losses: list[dict[str, float]]
    checkpoint: Callable[[], bytes]
    judging: bool = False


@dataclass(frozen=True)
class Proposal:
    """What came out: candidate prompts, and how they compare with the active ones (None: nothing to judge on)."""

    prompts: Prompts
    epochs: int
    method: str
    comparison: Comparison | None
    losses: list[dict[str, float]]


@dataclass
class _State:
    """What is done: parts (tunings) finished, the ladders of the folds, and the state of the tuning in progress."""

    finished: int = 0
    ladders: list[dict[int, Tensor]] = field(default_factory=list)
    snapshots: dict[int, bytes] = field(default_factory=dict)
    tuner: bytes | None = None
    losses: list[dict[str, float]] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        buffer = io.BytesIO()
        torch.save(vars(self), buffer)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes | None) -> "_State":
        return cls(**torch.load(io.BytesIO(data), weights_only=True)) if data else cls()


def propose(
    engine: Engine,
    active: Prompts,
    examples: Sequence[Example],
    folds: Sequence[Fold],
    config: TuningConfig,
    *,
    epochs: int,
    report: Callable[[Progress], None],
    checkpoint: bytes | None = None,
) -> Proposal:
    """Tune candidate prompts from the active ones and judge them.

    Args:
        engine: encodes nothing here; its backbone and resolution make maps of the examples' features.
        active: where tuning starts, and what the candidate is compared with.
        examples: the corrections; masks at the engine's resolution.
        folds: from `judging_folds`; with none, all examples are learnt from for half of the epochs, unjudged.
        config: how to tune.
        epochs: the greatest length.
        report: called after every epoch; what it raises ends the work.
        checkpoint: from an earlier call with the same arguments that was cut off.
    """
    work = _Work(engine, active, list(examples), list(folds), config, epochs, report, _State.from_bytes(checkpoint))
    return work.run()


@dataclass
class _Work:
    engine: Engine
    active: Prompts
    examples: list[Example]
    folds: list[Fold]
    config: TuningConfig
    epochs: int
    report: Callable[[Progress], None]
    state: _State

    @property
    def ladder(self) -> list[int]:
        return [step for step in LADDER if step < self.epochs] + [self.epochs]

    def run(self) -> Proposal:
        if not self.folds:
            length = max(1, self.epochs // 2)
            prompts = self._tune(0, 1, range(len(self.examples)), length)
            return Proposal(prompts, length, "unjudged", None, self.state.losses)
        parts = len(self.folds) + (len(self.folds) > 1)
        for number, fold in enumerate(self.folds):
            if number >= self.state.finished:
                self._tune(number, parts, fold.training, self.epochs)
        losses, checkpoint = list(self.state.losses), self.state.to_bytes
        share = len(self.folds) / parts
        self.report(Progress(share, "measuring on corrections held out", losses, checkpoint, judging=True))
        length, comparison = self._judge()
        if len(self.folds) == 1:
            prompts = self._restore(self.state.snapshots[length])
            return Proposal(prompts, length, "hold-out", comparison, self.state.losses)
        prompts = self._tune(len(self.folds), parts, range(len(self.examples)), length)
        return Proposal(prompts, length, f"{len(self.folds)}-fold", comparison, self.state.losses)

    def _tune(self, part: int, parts: int, positions: Sequence[int], length: int) -> Prompts:
        """Tune on some of the examples, going on from a checkpoint of this part; a part after the folds is on all."""
        tuner = self._tuner(positions)
        is_fold = part < len(self.folds)
        if self.state.tuner is not None:
            tuner.restore(self.state.tuner)
        elif is_fold:
            self.state.ladders.append({})
        while tuner.epoch < length:
            terms = tuner.run_epoch()
            self.state.losses.append({"fold": part if is_fold else -1, "epoch": tuner.epoch, **terms})
            if is_fold and tuner.epoch in self.ladder:
                self.state.ladders[part][tuner.epoch] = tuner.text_features().cpu()
                if len(self.folds) == 1:
                    self.state.snapshots[tuner.epoch] = tuner.state()
            self.state.tuner = tuner.state()
            if tuner.epoch == length:
                self.state.finished, self.state.tuner = part + 1, None
            stage = f"tuning, part {part + 1} of {parts}, epoch {tuner.epoch} of {length}"
            share = (part + tuner.epoch / length) / parts
            self.report(Progress(share, stage, list(self.state.losses), self.state.to_bytes))
        return tuner.prompts(self._note(positions, length))

    def _tuner(self, positions: Sequence[int]) -> Tuner:
        chosen = [self.examples[position] for position in positions]
        return Tuner(self.engine.backbone, self.active, chosen, self.config)

    def _restore(self, snapshot: bytes) -> Prompts:
        tuner = self._tuner(self.folds[0].training)
        tuner.restore(snapshot)
        return tuner.prompts(self._note(self.folds[0].training, tuner.epoch))

    def _note(self, positions: Sequence[int], length: int) -> str:
        return f"tuned on {len(positions)} corrected images for {length} epochs, seed {self.config.seed}"

    def _judge(self) -> tuple[int, Comparison]:
        """The length whose held-out maps are best, and the comparison at that length."""
        start = self.engine.detector_of(self.active)
        baseline = self._held_out(start, [start.text_features] * len(self.folds))
        candidates = {
            step: self._held_out(start, [ladder[step] for ladder in self.state.ladders]) for step in self.ladder
        }
        best = max(self.ladder, key=lambda step: objective(candidates[step]))
        return best, compare(candidates[best], baseline, seed=self.config.seed)

    def _held_out(self, start: Detector, text_features: Sequence[Tensor]) -> list[HeldOut]:
        images = []
        for fold, text in zip(self.folds, text_features, strict=True):
            detector = replace(start, text_features=text.to(start.text_features.device))
            for position in fold.held_out:
                example = self.examples[position]
                scored = self.engine.score([example.features], detector)[0]
                images.append(held_out(scored.score, scored.anomaly_map, example.mask.numpy()))
        return images


def objective(images: Sequence[HeldOut]) -> float:
    """What a run tries to raise: the mean of the metrics of `OBJECTIVE` that are defined."""
    metrics = measure(images)
    values = np.array([metrics[name][0] for name in OBJECTIVE])
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("-inf")
