"""The tables of accounts: who may do what, how they prove who they are, and who did what."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables.base import Base, utc_now
from db.tables.core import Project

# Each may do all that those before it may.
ROLES = ("viewer", "annotator", "admin")
# How far a token reaches into what its account may do (webapp/access/permissions.py).
SCOPES = ("line", "read", "annotate", "all")


class User(Base):
    """A person or a machine with an account. Never deleted, as annotations, runs and the audit log name it."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    # argon2id with its salt and its costs; empty: no password opens the account, only tokens do.
    password_hash: Mapped[str] = mapped_column(String(200), default="")
    role: Mapped[str] = mapped_column(String(20))
    # NULL: the account works.
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class SignIn(Base):
    """A browser that is signed in: its cookie's sha256. The cookie itself is kept nowhere."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(index=True)

    user: Mapped[User] = relationship()


class ApiToken(Base):
    """A token for programs: its sha256, which is enough as a token is 256 random bits. Shown once, kept nowhere."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))  # what it is for, in the words of who made it
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(20))  # how it begins, so that people know it again
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime | None]  # to some minutes
    revoked_at: Mapped[datetime | None]
    scope: Mapped[str] = mapped_column(String(20), default="all")
    # NULL: for all projects that its account sees.
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id"))
    # From then on it opens nothing; NULL: it has no end.
    ends_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
    project: Mapped[Project | None] = relationship()


class ProjectMember(Base):
    """A user's role in one project, which counts there in place of the user's own, while that is for members only."""

    __tablename__ = "project_members"
    __table_args__ = (UniqueConstraint("project_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))

    user: Mapped[User] = relationship()


class LoginAttempts(Base):
    """Log-ins that failed for one name from one address since `first_at`; the name is empty for all names together."""

    __tablename__ = "login_attempts"
    __table_args__ = (UniqueConstraint("name", "address"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(String(100))
    failures: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime] = mapped_column(default=utc_now)
    locked_until: Mapped[datetime | None]


class AuditEntry(Base):
    """One thing that someone did, or was refused at signing in. Append-only; names, so that nothing can dangle."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    user_name: Mapped[str] = mapped_column(String(100), index=True)
    via: Mapped[str] = mapped_column(String(20))  # session | token | local | command | nobody
    address: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(200))  # as the table of access rules names it
    object: Mapped[str] = mapped_column(Text, default="")
