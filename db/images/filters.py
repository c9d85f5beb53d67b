"""Which images of a project a list shows: by status, by what the model and people say, by time, name and person."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, func, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db.images.rows import STATUSES, has_status
from db.images.verdicts import Criterion, has_verdict
from db.tables.core import Annotation, Image, Prediction
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

    def conditions(
        self, project_id: int, judged_by: Criterion, image_id: InstrumentedAttribute[int]
    ) -> ColumnElement[bool]:
        """As SQL, in a query that joins the project's images and `prediction_by`.

        Args:
            project_id: whose images.
            judged_by: for the verdict, see `db.images.verdicts.criterion`.
            image_id: the column that the query reads first, so that images which don't pass are not looked up.
        """
        wanted: list[ColumnElement[bool]] = []
        if self.status is not None:
            wanted.append(has_status(self.status, image_id))
        if self.verdict is not None:
            wanted.append(has_verdict(self.verdict, judged_by))
        if self.label is not None:
            wanted.append(image_id.in_(_newest_annotation(Annotation.label == self.label)))
        if self.min_score is not None:
            wanted.append(Prediction.score >= self.min_score)
        if self.max_score is not None:
            wanted.append(Prediction.score <= self.max_score)
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
    uploaded = select(Image.author).where(Image.project_id == project_id)
    annotated = select(Annotation.author).join(Annotation.image).where(Image.project_id == project_id)
    return sorted(session.scalars(union(uploaded, annotated)))


def _newest_annotation(is_so: ColumnElement[bool]) -> Select[int]:
    """The ids of images of whose newest annotation this holds."""
    newest = select(Annotation.image_id, func.max(Annotation.revision).label("revision"))
    newest_of = newest.group_by(Annotation.image_id).subquery()
    return (
        select(Annotation.image_id)
        .join(newest_of, and_(newest_of.c.image_id == Annotation.image_id, newest_of.c.revision == Annotation.revision))
        .where(is_so)
    )


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
    return union(uploaded, _newest_annotation(Annotation.author == person))
