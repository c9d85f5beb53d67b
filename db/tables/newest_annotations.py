"""The table of the annotations that count: of each corrected image the newest, beside what is asked of all of them."""

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base


class NewestAnnotation(Base):
    """The revision that counts of an image, kept so that nobody looks for it among all of a project's annotations.

    Written with the annotation, in its transaction (`db/images/annotations.py`). `label` is also kept with the image's
    predictions, so that an index holds what nobody has said anything of, in the order of the queue.
    """

    __tablename__ = "newest_annotations"
    __table_args__ = (
        Index("ix_newest_annotations_project_id", "project_id", "annotation_id"),
        Index("ix_newest_annotations_by_image", "project_id", "image_id"),
        Index("ix_newest_annotations_by_label", "project_id", "label", "image_id", "marked"),
        Index(
            "ix_newest_annotations_waiting",
            "project_id",
            "annotation_id",
            # Each database's own words for the same, as SQLAlchemy asks for it.
            sqlite_where=text("learnt = 0"),
            postgresql_where=text("NOT learnt"),
        ),
    )

    image_id: Mapped[int] = mapped_column(
        ForeignKey("images.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    annotation_id: Mapped[int] = mapped_column(ForeignKey("annotations.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(20))
    marked: Mapped[bool] = mapped_column(default=False)  # whether it has a mask
    learnt: Mapped[bool] = mapped_column(default=False)  # whether a run that succeeded had it in its frozen input
