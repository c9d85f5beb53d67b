"""What the corrections so far make of images, in a moment: a detector that nobody has judged, to look at and no more.

It has one small refiner over the prompts of the root and an image head, fitted once on some of the corrections. What
goes into service is fitted on all of them, and judged out of fold (fitting.py).
"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from engine.detector.detector import Detector
from engine.detector.image_head import ImageHead
from engine.detector.maps import FloatMap
from engine.detector.refiner import Views
from engine.learning.corrections import Correction, Fold, judging_folds, seen_by
from engine.learning.out_of_fold import ImageVoices, RefinedOutOfFold, best_outline
from engine.learning.pixels import Pixels, has_marked, seen_pixels
from engine.learning.refining import fit_refiners
from engine.learning.views import find_views
from engine.serving.engine import Engine

# Corrections that are learnt from, and pixels of all of them together.
MOST_CORRECTIONS = 24
_PIXELS = 24_000
# Half of the refined map, half of the prompts': what few corrections say is not followed all the way.
_SHARE = 0.5


def preview_detector(
    engine: Engine, root: Detector, corrections: Sequence[Correction], seed: int = 0
) -> Detector | None:
    """Fit a detector to the newest corrections.

    Args:
        engine: scores; encodes nothing here.
        root: where learning starts: prompts that no run has touched.
        corrections: the newest first; at most `MOST_CORRECTIONS` are taken, as evenly normal and anomalous as can be.
        seed: of everything random.

    Returns:
        the detector; None where no correction marks a defect: then there is nothing to learn where to look.
    """
    chosen = seen_by(root, balanced(corrections))
    if not any(one.marked is not None and bool(one.marked.any()) for one in chosen):
        return None
    return _Preview(engine, root.prompts_alone(), chosen, seed).detector()


def balanced(corrections: Sequence[Correction], most: int = MOST_CORRECTIONS) -> list[Correction]:
    """At most so many of the corrections, in their order, as evenly normal and anomalous as can be."""
    sides = ([one for one in corrections if not one.label], [one for one in corrections if one.label])
    least = min(len(side) for side in sides)
    room = max(most // 2, most - least)
    taken = {one.key for side in sides for one in side[:room]}
    return [one for one in corrections if one.key in taken][:most]


class _Preview:
    def __init__(self, engine: Engine, root: Detector, corrections: list[Correction], seed: int) -> None:
        self.root, self.corrections, self.seed = root, corrections, seed
        self.at_first = engine.score([one.features for one in corrections], root)

    def detector(self) -> Detector | None:
        """The root's prompts with a refiner and an image head; None where no pixel teaches anything."""
        views = find_views(self.corrections, self.seed)
        learnt, grids = self._pixels(views)
        if not has_marked(learnt, range(len(learnt))):
            return None
        refiner = replace(fit_refiners(views, learnt, [range(len(learnt))], self.seed)[0], share=_SHARE)
        # Maps of images that it has learnt from: they flatter, and are good enough to say where outlines belong.
        everything = tuple(range(len(self.corrections)))
        seen = RefinedOutOfFold(self.corrections, [Fold(everything, everything)], [refiner], grids)
        refiner = replace(refiner, offset=-best_outline(self.corrections, seen.maps(refiner)) / _SHARE)
        return replace(self.root, refiner=refiner, image_head=self._image_head(seen.maps(refiner)))

    def _pixels(self, views: Views) -> tuple[list[Pixels], list[Pixels]]:
        """Of each correction the pixels to learn from, where there are some, and the grid of those to judge."""
        generator = torch.Generator().manual_seed(self.seed)
        count = max(400, _PIXELS // len(self.corrections))
        maps = [one.anomaly_map for one in self.at_first]
        seen = list(seen_pixels(self.corrections, views, maps, count, generator))
        return [some for some, _ in seen if some is not None], [grid for _, grid in seen]

    def _image_head(self, maps: Sequence[FloatMap]) -> ImageHead | None:
        """None where there are too few images of both labels to tell what speaks for one."""
        folds = judging_folds(self.corrections)
        return ImageVoices(self.corrections, folds, self.at_first, maps, self.seed).head() if folds else None
