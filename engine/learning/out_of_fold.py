"""What was said of each correction by a fit that had not seen it: maps, scores, and what they are worth."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.detector.detector import Detector, Said, Scored
from engine.detector.image_head import ImageHead, logit, map_logit
from engine.detector.maps import FloatMap, resize_map
from engine.detector.refiner import Refiner, mixed
from engine.features.image_features import surface_of
from engine.learning.comparison import BINS, HeldOut, held_out, least_logit, logit_bins, measure
from engine.learning.corrections import Correction, Fold, group_numbers
from engine.learning.pixels import STRIDE, Pixels
from engine.learning.refining import refined_logits
from engine.learning.scoring_images import describe, fit_direction, fit_image_head, said_of_features, voice_weights
from engine.learning.side_by_side import side_by_side

# The share of the refined map that is served unless another one is better…
USUAL_SHARE = 0.5
OTHER_SHARES = (0.25, 0.75, 1.0)
# …by so much, on average over the pixel metrics.
_BETTER = 0.004
# A pixel AUROC below the prompts' own costs so many times what it falls: nothing served may lose what they find.
_LOSS_WEIGHS = 2.0
_PIXEL_METRICS = ("pixel_auroc", "pixel_ap", "within_auroc", "within_ap")


def said_by(detector: Detector, corrections: Sequence[Correction]) -> list[Said]:
    """What a detector says of corrections, on the grid that is judged."""
    scored = detector.score([one.features for one in corrections]) if corrections else []
    return [Said(s.score, on_grid(s.anomaly_map, one)) for s, one in zip(scored, corrections, strict=True)]


def on_grid(anomaly_map: FloatMap, correction: Correction) -> FloatMap:
    """A map on the grid that is judged: every second pixel of the surface, down and across."""
    full = resize_map(anomaly_map, *surface_of(correction.features).pixels.shape[:2])
    return full[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE]


def judged(corrections: Sequence[Correction], said: Sequence[Said]) -> list[HeldOut]:
    """What the metrics need of each."""
    return [
        held_out(s.score, s.anomaly_map, _marked(one), one.label, _counting(one))
        for one, s in zip(corrections, said, strict=True)
    ]


def _counting(correction: Correction) -> np.ndarray | None:
    """(h/2, w/2) shares of area that count; None: all of it does."""
    return None if correction.counting is None else F.avg_pool2d(correction.counting[None], STRIDE)[0].numpy()


def _marked(correction: Correction) -> np.ndarray | None:
    """(h/2, w/2) shares of area; None where an image is called anomalous and nobody said where."""
    if correction.marked is None:
        return None if correction.label else np.zeros(_grid_size(correction), np.float32)
    return F.avg_pool2d(correction.marked[None], STRIDE)[0].numpy()


class RefinedOutOfFold:
    """The refined maps of corrections, each by a refiner that had not seen it.

    Args:
        corrections: all of them.
        folds: in which they are judged; none: nothing is judged.
        refiners: one a fold; None: it had nothing to learn from, and the prompts' own maps are judged.
        grids: of each correction the pixels that are judged.
    """

    def __init__(
        self,
        corrections: Sequence[Correction],
        folds: Sequence[Fold],
        refiners: Sequence[Refiner | None],
        grids: Sequence[Pixels],
    ) -> None:
        self._corrections, self._grids = corrections, grids
        by_position = {i: refiner for fold, refiner in zip(folds, refiners, strict=True) for i in fold.judged}
        works = [partial(_refined, by_position[i], grids[i]) for i in sorted(by_position)]
        self._refined = list(side_by_side(works)) if works else []

    def with_share(self, refiner: Refiner) -> Refiner:
        """The refiner with the share that is best out of fold, and with its outlines at 0.5."""
        if not self._refined:
            return replace(refiner, share=USUAL_SHARE)
        shares = (0.0, USUAL_SHARE, *OTHER_SHARES)
        unrefined, *metrics = side_by_side([partial(self._measured, replace(refiner, share=one)) for one in shares])
        worth = {share: _worth(found, unrefined) for share, found in zip(shares[1:], metrics, strict=True)}
        best = max(worth, key=lambda share: worth[share])
        best = best if worth[best] > worth[USUAL_SHARE] + _BETTER else USUAL_SHARE
        refiner = replace(refiner, share=best)
        return replace(refiner, offset=-best_outline(self._corrections, self.maps(refiner)) / best)

    def maps(self, refiner: Refiner) -> list[FloatMap]:
        """Maps on the judged grid with the share and offset of a refiner."""
        sizes = [_grid_size(one) for one in self._corrections]
        return [
            mixed(grid.prompts, refined, refiner.share, refiner.offset).view(size).numpy()
            for grid, refined, size in zip(self._grids, self._refined, sizes, strict=True)
        ]

    def _measured(self, refiner: Refiner) -> dict[str, float]:
        """Metrics of the maps."""
        found = measure(judged(self._corrections, [Said(0.0, one) for one in self.maps(refiner)]))
        return {name: float(value[0]) for name, value in found.items()}


def _refined(refiner: Refiner | None, grid: Pixels) -> Tensor:
    return grid.prompts if refiner is None else refined_logits(refiner, grid)


def _worth(refined: dict[str, float], unrefined: dict[str, float]) -> float:
    loss = np.nanmax([0.0, unrefined["pixel_auroc"] - refined["pixel_auroc"]])
    return float(np.nanmean([refined[name] for name in _PIXEL_METRICS]) - _LOSS_WEIGHS * loss)


def best_outline(corrections: Sequence[Correction], maps: Sequence[FloatMap]) -> float:
    """The logit at which maps on the judged grid outline the masks best: the largest dice over all their pixels."""
    known = [
        (found, marked) for found, one in zip(maps, corrections, strict=True) if (marked := _marked(one)) is not None
    ]
    pixels, inside = np.zeros(BINS), np.zeros(BINS)
    for found, marked in known:
        bins = logit_bins(found.ravel())
        pixels += np.bincount(bins, minlength=BINS)
        inside += np.bincount(bins, marked.ravel(), minlength=BINS)
    dice = 2 * inside.cumsum() / (pixels.cumsum() + inside.sum())
    return least_logit(int(dice.argmax()))


def _grid_size(correction: Correction) -> tuple[int, int]:
    height, width = surface_of(correction.features).pixels.shape[:2]
    return height // STRIDE, width // STRIDE


class ImageVoices:
    """What speaks for an image: the prompts' score, the map, its features as a whole; each said out of fold.

    Args:
        corrections: all of them.
        folds: in which they are judged; may be none.
        at_first: what the prompts say.
        maps: on the judged grid.
        seed: of everything random.
    """

    def __init__(
        self,
        corrections: Sequence[Correction],
        folds: Sequence[Fold],
        at_first: Sequence[Scored],
        maps: Sequence[FloatMap],
        seed: int,
    ) -> None:
        self._corrections, self._folds = corrections, folds
        self._labels = torch.tensor([float(one.label) for one in corrections])
        self._described = describe(corrections)
        self._voices = torch.zeros(len(corrections), 3)
        self._voices[:, 0] = torch.tensor([logit(one.score) for one in at_first])
        self._voices[:, 1] = torch.tensor([map_logit(one) for one in maps])
        self._voices[:, 2] = said_of_features(self._described, self._labels, group_numbers(corrections), seed)

    def head(self) -> ImageHead:
        """The image head to serve."""
        return fit_image_head(fit_direction(self._described, self._labels), self._voices, self._labels)

    def said(self, maps: Sequence[FloatMap]) -> list[Said]:
        """Score and map of each correction, with weights of the voices by a fit that has not seen it.

        All folds share one centre: else the folds' own would be told apart, not the images.
        """
        _, centre = voice_weights(self._voices, self._labels)
        said: dict[int, Said] = {}
        for fold in self._folds:
            training = list(fold.training)
            weights = voice_weights(self._voices[training], self._labels[training])[0]
            for i in fold.judged:
                said[i] = Said(float(((self._voices[i] - centre) @ weights).sigmoid()), maps[i])
        return [said[i] for i in sorted(said)]


def image_auroc(corrections: Sequence[Correction], said: Sequence[Said]) -> float:
    """Of the scores; 0 where all images have one label."""
    value = float(measure(judged(corrections, said))["image_auroc"][0])
    return 0.0 if np.isnan(value) else value
