"""Regions of interest, and what was said of images before another one came into use."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, utc_now


class RegionOfInterest(Base):
    """Which pixels of a project's images count, at all stations or at one."""

    __tablename__ = "regions_of_interest"
    __table_args__ = (UniqueConstraint("project_id", "station"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    station: Mapped[str] = mapped_column(String(200), default="")  # "": all that have none of their own
    mask_blob_key: Mapped[str] = mapped_column(String(200), index=True)  # 8-bit PNG; 255: the pixel counts
    width: Mapped[int]  # of the mask, px
    height: Mapped[int]
    area: Mapped[int]  # pixels that count
    author: Mapped[str] = mapped_column(String(100), default="local")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class OldPrediction(Base):
    """What the version in use said of an image by another region of interest: shown, as old, until it says it anew."""

    __tablename__ = "old_predictions"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), unique=True)
    prompt_version_id: Mapped[int] = mapped_column(ForeignKey("prompt_versions.id"), index=True)
    score: Mapped[float]  # 0–1
    map_blob_key: Mapped[str] = mapped_column(String(200), index=True)  # as in predictions
    interest_blob_key: Mapped[str | None] = mapped_column(String(200), index=True)  # as in predictions
