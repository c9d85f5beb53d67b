"""From corrections to a candidate: every part fitted, each judged out of fold, the best of them put together.

Each run learns from all corrections and from the root (the prompts that were shipped or imported), never from another
run's result: no version inherits another one's drift.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import torch

from engine.detector.detector import Detector, Said
from engine.detector.maps import FloatMap
from engine.detector.refiner import Refiner
from engine.features.image_features import ImageFeatures
from engine.learning.claiming import expected
from engine.learning.comparison import Comparison, Reference, compare_with
from engine.learning.corrections import IMAGE_FOLDS, Correction, judging_folds, seen_by
from engine.learning.deciding import Decision, Offer, choose
from engine.learning.heading import fit_heads
from engine.learning.operating import OperatingPoint, keep_meaning
from engine.learning.out_of_fold import ImageVoices, RefinedOutOfFold, image_auroc, judged, on_grid, said_by
from engine.learning.pixels import Pixels, has_marked, seen_pixels
from engine.learning.prompting import Losses, tune_prompts
from engine.learning.refining import fit_refiners
from engine.learning.side_by_side import side_by_side
from engine.learning.views import find_views
from engine.serving.engine import Engine

# Images of each label below which no image head is served, and from which one that is as good as the prompts is.
_FEWEST, _ENOUGH = 2, 5
# Pixels that are learnt from, of all corrections together.
_PIXELS = 60_000


class Unfit(ValueError):
    """There is nothing to learn from; the message says what is missing."""


@dataclass(frozen=True)
class Config:
    """How a run learns.

    Attributes:
        epochs: steps of prompt tuning, each over all corrections.
        seed: of everything random.
        threshold: of the project, on scores; what it means is kept.
        threshold_is_chosen: whether a person set it; else it is put where it parts normal from anomalous best.
        prompts_only: the paper's method alone.
    """

    epochs: int = 30
    seed: int = 0
    threshold: float = 0.5
    threshold_is_chosen: bool = False
    prompts_only: bool = False


@dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes:
        share: done, 0–1.
        stage: one line for people.
        losses: one dict a step of prompt tuning: fold (−1: all corrections), epoch and the terms of the loss.
        judging: true while corrections are judged.
    """

    share: float
    stage: str
    losses: list[Losses]
    judging: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Attributes:
        detector: the candidate.
        decision: whether it goes into service, and why.
        offers: what was offered, by name, each with its figures out of fold; the one in service is `active`.
        comparison: the candidate against the active one, as it is to be expected on images that nobody corrected; None
            where there was nothing to judge on.
        operating_point: what the threshold does, before and after; None as above.
        losses: of prompt tuning.
    """

    detector: Detector
    decision: Decision
    offers: list[Offer]
    comparison: Comparison | None
    operating_point: OperatingPoint | None
    losses: list[Losses] = field(default_factory=list)


def learn(
    engine: Engine,
    root: Detector,
    active: Detector,
    corrections: Sequence[Correction],
    config: Config,
    report: Callable[[Progress], None] = lambda progress: None,
    unlabelled: Sequence[ImageFeatures] = (),
) -> Outcome:
    """Fit, judge and decide.

    Args:
        engine: scores; encodes nothing here.
        root: where learning starts: prompts that no run has touched.
        active: what is in service.
        corrections: all of the project's.
        config: how.
        report: called after every stage; what it raises ends the work.
        unlabelled: features of images of the project that nobody has said anything of: what is rare among them.

    Raises:
        Unfit: no correction, or only images called anomalous without a mask.
    """
    if not any(not one.label or one.marked is not None for one in corrections):
        raise Unfit(
            "There is nothing to learn from: no image is called normal, and none has its defect marked. "
            "Mark what is wrong on one image at least."
        )
    seen = seen_by(root, corrections)
    return _Run(engine, root.prompts_alone(), active, seen, config, report, unlabelled).carry_out()


class _Run:
    def __init__(
        self,
        engine: Engine,
        root: Detector,
        active: Detector,
        corrections: list[Correction],
        config: Config,
        report: Callable[[Progress], None],
        unlabelled: Sequence[ImageFeatures],
    ) -> None:
        self.engine, self.root, self.active, self.corrections = engine, root, active, corrections
        self.config, self.report_to, self.unlabelled = config, report, unlabelled
        self.folds = judging_folds(corrections)
        self.at_first = engine.score([one.features for one in corrections], root)
        self.losses: list[Losses] = []

    def carry_out(self) -> Outcome:
        candidates = [self._with_prompts()]
        if not self.config.prompts_only:
            candidates += [self._with_heads(), self._with_pixels()]
        self._report(0.9, "comparing with what is in service", judging=True)
        return self._conclude(candidates)

    def _report(self, share: float, stage: str, *, judging: bool = False) -> None:
        self.report_to(Progress(share, stage, list(self.losses), judging))

    def _with_prompts(self) -> "_Candidate":
        """Prompts tuned, in each fold and on all."""
        everything = range(len(self.corrections))
        parts = [(number, fold.training) for number, fold in enumerate(self.folds)] + [(-1, tuple(everything))]
        detectors = []
        tuned = side_by_side([partial(self._tune, number, positions) for number, positions in parts])
        for done, (detector, losses) in enumerate(tuned, start=1):
            detectors.append(detector)
            self.losses += losses
            self._report(0.3 * done / len(parts), f"tuning prompts, part {done} of {len(parts)}")
        return _Candidate("prompts", detectors[-1], self._out_of_fold(detectors[:-1]))

    def _tune(self, part: int, positions: Sequence[int]) -> tuple[Detector, list[Losses]]:
        """The prompts of a part, and the losses of its steps."""
        losses: list[Losses] = []
        prompts = tune_prompts(
            self.engine.backbone,
            self.root.prompts,
            [self.corrections[i] for i in positions],
            steps=self.config.epochs,
            seed=self.config.seed,
            report=lambda step, terms: losses.append({"fold": part, "epoch": step, **terms}),
        )
        return self.engine.detector_of(prompts), losses

    def _with_heads(self) -> "_Candidate":
        """Heads fitted, in each fold and on all."""
        text, seed = self.root.text_features, self.config.seed
        parts = [*(fold.training for fold in self.folds), range(len(self.corrections))]
        fits = [partial(fit_heads, [self.corrections[i] for i in positions], text, seed) for positions in parts]
        detectors = []
        for done, heads in enumerate(side_by_side(fits), start=1):
            detectors.append(replace(self.root, heads=heads))
            self._report(0.3 + 0.15 * done / len(parts), f"fitting heads, part {done} of {len(parts)}")
        return _Candidate("heads", detectors[-1], self._out_of_fold(detectors[:-1]))

    def _out_of_fold(self, detectors: Sequence[Detector]) -> list[Said]:
        """What each fold's detector says of the corrections that it has not seen, in their order."""
        said: dict[int, Said] = {}
        for fold, detector in zip(self.folds, detectors, strict=True):
            said |= dict(zip(fold.judged, said_by(detector, [self.corrections[i] for i in fold.judged]), strict=True))
        return [said[i] for i in sorted(said)]

    def _with_pixels(self) -> "_Candidate":
        """A refiner, where masks say what is anomalous and what is normal, and an image head."""
        refiner, maps = self._refiner()
        name = "image head" if refiner is None else "refiner"
        self._report(0.85, "judging images out of fold", judging=True)
        folds = judging_folds(self.corrections, IMAGE_FOLDS)
        voices = ImageVoices(self.corrections, folds, self.at_first, maps, self.config.seed)
        detector = replace(self.root, refiner=refiner)
        if not self.folds:
            return _Candidate(name, replace(detector, image_head=voices.head()), [])
        said = voices.said(maps)
        by_prompts = [Said(one.score, found) for one, found in zip(self.at_first, maps, strict=True)]
        if self._tells_better(said, by_prompts):
            return _Candidate(name, replace(detector, image_head=voices.head()), said)
        return _Candidate(name, detector, by_prompts)

    def _tells_better(self, said: list[Said], by_prompts: list[Said]) -> bool:
        """Whether the image head parts images better than the prompts' score, or as well, on enough of each label."""
        ours, theirs = image_auroc(self.corrections, said), image_auroc(self.corrections, by_prompts)
        anomalous = sum(one.label for one in self.corrections)
        fewest = min(anomalous, len(self.corrections) - anomalous)
        return fewest >= _FEWEST and (ours > theirs or (ours == theirs and fewest >= _ENOUGH))

    def _refiner(self) -> tuple[Refiner | None, list[FloatMap]]:
        """The refiner, and on the judged grid maps that were made without having learnt from their images."""
        if all(one.marked is None for one in self.corrections if one.label):
            return None, [on_grid(s.anomaly_map, one) for s, one in zip(self.at_first, self.corrections, strict=True)]
        learnt, grids = self._pixels()
        usable = [i for i, one in enumerate(learnt) if one is not None]
        pixels = [one for one in learnt if one is not None]
        place = {position: number for number, position in enumerate(usable)}
        fits = [[place[i] for i in fold.training if i in place] for fold in self.folds]
        # All in one batch, the one for service last, which learns from every correction. Where a fold's training
        # shows nothing anomalous there is nothing to fit, and its corrections are judged by the prompts' own maps.
        learnable = [some for some in fits if has_marked(pixels, some)]
        *fitted, final = fit_refiners(self.views, pixels, [*learnable, range(len(pixels))], self.config.seed)
        coming = iter(fitted)
        by_fold = [next(coming) if has_marked(pixels, some) else None for some in fits]
        self._report(0.75, "judging the refiner out of fold", judging=True)
        held_out = RefinedOutOfFold(self.corrections, self.folds, by_fold, grids)
        final = held_out.with_share(final)
        if self.folds:
            return final, held_out.maps(final)
        scored = zip(self.corrections, self.at_first, strict=True)
        return final, [on_grid(final.refine(one.features, s.anomaly_map), one) for one, s in scored]

    def _pixels(self) -> tuple[list[Pixels | None], list[Pixels]]:
        self.views = find_views(self.corrections, self.config.seed, self.unlabelled)
        generator = torch.Generator().manual_seed(self.config.seed)
        count = min(4000, max(400, _PIXELS // len(self.corrections)))
        maps = [one.anomaly_map for one in self.at_first]
        learnt, grids = [], []
        seen = seen_pixels(self.corrections, self.views, maps, count, generator)
        for number, (some, grid) in enumerate(seen, start=1):
            learnt.append(some)
            grids.append(grid)
            if number % 8 == 0:
                share = 0.45 + 0.2 * number / len(maps)
                self._report(share, f"looking at pixels, {number} of {len(maps)} images")
        return learnt, grids

    def _conclude(self, candidates: "list[_Candidate]") -> Outcome:
        if not self.folds:
            decision, offers = choose({}, corrections=len(self.corrections), fewest=0)
            return Outcome(candidates[-1].detector, decision, offers, None, None, self.losses)
        active = self._active_said()
        against = Reference.of(judged(self.corrections, active), self.config.seed)
        compared = [partial(compare_with, against, judged(self.corrections, one.said)) for one in candidates]
        comparisons = dict(zip((one.name for one in candidates), side_by_side(compared), strict=True))
        refit = [one.name for one in candidates if self._is_refit(one.detector)]
        anomalous = sum(one.label for one in self.corrections)
        fewest = min(anomalous, len(self.corrections) - anomalous)
        decision, offers = choose(comparisons, corrections=len(self.corrections), fewest=fewest, refit=refit)
        chosen = next((one for one in candidates if one.name == decision.chosen), candidates[-1])
        meaning = (self.config.threshold, self.config.threshold_is_chosen)
        detector, point, said = keep_meaning(chosen.detector, chosen.said, active, self.corrections, *meaning)
        kept = {one.key: what for one, what in zip(self.corrections, said, strict=True)}
        claimed = expected(comparisons[chosen.name])
        return Outcome(replace(detector, said=kept), decision, offers, claimed, point, self.losses)

    def _is_refit(self, detector: Detector) -> bool:
        """Whether it learnt pixels or images as what is in service did, from fewer corrections."""
        patches_alone = {"prompts", "heads"}
        before, now = set(self.active.parts) - patches_alone, set(detector.parts) - patches_alone
        return bool(self.active.said and before) and now >= before

    def _active_said(self) -> list[Said]:
        """What the active one says of each correction: out of fold where it has learnt from it."""
        new = [one for one in self.corrections if one.key not in self.active.said]
        fresh = dict(zip((one.key for one in new), said_by(self.active, new), strict=True))
        return [fresh.get(one.key) or self.active.said[one.key] for one in self.corrections]


@dataclass(frozen=True)
class _Candidate:
    """A detector fitted on all corrections, and what its like said of each out of fold."""

    name: str
    detector: Detector
    said: list[Said]
