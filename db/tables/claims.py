"""The table of claims: which images a worker is scoring just now."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base


class ScoringClaim(Base):
    """A worker's hold on an image that it scores; there is a row only meanwhile, and one that is over holds nothing."""

    __tablename__ = "scoring_claims"

    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), primary_key=True)
    worker: Mapped[str] = mapped_column(String(200), index=True)  # another name for every batch
    until: Mapped[datetime]  # by the database's clock
