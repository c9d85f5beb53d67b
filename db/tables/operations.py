"""The tables that keep things going: workers' reports, uploads that are done once, and which backbone is used."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, utc_now


class WorkerReport(Base):
    """What a worker said of itself last; one that is silent ended, or can't reach the database."""

    __tablename__ = "worker_reports"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)  # as Celery calls it
    queues: Mapped[list[Any]] = mapped_column(default=list)
    engine: Mapped[dict[str, Any]] = mapped_column(default=dict)  # workers.scoring.engine_host.engine_status
    started_at: Mapped[datetime]
    reported_at: Mapped[datetime] = mapped_column(index=True)


class UploadKey(Base):
    """An upload with an Idempotency-Key: the same request again gets the same answer, for a while."""

    __tablename__ = "upload_keys"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # sha256 over the project and the files
    answer: Mapped[list[Any] | None]  # NULL: the upload has not ended, or its process did
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)


class BackboneChoice(Base):
    """One row: the backbone of the whole installation where the environment names none, and the one on its way in."""

    __tablename__ = "backbone_choice"

    id: Mapped[int] = mapped_column(primary_key=True)  # always 1
    name: Mapped[str] = mapped_column(String(500), default="")  # in use; empty: the setting's default
    previous: Mapped[str] = mapped_column(String(500), default="")  # before it
    wanted: Mapped[str] = mapped_column(String(500), default="")  # asked for last
    state: Mapped[str] = mapped_column(String(20), default="")  # of the wanted one, see db.backbones.choice
    done_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    total_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    author: Mapped[str] = mapped_column(String(200), default="")
    heartbeat_at: Mapped[datetime | None]  # of who brings it in; NULL: nobody has begun
    changed_at: Mapped[datetime | None]
    # Name → {"seconds": an image takes on this installation's machines, "device": where}.
    measured: Mapped[dict[str, Any]] = mapped_column(default=dict)
