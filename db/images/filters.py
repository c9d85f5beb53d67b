"""Which images of a project a list shows: by status, by what the model and people say, by time, name and person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, func, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db.images.newest_annotations import newest_of_images
from db.images.rows import STATUSES, has_status
from db.images.verdicts import Criterion, has_verdict
from db.tables.core import Annotation, Image
from db.tables.newest_annotations import NewestAnnotation
from names import compared

# These are scored by the active version, and those are not, by their definition.
_ALWAYS_SCORED = ("to_review",)
_NEVER_SCORED = ("unscored", "failed")


@dataclass(frozen=True)
class ImageFilter:
    """What must hold of an image; None: anything.

    Attributes:
        status: one of STATUSES.
        verdict: what the active version says, `normal` or `anomalous`.
        label: what the newest annotation says, `normal` or `anomalous`.
        min_score: lowest score, included.
        max_score: highest score, included.
        added_from: when it was uploaded at the earliest, included.
        added_before: when it was uploaded, excluded.
        name: part of the file name, of the part's number, the lot, the station or a tag; in capitals or not, composed
            or not.
        person: who uploaded it or made its newest annotation.
        golden: whether it is in the golden set.
    """

    status: str | None = None
    verdict: str | None = None
    label: str | None = None
    min_score: float | None = None
    max_score: float | None = None
    added_from: datetime | None = None
    added_before: datetime | None = None
    name: str | None = None
    person: str | None = None
    golden: bool | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a status that there is not."""
        if self.status is not None and self.status not in STATUSES:
            raise ValueError(f"There is no status {self.status!r}. The statuses are {', '.join(STATUSES)}.")

    @property
    def may_be_scored(self) -> bool:
        """Whether images with a prediction by the active version can pass."""
        return self.status not in _NEVER_SCORED

    @property
    def may_be_unscored(self) -> bool:
        """Whether images without one can pass."""
        asks_score = any(value is not None for value in (self.verdict, self.min_score, self.max_score))
        return not asks_score and self.status not in _ALWAYS_SCORED

    @property
    def by_status_alone(self) -> bool:
        """Whether nothing else is asked: then the counts by status say how many pass."""
        return self == ImageFilter(status=self.status)

    @property
    def asks_prediction(self) -> bool:
        """Whether anything is asked of what the active version says."""
        by_status = self.status is not None and self.status != "corrected"
        return by_status or any(value is not None for value in (self.verdict, self.min_score, self.max_score))

    @property
    def asks_label(self) -> bool:
        """Whether only images pass of which people have said something."""
        return self.status == "corrected" or self.label is not None

    @property
    def asks_image(self) -> bool:
        """Whether the image's own row says whether it passes."""
        return any(value is not None for value in (self.added_from, self.added_before, self.golden))

    def conditions(
        self,
        project_id: int,
        judged_by: Criterion,
        image_id: InstrumentedAttribute[int],
        label: InstrumentedAttribute[Any],
        score: ColumnElement[float],
    ) -> ColumnElement[bool]:
        """As SQL, in a query that joins `prediction_by`, and images where `asks_image`.

        Args:
            project_id: whose images.
            judged_by: for the verdict, see `db.images.verdicts.criterion`.
            image_id: the column that the query reads first, so that images which don't pass are not looked up.
            label: the column that says what people say of the image, see `db.images.rows.has_status`. Where it is the
                newest annotation's and `asks_label`, the query holds no other images.
            score: the prediction's.
        """
        wanted: list[ColumnElement[bool]] = []
        if self.status is not None and not (self.asks_label and label is NewestAnnotation.label):
            wanted.append(has_status(self.status, label))
        if self.verdict is not None:
            wanted.append(has_verdict(self.verdict, judged_by, score))
        if self.label is not None:
            wanted.append(label == self.label)
        if self.min_score is not None:
            wanted.append(score >= self.min_score)
        if self.max_score is not None:
            wanted.append(score <= self.max_score)
        if self.added_from is not None:
            wanted.append(Image.created_at >= self.added_from)
        if self.added_before is not None:
            wanted.append(Image.created_at < self.added_before)
        if self.name:
            wanted.append(image_id.in_(_named(project_id, self.name)))
        if self.person is not None:
            wanted.append(image_id.in_(_of_person(project_id, self.person)))
        if self.golden is not None:
            wanted.append(Image.golden.is_(self.golden))
        return and_(True, *wanted)


ANY_IMAGE = ImageFilter()


def people_of(session: Session, project_id: int) -> list[str]:
    """Who uploaded or annotated images of a project, by name."""
    annotated = select(Annotation.author).distinct().join(Annotation.image).where(Image.project_id == project_id)
    return sorted({*_uploaders(session, project_id), *session.scalars(annotated)})


def _uploaders(session: Session, project_id: int) -> Iterator[str]:
    """From one name to the next in their index: a few among a million images."""
    name = ""
    while True:
        after = select(func.min(Image.author)).where(Image.project_id == project_id, Image.author > name)
        found = session.scalar(after)
        if found is None:
            return
        yield (name := found)


def _named(project_id: int, part: str) -> Select[int]:
    """The ids of a project's images with this in their name or facts: looked for once, not at every step of a list."""
    image = aliased(Image)
    columns = (image.compared_name, image.compared_facts)
    alike = or_(*(column.contains(compared(part), autoescape=True) for column in columns))
    return select(image.id).where(image.project_id == project_id, alike)


def _of_person(project_id: int, person: str) -> CompoundSelect[int]:
    """The ids of a project's images that this person uploaded, and of all whose newest annotation is theirs."""
    image = aliased(Image)
    uploaded = select(image.id).where(image.project_id == project_id, image.author == person)
    annotated = newest_of_images(project_id).where(Annotation.author == person)
    return union(uploaded, annotated.with_only_columns(Annotation.image_id))
