"""A candidate before the golden set: what the version in use judges right, it may not judge wrong."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from db.images.predictions import prediction_by_version
from db.images.region_facts import judged_by_regions
from db.images.verdicts import Criterion, criterion, verdict
from db.store import Store
from db.tables.core import Annotation, Image, Prediction, PromptVersion
from db.training.golden_set import set_golden
from engine.detector.interest import within
from workers.broker import dispatch
from workers.images.seen import detector_of, image_features
from workers.scoring.interest import Regions
from workers.scoring.regions import region_columns

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
    by: Criterion,
) -> GoldenVerdict:
    """Have a candidate judge the golden set.

    Args:
        store: where the images are.
        engine: scores.
        active: the version in use.
        candidate: what may take its place.
        golden: what is right of each golden image.
        by: what the candidate's verdicts are by.

    Raises:
        BlobMissing: an image's file is gone.
    """
    judges = _Judges(store, engine, active)
    worse = []
    for annotation in golden:
        image = annotation.image
        features, _ = image_features(store, engine, image)
        by_candidate = judges.seen(candidate, image, features, by)
        if verdict(by_candidate, by) == annotation.label:
            continue
        if judges.verdict_in_use(image, features) == annotation.label:
            worse.append(JudgedWorse(image.id, image.file_name, annotation.label, by_candidate.score))
    return GoldenVerdict(len(golden), worse)


class _Judges:
    """What the version in use, and others, say of images, by the project's rule and within its regions."""

    def __init__(self, store: Store, engine: "Engine", active: PromptVersion) -> None:
        self._store, self._engine, self._active = store, engine, active
        self._regions = Regions(store, active.project_id)
        with store.session(read_only=True) as session:
            self._by = criterion(session, active.id)

    def seen(self, detector: "Detector", image: Image, features: "ImageFeatures", by: Criterion) -> Prediction:
        """A prediction that nobody keeps."""
        [whole] = self._engine.score([features], detector)
        interest = self._regions.of(image)
        scored = within(whole, interest)
        columns = region_columns(by.regions, scored.anomaly_map, image.height, image.width, interest)
        return Prediction(score=scored.score, **judged_by_regions(by.regions, **columns))

    def verdict_in_use(self, image: Image, features: "ImageFeatures") -> str | None:
        """What people see of the image now; where it is not scored yet, what they would see. None: it isn't judged."""
        with self._store.session(read_only=True) as session:
            prediction = prediction_by_version(session, image.id, self._active.id)
        if prediction is None:
            detector = detector_of(self._store, self._engine, self._active)
            prediction = self.seen(detector, image, features, self._by)
        return verdict(prediction, self._by)
