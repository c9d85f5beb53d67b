"""The tables of webhooks: who is told of what happens, and what is still to be told."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, utc_now


class Webhook(Base):
    """An address that is told of what happens in a project, or in all."""

    __tablename__ = "webhooks"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id"), index=True)
    url: Mapped[str] = mapped_column(String(2000))
    events: Mapped[list[Any]] = mapped_column(default=list)  # of EVENTS
    verdict: Mapped[str | None] = mapped_column(String(20))  # only results with this verdict; NULL: all
    station: Mapped[str | None] = mapped_column(String(200))  # only results of this station; NULL: all
    secret: Mapped[str] = mapped_column(String(100))  # both sides know it: messages are signed with it
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    failures: Mapped[int] = mapped_column(default=0)  # in a row, since it last took something
    failing_since: Mapped[datetime | None]
    resting_until: Mapped[datetime | None]  # nothing is sent there before
    disabled_at: Mapped[datetime | None]  # NULL: it is told of what happens
    note: Mapped[str] = mapped_column(Text, default="")  # for people: why it is switched off


class WebhookMessage(Base):
    """What is to be told to a webhook: written together with what it tells of, so that none is lost."""

    __tablename__ = "webhook_messages"
    __table_args__ = (
        Index(
            "ix_webhook_messages_waiting",
            "next_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"), index=True)
    event: Mapped[str] = mapped_column(String(50))
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(20), default="waiting")  # waiting | delivered | given_up
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(default=utc_now)
    problem: Mapped[str] = mapped_column(Text, default="")  # why the last attempt failed
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    delivered_at: Mapped[datetime | None]
