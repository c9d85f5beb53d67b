"""What is learnt from some of a class's images, measured on those that were never corrected.

Rows are the detector before any correction, and for each number of corrections what the product would then serve, a
linear probe on patch features, and a memory of normal patches.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from engine.detector.detector import Detector, Scored
from engine.detector.others import IMAGES
from engine.errors import EngineError
from engine.evaluation.baselines.corrected import LinearProbe, NormalMemory
from engine.evaluation.datasets.item import LabelledImage
from engine.evaluation.evaluate import Bench, evaluate_class
from engine.evaluation.evaluated_sets import EvaluatedSet
from engine.evaluation.reporting.parts import Parts, describe_files
from engine.evaluation.reporting.results import METRICS, ClassResult
from engine.evaluation.reporting.tables import Outcome
from engine.features.encoders import Encoder
from engine.features.image_features import ImageFeatures
from engine.learning.corrected_files import order_of_corrections, read_correction
from engine.learning.corrections import Correction
from engine.learning.fitting import Config, Unfit, learn
from engine.serving.engine import Engine

LEARNERS = ("detector", "linear probe", "memory of normal patches")
# At least so large a share of a class's images is never corrected.
_JUDGED = 1 / 3
# Grows with each change of how detectors are learnt: finished parts of an evaluation are of one way alone.
_LEARNING_VERSION = 2
Score = Callable[[ImageFeatures], Scored]


@dataclass(frozen=True)
class Plan:
    """How much is corrected.

    Attributes:
        counts: numbers of corrections.
        seeds: of the order in which images are corrected, and of the fits.
    """

    counts: tuple[int, ...] = (5, 20, 40)
    seeds: tuple[int, ...] = (0,)

    def counts_of(self, images: int) -> list[int]:
        """Those that leave enough of so many images to measure on."""
        return [count for count in sorted(self.counts) if count <= (1 - _JUDGED) * images]


@dataclass
class Learnt:
    """A method that was learnt from corrections."""

    name: str
    key: str
    encoder: Encoder
    scored: Score

    def score(self, features: ImageFeatures, class_name: str) -> Scored:
        """Score one image, whatever its class."""
        return self.scored(features)


class CorrectedEvaluation:
    """Learns from corrections and measures on the rest, class by class.

    Args:
        engine: with the backbone to use. Images are seen in their own proportions here, as the product sees them.
        detector: in service before the first correction, of prompts alone.
        bench: resolution, cache and folders.
        parts: finished results.
        plan: how much is corrected.
        say: is told what each run decided.
    """

    def __init__(
        self, engine: Engine, detector: Detector, bench: Bench, parts: Parts, plan: Plan, say: Callable[[str], None]
    ) -> None:
        self.engine = Engine(
            engine.backbone,
            image_size=engine.image_size,
            cache_folder=bench.cache,
            cache_bytes=bench.cache_bytes,
            decoder=bench.decoder,
        )
        self.detector, self.bench, self.parts, self.plan, self.say = detector, bench, parts, plan, say
        self.encoder = Encoder(self.engine.features_key, partial(self.engine.encode, surface=True))

    def outcomes(self, one: EvaluatedSet) -> list[Outcome]:
        """A row for each learner and number of corrections."""
        found: dict[str, list[ClassResult]] = {}
        problems = list(one.problems)
        for name, images in one.classes.items():
            counts = self.plan.counts_of(len(images))
            if left := [count for count in self.plan.counts if count not in counts]:
                problems.append(
                    f"Class {name} has {len(images)} images: too few to measure on after "
                    f"{' or '.join(map(str, left))} corrections, which are left out."
                )
            for title, result in self._of_class(one, images, counts):
                found.setdefault(title, []).append(result)
        return [Outcome(one.data_set.name, one.root.resolve().name, *row, problems) for row in found.items()]

    def _of_class(
        self, one: EvaluatedSet, images: Sequence[LabelledImage], counts: Sequence[int]
    ) -> Iterator[tuple[str, ClassResult]]:
        """Title and result of each row, over all seeds."""
        fits: dict[str, list[ClassResult]] = {}
        for seed in self.plan.seeds if counts else ():
            order = [images[i] for i in order_of_corrections([image.label for image in images], seed)]
            judged = order[counts[-1] :]
            for count in (0, *counts):
                fitting = _Fitting(self.engine, self.detector, order[:count], judged, seed)
                for learner in LEARNERS if count else LEARNERS[:1]:
                    title = f"{learner}, {count} corrections" if count else "detector, zero-shot"
                    fits.setdefault(title, []).append(self._measured(one, learner, title, fitting, judged))
        yield from ((title, _mean(some)) for title, some in fits.items())

    def _measured(
        self, one: EvaluatedSet, learner: str, title: str, fitting: "_Fitting", judged: Sequence[LabelledImage]
    ) -> ClassResult:
        key = "\n".join(
            (f"{learner} {_LEARNING_VERSION} {fitting.seed}", fitting.key, self.encoder.key,
             f"{self.bench.image_size} {one.has_masks}", str(one.root.resolve()), describe_files(judged))
        )  # fmt: skip
        result = self.parts.get(key)
        if result is None:
            result = self._measure(one, learner, key, fitting, judged)
            self.parts.put(key, result)
        for fit in result.fits:
            self.say(f"{result.class_name}, seed {fit['seed']}, {title}: {fit['decision']}")
        return result

    def _measure(
        self, one: EvaluatedSet, learner: str, key: str, fitting: "_Fitting", judged: Sequence[LabelledImage]
    ) -> ClassResult:
        score, decision = fitting.learnt(learner)
        fit = {"seed": fitting.seed, "decision": decision}
        if score is None:
            return ClassResult(judged[0].class_name, dict.fromkeys(METRICS), [], fitting.problems, fits=[fit])
        method = Learnt(learner, key, self.encoder, score)
        result = evaluate_class(method, judged, self.bench, root=one.root, has_masks=one.has_masks)
        rows = [{**row, "seed": fitting.seed} for row in result.images]
        problems = [*fitting.problems, *result.problems]
        return replace(result, images=rows, problems=problems, fits=[{**fit, "metrics": result.metrics}])


class _Fitting:
    """Learns from some corrections, which are read when they are first needed.

    Args:
        engine: as the product has it.
        detector: in service before.
        images: that are corrected…
        others: …and those that are not: nothing but what is usual among them is learnt from these.
        seed: of everything random.
    """

    def __init__(
        self,
        engine: Engine,
        detector: Detector,
        images: Sequence[LabelledImage],
        others: Sequence[LabelledImage],
        seed: int,
    ) -> None:
        self.engine, self.detector, self.images, self.others, self.seed = engine, detector, images, others, seed
        self.problems: list[str] = []

    @property
    def key(self) -> str:
        """Names all that what is learnt depends on."""
        prompts = self.detector.text_features.cpu().numpy().tobytes().hex()
        return json.dumps([prompts, describe_files(self.images)])

    @cached_property
    def corrections(self) -> list[Correction]:
        """Those that can be read; the others become problems."""
        found = []
        for one in self.images:
            try:
                found.append(read_correction(self.engine, one))
            except (OSError, EngineError) as error:
                self.problems.append(f"{one.image}: {error} Nothing is learnt from it.")
        return found

    def _unlabelled(self) -> list[ImageFeatures]:
        """Features of some of the others; that one can't be read is said when it is measured."""
        found = []
        for one in self.others[:IMAGES]:
            with suppress(OSError, EngineError):
                found.append(read_correction(self.engine, replace(one, mask=None)).features)
        return found

    def learnt(self, learner: str) -> tuple[Score | None, str]:
        """What scores images, None where nothing could be learnt; and what was decided, or why not."""
        if not self.images:
            return self._with(self.detector), "as it is before any correction"
        try:
            if learner == "detector":
                return self._detector()
            kind = LinearProbe if learner == "linear probe" else NormalMemory
            return kind(self.corrections, self.seed).score, f"learnt from {len(self.corrections)} corrections"
        except EngineError as error:
            return None, str(error)

    def _detector(self) -> tuple[Score, str]:
        try:
            outcome = learn(
                self.engine,
                self.detector,
                self.detector,
                self.corrections,
                Config(seed=self.seed),
                unlabelled=self._unlabelled(),
            )
        except Unfit as reason:
            return self._with(self.detector), str(reason)
        served = outcome.detector if outcome.decision.promote else self.detector
        return self._with(served), outcome.decision.sentence

    def _with(self, detector: Detector) -> Score:
        return lambda features: self.engine.score([features], detector)[0]


def _mean(results: Sequence[ClassResult]) -> ClassResult:
    """One result of several seeds: the mean of each metric over those that define it; pictures of the first."""
    first = results[0]
    metrics: dict[str, float | None] = {}
    for name in METRICS:
        values = [value for one in results if (value := one.metrics[name]) is not None]
        metrics[name] = float(np.mean(values)) if values else None
    return ClassResult(
        first.class_name,
        metrics,
        [row for one in results for row in one.images],
        list(dict.fromkeys(problem for one in results for problem in one.problems)),
        first.panels,
        [fit for one in results for fit in one.fits],
    )
