"""The table of queues that are brought in line with another threshold."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base


class QueueOrder(Base):
    """A version whose expected gains are being written anew; there is a row only meanwhile.

    It goes from the highest score down: what stands above this place is done. Both NULL: nothing is.
    """

    __tablename__ = "queue_orders"

    prompt_version_id: Mapped[int] = mapped_column(
        ForeignKey("prompt_versions.id"), primary_key=True, autoincrement=False
    )
    score: Mapped[float | None]
    image_id: Mapped[int | None]
