"""The tables of kinds of defect, and of the regions of corrections that have one."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, utc_now


class DefectKind(Base):
    """A kind of defect of a project: an entry of its defect book."""

    __tablename__ = "defect_kinds"
    __table_args__ = (UniqueConstraint("project_id", "compared_name"), UniqueConstraint("project_id", "key"))

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(String(100))
    compared_name: Mapped[str] = mapped_column(String(400))  # see names.compared
    colour: Mapped[str] = mapped_column(String(7))  # #rrggbb
    key: Mapped[str | None] = mapped_column(String(1))  # chooses it in Inspect
    description: Mapped[str] = mapped_column(Text, default="")
    example_ids: Mapped[list[Any]] = mapped_column(default=list)  # ids of images, which may be deleted by now
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class NamedDefect(Base):
    """A region of a correction that has a kind: the connected part of its mask that this pixel lies in.

    Without a mask, x and y are NULL and the image as a whole has the kind.
    """

    __tablename__ = "named_defects"

    id: Mapped[int] = mapped_column(primary_key=True)
    annotation_id: Mapped[int] = mapped_column(ForeignKey("annotations.id", ondelete="CASCADE"), index=True)
    kind_id: Mapped[int] = mapped_column(ForeignKey("defect_kinds.id"), index=True)
    x: Mapped[int | None]
    y: Mapped[int | None]
    area: Mapped[int] = mapped_column(default=0)  # pixels of the region
