"""A candidate before the golden set: what the version in use judges right, it may not judge wrong."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from db.images.predictions import prediction_by_version
from db.images.verdicts import judging_threshold, verdict
from db.store import Store
from db.tables.core import Annotation, PromptVersion
from db.training.golden_set import set_golden
from workers.broker import dispatch
from workers.images.seen import detector_of, image_features

if TYPE_CHECKING:
    from engine.detector.detector import Detector
    from engine.features.image_features import ImageFeatures
    from engine.serving.engine import Engine


@dataclass(frozen=True)
class JudgedWorse:
    """A golden image that the version in use judges right and the candidate wrong.

    Attributes:
        image_id: which image.
        file_name: its name.
        label: normal or anomalous, as a person said.
        score: the candidate's, 0–1.
    """

    image_id: int
    file_name: str
    label: str
    score: float


@dataclass(frozen=True)
class GoldenVerdict:
    """How a candidate did: images of the golden set, and those that it judges worse."""

    images: int
    worse: list[JudgedWorse]

    @property
    def names(self) -> list[str]:
        """Of the images that are judged worse."""
        return [one.file_name for one in self.worse]

    def as_metrics(self) -> dict[str, Any]:
        """As a run keeps it."""
        return asdict(self)


def choose_golden(store: Store, image_id: int, golden: bool) -> None:
    """Add a corrected image to the golden set, or take it out: previews and runs learn from it no more, or again.

    Raises NotFound, NotCorrected.
    """
    with store.session() as session:
        project_id = set_golden(session, image_id, golden).project_id
    dispatch.request_queue_refresh(project_id)
    dispatch.request_previews(project_id)


def judge_golden(
    store: Store,
    engine: "Engine",
    active: PromptVersion,
    candidate: "Detector",
    golden: Sequence[Annotation],
    threshold: float,
) -> GoldenVerdict:
    """Have a candidate judge the golden set.

    Args:
        store: where the images are.
        engine: scores.
        active: the version in use.
        candidate: what may take its place.
        golden: what is right of each golden image.
        threshold: of the project, on scores: from it on the candidate calls an image anomalous.

    Raises:
        BlobMissing: an image's file is gone.
    """
    worse = []
    for annotation in golden:
        image = annotation.image
        features, _ = image_features(store, engine, image)
        score = engine.score([features], candidate)[0].score
        if (score >= threshold) == (annotation.label == "anomalous"):
            continue
        if _verdict_in_use(store, engine, active, annotation, features) == annotation.label:
            worse.append(JudgedWorse(image.id, image.file_name, annotation.label, score))
    return GoldenVerdict(len(golden), worse)


def _verdict_in_use(
    store: Store, engine: "Engine", active: PromptVersion, annotation: Annotation, features: "ImageFeatures"
) -> str | None:
    """What people see of the image now; where it is not scored yet, what they would see. None: it is not judged."""
    with store.session(read_only=True) as session:
        threshold = judging_threshold(session, active.id)
        prediction = prediction_by_version(session, annotation.image_id, active.id)
    if prediction is not None:
        return verdict(prediction, threshold)
    if threshold is None:
        return None
    score = engine.score([features], detector_of(store, engine, active))[0].score
    return "anomalous" if score >= threshold else "normal"
