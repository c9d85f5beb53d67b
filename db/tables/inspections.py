"""The table of inspections on their way: asked for by the page's process, and answered by a worker elsewhere."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base


class Inspection(Base):
    """An image that someone waits for, with the answer when it is there; a row lives for some seconds."""

    __tablename__ = "inspections"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    blob_key: Mapped[str] = mapped_column(String(200), index=True)  # of the image's bytes
    request: Mapped[dict[str, Any]]
    answer: Mapped[dict[str, Any] | None]
    until: Mapped[datetime] = mapped_column(index=True)  # by the database's clock: nobody waits for it afterwards
