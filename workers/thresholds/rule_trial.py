"""A verdict rule tried on all images of a project before it is saved: what would be called otherwise than it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from db.errors import BlobMissing
from db.images.exports import all_rows
from db.images.region_facts import judged_by_regions, kept_areas
from db.images.rows import ImageRow, active_version_id
from db.images.verdicts import Criterion, criterion, criterion_by, is_first_visit, verdict
from db.projects.projects import get_project, with_changes
from db.store import Store
from db.tables.core import Image, Prediction
from workers.errors import NotReady
from workers.scoring.regions import areas_of

Verdict = Literal["normal", "anomalous"] | None
# The settings that verdicts go by, and that can be tried together.
TRIED = ("verdict_rule", "map_threshold", "threshold")
# Of the images that would be called otherwise, so many each way are named: corrected ones first, then the newest.
_NAMED = 12


@dataclass
class Tally:
    """Verdicts counted, and those that people contradict.

    Attributes:
        normal: images that are called normal.
        anomalous: images that are called anomalous.
        unjudged: images that are not judged yet.
        false_alarms: those called anomalous that people called normal.
        misses: those called normal that people called anomalous.
    """

    normal: int = 0
    anomalous: int = 0
    unjudged: int = 0
    false_alarms: int = 0
    misses: int = 0

    def count(self, said: Verdict, label: str | None) -> None:
        """Count one image."""
        name = said or "unjudged"
        setattr(self, name, getattr(self, name) + 1)
        self.false_alarms += (said, label) == ("anomalous", "normal")
        self.misses += (said, label) == ("normal", "anomalous")


@dataclass(frozen=True)
class ChangedImage:
    """An image that would be called otherwise; `label`: what people call it, None: nobody said."""

    image_id: int
    file_name: str
    score: float
    before: Verdict
    after: Verdict
    label: str | None


@dataclass
class RuleTrial:
    """What would come of other settings.

    Attributes:
        images: that the version in use has scored.
        labelled_normal: of them, those that people called normal…
        labelled_anomalous: …and anomalous.
        to_anomalous: images that would be called anomalous, and are not.
        to_normal: images that would be called normal, and are called anomalous.
        unreadable: images whose map is lost: what would become of them is not known, and they are counted nowhere else.
        before: the verdicts as they are.
        after: the verdicts as they would be.
        changed: the images that would be called otherwise, some each way.
    """

    images: int = 0
    labelled_normal: int = 0
    labelled_anomalous: int = 0
    to_anomalous: int = 0
    to_normal: int = 0
    unreadable: int = 0
    before: Tally = field(default_factory=Tally)
    after: Tally = field(default_factory=Tally)
    changed: list[ChangedImage] = field(default_factory=list)


def try_rule(store: Store, project_id: int, changes: Mapping[str, Any]) -> RuleTrial:
    """Judge all images of a project by its settings with these changes, and change nothing.

    Args:
        store: where they are.
        project_id: whose.
        changes: some of `TRIED`; see `db.projects.projects.update_settings`.

    Raises:
        NotFound: no such project.
        BadSetting: the settings can't be changed so.
        NotReady: no version is in use yet.
        BlobsUnavailable: maps can't be read now.
    """
    with store.session(read_only=True) as session:
        settings = get_project(session, project_id).settings
        version_id = active_version_id(session, project_id)
        if version_id is None:
            raise NotReady("The project has no version in use yet. Try again when its images have scores.")
        before = criterion(session, version_id)
        settings = with_changes(settings, {name: changes[name] for name in TRIED if name in changes})
        first_visit = is_first_visit(session, version_id) and "threshold" not in changes
        after = criterion_by(settings, first_visit=first_visit)
        kept = kept_areas(session, version_id, after.regions.map_threshold) if after.regions else {}
        rows = list(all_rows(session, project_id))
    trial = RuleTrial()
    for row in rows:
        if row.prediction is None:
            continue
        try:
            anew = _as_it_would_be(store, row.image, row.prediction, after, kept.get(row.prediction.id))
        except BlobMissing:
            trial.unreadable += 1
            continue
        anew.stands_out = None if "threshold" in changes else row.prediction.stands_out
        _count(trial, row, verdict(row.prediction, before), verdict(anew, after))
    trial.changed = _named(trial.changed)
    return trial


def _as_it_would_be(
    store: Store, image: Image, prediction: Prediction, by: Criterion, areas: list[float] | None
) -> Prediction:
    """A prediction with what the criterion needs; `areas`: of its regions, where they are kept. Raises BlobMissing."""
    anew = Prediction(score=prediction.score)
    if by.regions is not None:
        if areas is None:
            areas = areas_of(store, prediction, image, by.regions.map_threshold)
        judged = judged_by_regions(by.regions, areas, by.regions.map_threshold)
        anew.regions_rule, anew.regions_anomalous = judged["regions_rule"], judged["regions_anomalous"]
    return anew


def _count(trial: RuleTrial, row: ImageRow, before: Verdict, after: Verdict) -> None:
    label = row.annotation.label if row.annotation else None
    trial.images += 1
    trial.labelled_normal += label == "normal"
    trial.labelled_anomalous += label == "anomalous"
    trial.before.count(before, label)
    trial.after.count(after, label)
    trial.to_anomalous += after == "anomalous" != before
    trial.to_normal += (before, after) == ("anomalous", "normal")
    if row.prediction is not None and before != after:
        image = row.image
        trial.changed.append(ChangedImage(image.id, image.file_name, row.prediction.score, before, after, label))


def _named(changed: Sequence[ChangedImage]) -> list[ChangedImage]:
    """Some each way: corrected ones first, then the newest."""
    ordered = sorted(changed, key=lambda one: (one.label is None, -one.image_id))
    ways = ([one for one in ordered if (one.after == "anomalous") is way] for way in (True, False))
    return [one for way in ways for one in way[:_NAMED]]
