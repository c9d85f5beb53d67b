"""Any two prompt versions on the same corrected images: the metrics of each, and the images where they differ most."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from db.images.annotations import get_annotations, newest_per_image
from db.images.predictions import prediction_by_version, save_prediction
from db.store import Store
from db.tables.core import Annotation, Image, PromptVersion
from db.training.prompt_versions import get_version
from db.training.runs import run_behind
from engine.detector.maps import FloatMap, map_to_npy, resize_map
from engine.images.interest import Interest
from engine.images.mask_files import decode_mask
from engine.learning.comparison import HeldOut, compare, held_out, measure
from workers.errors import NotFound, TooFewCorrections
from workers.images.seen import detector_of, image_features, picture_of
from workers.scoring.engine_host import get_engine
from workers.scoring.interest import Regions
from workers.scoring.maps import read_map
from workers.training.side_by_side import side_by_side

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from engine.serving.engine import Engine

# Corrected images that are looked at; of more, those whose bytes' sha256 comes first: the same ones every time.
MOST_IMAGES = 200
SHOWN = 6


@dataclass(frozen=True)
class Difference:
    """One image as two versions see it; of each pair, the first version's comes first.

    Attributes:
        image_id: which image.
        file_name: its name.
        label: normal or anomalous, as a person said.
        difference: mean absolute difference of the two maps, 0–1.
        scores: P(anomalous).
        average_precision: of the map's pixels against the mask; None for images without one.
        picture: JPEG: the image with the mask's outline, then both maps on one scale.
    """

    image_id: int
    file_name: str
    label: str
    difference: float
    scores: tuple[float, float]
    average_precision: tuple[float, float] | None
    picture: bytes


@dataclass(frozen=True)
class VersionComparison:
    """What two versions make of the same corrections.

    Attributes:
        first: the number of the version that the other one is compared with…
        second: …and of that other one.
        images: how many were measured.
        learnt: whether there were too few that neither version had learnt from, so that all were taken: the figures
            then flatter whichever version learnt from them.
        metrics: `active` (the first), `candidate` (the second), `difference`, `interval`: as runs keep them.
        most_different: the images where the maps differ most, the most different first.
    """

    first: int
    second: int
    images: int
    learnt: bool
    metrics: dict[str, Any]
    most_different: list[Difference]


class VersionComparer:
    """Goes through the images, one at a time, and then has the result.

    Raises:
        NotFound: no such version, or one of another project.
        TooFewCorrections: no image is corrected.
        BackboneError: there is no engine.
        PromptError: a version belongs to another backbone.
    """

    def __init__(self, store: Store, first_id: int, second_id: int) -> None:
        self._store, self._engine = store, get_engine()
        with store.session(read_only=True) as session:
            self._versions = get_version(session, first_id), get_version(session, second_id)
            if self._versions[0].project_id != self._versions[1].project_id:
                raise NotFound("pair of versions of one project", f"{first_id}, {second_id}")
            self._annotations, self._learnt = _fair_annotations(session, self._versions)
        if not self._annotations:
            raise TooFewCorrections(0, 1)
        self._seen: list[tuple[Annotation, list[HeldOut], list[FloatMap]]] = []

    def __len__(self) -> int:
        """How many images it goes through."""
        return len(self._annotations)

    def __iter__(self) -> Iterator[int]:
        """Measure the images; gives how many are done."""
        for number, annotation in enumerate(self._annotations, start=1):
            mask, label = _mask(self._store, annotation), int(annotation.label == "anomalous")
            seen = [score_with(self._store, self._engine, version, annotation.image) for version in self._versions]
            interest = Regions(self._store, annotation.image.project_id).of(annotation.image)
            measured = [
                held_out(score, one, _at_map(mask, label, one), label, _counting(interest, one)) for score, one in seen
            ]
            self._seen.append((annotation, measured, [anomaly_map for _, anomaly_map in seen]))
            yield number

    def result(self) -> VersionComparison:
        """The comparison of what was gone through."""
        first, second = ([measured[which] for _, measured, _ in self._seen] for which in (0, 1))
        ranked = sorted(self._seen, key=lambda one: -_distance(one[2]))
        return VersionComparison(
            first=self._versions[0].number,
            second=self._versions[1].number,
            images=len(self._seen),
            learnt=self._learnt,
            metrics=asdict(compare(second, first, seed=0)),
            most_different=[self._difference(*one) for one in ranked[:SHOWN]],
        )

    def _difference(self, annotation: Annotation, measured: list[HeldOut], maps: list[FloatMap]) -> Difference:
        image, marked = annotation.image, annotation.mask_blob_key is not None
        precision = [float(measure([one])["pixel_ap"][0]) for one in measured] if marked else None
        return Difference(
            image_id=image.id,
            file_name=image.file_name,
            label=annotation.label,
            difference=_distance(maps),
            scores=(measured[0].score, measured[1].score),
            average_precision=(precision[0], precision[1]) if precision else None,
            picture=side_by_side(picture_of(self._store, image), _mask(self._store, annotation), maps),
        )


def compare_versions(store: Store, first_id: int, second_id: int) -> VersionComparison:
    """The whole comparison at once; see `VersionComparer` for what it raises."""
    comparer = VersionComparer(store, first_id, second_id)
    for _ in comparer:
        pass
    return comparer.result()


def score_with(store: Store, engine: "Engine", version: PromptVersion, image: Image) -> tuple[float, FloatMap]:
    """Score and map (h, w) of an image by a version: as it was kept, or else made now and kept."""
    with store.session(read_only=True) as session:
        kept = prediction_by_version(session, image.id, version.id)
    if kept is not None:
        return kept.score, read_map(store, kept)
    features, _ = image_features(store, engine, image)
    regions = Regions(store, image.project_id)
    scored = regions.within(image, engine.score([features], detector_of(store, engine, version))[0])
    data = map_to_npy(scored.anomaly_map)
    with store.clearing_up([store.blobs.put(data)]) as left, store.session() as session:
        save_prediction(
            session,
            image_id=image.id,
            prompt_version_id=version.id,
            score=scored.score,
            map_blob_key=store.keep_until_named(session, data),
            map_max=float(scored.anomaly_map.max()),
            interest_blob_key=regions.key_of(image),
            engine_settings={"backbone": engine.info.name, "image_size": engine.image_size},
            replaced=left,
        )
    return scored.score, scored.anomaly_map


def _fair_annotations(
    session: "Session", versions: tuple[PromptVersion, PromptVersion]
) -> tuple[list[Annotation], bool]:
    """The newest annotations of images that neither version learnt from; with too few of them all, and True."""
    annotations = sorted(newest_per_image(session, versions[0].project_id), key=lambda one: one.image.sha256)
    learnt = set().union(*(_learnt_from(session, version) for version in versions))
    fair = [one for one in annotations if one.image_id not in learnt]
    labels = [one.label for one in fair]
    enough = labels.count("anomalous") >= 2 and labels.count("normal") >= 1
    return (fair if enough else annotations)[:MOST_IMAGES], not enough and bool(learnt)


def _learnt_from(session: "Session", version: PromptVersion) -> set[int]:
    """Ids of the images that a version, or one that it descends from, was tuned on."""
    learnt: set[int] = set()
    ancestor: PromptVersion | None = version
    while ancestor is not None:
        run = run_behind(session, ancestor.id)
        if run is not None:
            learnt |= {one.image_id for one in get_annotations(session, list(run.training_annotation_ids))}
        ancestor = get_version(session, ancestor.parent_id) if ancestor.parent_id else None
    return learnt


def _distance(maps: list[FloatMap]) -> float:
    """Mean absolute difference; a refined map is of another size than the prompts' own."""
    return float(np.abs(maps[0] - resize_map(maps[1], *maps[0].shape)).mean())


def _mask(store: Store, annotation: Annotation) -> np.ndarray | None:
    if annotation.mask_blob_key is None:
        return None
    image = annotation.image
    return decode_mask(store.blobs.get(annotation.mask_blob_key), width=image.width, height=image.height)


def _counting(interest: Interest | None, anomaly_map: FloatMap) -> np.ndarray | None:
    return None if interest is None else interest.shares(*anomaly_map.shape)


def _at_map(mask: np.ndarray | None, label: int, anomaly_map: FloatMap) -> np.ndarray | None:
    """What is marked of each cell of a map, (h, w) of 0–1, as runs measure by it; None where nobody said where."""
    from engine.images.preprocessing import mask_shares

    if mask is None:
        return None if label else np.zeros(anomaly_map.shape, np.float32)
    return mask_shares(mask, anomaly_map.shape).numpy()
