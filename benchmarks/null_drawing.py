"""Candidates that learnt nothing: as large a change as real fits to the same corrections make, in drawn directions.

Each is judged as fits are: a detector a fold, about as much alike as fits to folds are, and the share of the refined
map chosen out of fold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.detector.detector import Detector, Said
from engine.detector.heads import Heads
from engine.detector.prompts import Prompts
from engine.detector.refiner import Refiner, Views
from engine.features.image_features import ImageFeatures
from engine.learning.corrections import Correction, Fold, judging_folds
from engine.learning.heading import fit_heads
from engine.learning.out_of_fold import RefinedOutOfFold, said_by
from engine.learning.pixels import Pixels, seen_pixels
from engine.learning.prompting import tune_prompts
from engine.learning.refining import fit_refiners, refined_logits
from engine.learning.views import find_views
from engine.serving.engine import Engine

KINDS = ("text features", "prompts", "heads", "refiner")
# Of the variance of what is drawn, so much is common to all folds: any two of five learn from the same three fifths.
_COMMON = 0.75
_STEPS = 30  # of the walk of text features, and of the tuning that it is as long as
_PIXELS_AN_IMAGE = 1500


@dataclass(frozen=True)
class Drawn:
    """A candidate that learnt nothing: what it would serve, and what its like said of each correction out of fold."""

    detector: Detector
    said: list[Said]


class NullCandidates:
    """Draws candidates for corrections.

    Args:
        engine: scores.
        root: what is in service, prompts alone.
        corrections: frozen ones, of at least two anomalous parts.
        seed: of the fits that say how large a change is.
        unlabelled: features of other images of the set.
    """

    def __init__(
        self,
        engine: Engine,
        root: Detector,
        corrections: Sequence[Correction],
        seed: int,
        unlabelled: Sequence[ImageFeatures] = (),
    ) -> None:
        self.engine, self.root, self.corrections, self.seed = engine, root, corrections, seed
        self.unlabelled = unlabelled
        self.folds: list[Fold] = judging_folds(corrections)
        self.scored = engine.score([one.features for one in corrections], root)

    def draw(self, kind: str, generator: torch.Generator) -> Drawn:
        """A candidate of one of `KINDS`."""
        if kind == "refiner":
            return self._refiner(generator)
        make = {"text features": self._walked, "prompts": self._noisy, "heads": self._turned}[kind]
        *in_folds, final = (make(noise) for noise in self._noises(generator))
        said: dict[int, Said] = {}
        for fold, detector in zip(self.folds, in_folds, strict=True):
            judged = [self.corrections[i] for i in fold.judged]
            said |= dict(zip(fold.judged, said_by(detector, judged), strict=True))
        return Drawn(final, [said[i] for i in sorted(said)])

    def _noises(self, generator: torch.Generator) -> list["_Noise"]:
        """One for each fold, and one for what would be served, which has what is common alone."""
        common, *own = torch.randint(2**62, (len(self.folds) + 1,), generator=generator).tolist()
        return [*(_Noise(common, one) for one in own), _Noise(common, None)]

    @cached_property
    def _tuned(self) -> Prompts:
        return tune_prompts(self.engine.backbone, self.root.prompts, self.corrections, steps=_STEPS, seed=self.seed)

    @cached_property
    def _heads(self) -> Heads:
        return fit_heads(self.corrections, self.root.text_features, self.seed)

    def _walked(self, noise: "_Noise") -> Detector:
        """The text features after a random walk as long as tuning's."""
        start = self.root.text_features
        change = self.engine.detector_of(self._tuned).text_features - start
        steps = torch.stack([noise.like(start) for _ in range(_STEPS)])
        return replace(self.root, text_features=F.normalize(start + _as_long(steps.sum(dim=0), change), dim=-1))

    def _noisy(self, noise: "_Noise") -> Detector:
        """Prompts whose vectors are as far from the root's as tuned ones are."""
        start, tuned = self.root.prompts, self._tuned
        moved = {
            name: getattr(start, name)
            + _as_long(noise.like(getattr(start, name)), getattr(tuned, name) - getattr(start, name))
            for name in ("normal_context", "anomalous_context", "deep_tokens")
        }
        return self.engine.detector_of(replace(start, **moved))

    def _turned(self, noise: "_Noise") -> Detector:
        """Heads of random directions and biases, as large as fitted ones."""
        fitted = self._heads
        directions = _as_long(noise.like(fitted.directions), fitted.directions)
        biases = _as_long(noise.like(fitted.biases), fitted.biases)
        image = _as_long(noise.like(fitted.image_direction), fitted.image_direction)
        bias = _as_long(noise.like(fitted.image_bias), fitted.image_bias)
        return replace(self.root, heads=Heads(directions, biases, image, bias))

    @cached_property
    def _pixels(self) -> tuple[list[Pixels], list[Pixels]]:
        """Pixels that the refiner is fitted to, and those that are judged."""
        views, generator = self._views, torch.Generator().manual_seed(self.seed)
        maps = [scored.anomaly_map for scored in self.scored]
        pairs = list(seen_pixels(self.corrections, views, maps, _PIXELS_AN_IMAGE, generator))
        return [some for some, _ in pairs if some is not None], [grid for _, grid in pairs]

    @cached_property
    def _views(self) -> Views:
        return find_views(self.corrections, self.seed, self.unlabelled)

    @cached_property
    def _fitted(self) -> tuple[Refiner, float]:
        """A fitted refiner, and the deviation of what it adds to the prompts' logits."""
        learnt, grids = self._pixels
        refiner = fit_refiners(self._views, learnt, [range(len(learnt))], self.seed)[0]
        return refiner, _deviation(refiner, grids)

    def _refiner(self, generator: torch.Generator) -> Drawn:
        """Networks of random layers, the last one such that as much is added as by a fitted refiner."""
        _, grids = self._pixels
        *in_folds, final = (self._random_refiner(noise) for noise in self._noises(generator))
        held_out = RefinedOutOfFold(self.corrections, self.folds, in_folds, grids)
        final = held_out.with_share(final)
        maps = held_out.maps(final)
        said = [Said(one.score, found) for one, found in zip(self.scored, maps, strict=True)]
        return Drawn(replace(self.root, refiner=final), said)

    def _random_refiner(self, noise: "_Noise") -> Refiner:
        fitted, added = self._fitted
        layers = tuple(_as_long(noise.like(layer), layer) for layer in fitted.layers)
        drawn = replace(fitted, layers=layers)
        *before, last, bias = layers
        larger = added / max(_deviation(drawn, self._pixels[1]), 1e-6)
        return replace(drawn, layers=(*before, last * larger, bias))


class _Noise:
    """Normal numbers of which a part is common to all folds."""

    def __init__(self, common: int, own: int | None) -> None:
        self._common = torch.Generator().manual_seed(common)
        self._own = None if own is None else torch.Generator().manual_seed(own)

    def like(self, tensor: Tensor) -> Tensor:
        """Of a tensor's shape."""
        common = torch.randn(tensor.shape, generator=self._common).to(tensor.device)
        if self._own is None:
            return common
        own = torch.randn(tensor.shape, generator=self._own).to(tensor.device)
        return math.sqrt(_COMMON) * common + math.sqrt(1 - _COMMON) * own


def _as_long(noise: Tensor, change: Tensor) -> Tensor:
    """The noise, as long as the change."""
    return noise * (change.norm() / noise.norm().clamp_min(1e-12)) if noise.numel() else noise


def _deviation(refiner: Refiner, grids: Sequence[Pixels]) -> float:
    """Of what a refiner adds to the prompts' logits, over the pixels that are judged."""
    return float(torch.cat([refined_logits(refiner, one) - one.prompts for one in grids]).std())
