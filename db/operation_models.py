"""The tables that keep things going: what workers say of themselves, and uploads that are done once."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, utc_now


class WorkerReport(Base):
    """What a worker said of itself last; one that is silent ended, or can't reach the database."""

    __tablename__ = "worker_reports"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)  # as Celery calls it
    queues: Mapped[list[Any]] = mapped_column(default=list)
    engine: Mapped[dict[str, Any]] = mapped_column(default=dict)  # workers.engine_host.engine_status
    started_at: Mapped[datetime]
    reported_at: Mapped[datetime] = mapped_column(index=True)


class UploadKey(Base):
    """An upload with an Idempotency-Key: the same request again gets the same answer, for a while."""

    __tablename__ = "upload_keys"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # sha256 over the project and the files
    answer: Mapped[list[Any] | None]  # NULL: the upload has not ended, or its process did
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
