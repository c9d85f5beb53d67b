"""The tables of images and what is said of them. The database is the truth: what is not here did not happen.

Those of accounts, webhooks and operations have files of their own.
"""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables.base import Base, utc_now
from names import compared

# What a run can still become. One live run a project is a database constraint (see TuningRun).
LIVE_RUN_STATES = ("queued", "running", "evaluating")
RUN_STATES = (*LIVE_RUN_STATES, "succeeded", "failed", "cancelled")
PROMPT_STATES = ("candidate", "awaiting", "active", "retired", "rejected")
LABELS = ("normal", "anomalous")
ANNOTATION_SOURCES = ("drawn", "accepted", "marked_normal", "marked_anomalous", "imported")


class Project(Base):
    """A product or a study. Its active prompt version is the one whose state is `active`."""

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    # Keys: threshold (0–1, on scores), map_threshold (0–1), retrain_after, retrain_hours, schedule (bool);
    # second_person (bool: another one than who started a run puts its version in service); keep,
    # keep_every, px_per_mm and name_pattern (db/projects/line_settings.py);
    # verdict_rule (db/projects/verdict_rule.py); and depth,
    # [low, high], once there was an image of more than 8 bits: which of its values are black and white.
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    # An archived project is kept and rests: it is not listed, nothing is scored, and no run starts. NULL: it works.
    archived_at: Mapped[datetime | None]
    # Whether others than its members (project_members) don't see it.
    members_only: Mapped[bool] = mapped_column(default=False)


class Image(Base):
    """An upload: the original bytes lie in the blob store under `blob_key`, unchanged."""

    __tablename__ = "images"
    # An id is never given to another image later: pages, caches and links keep it.
    __table_args__ = (
        UniqueConstraint("project_id", "sha256"),
        Index(
            "ix_images_failed",
            "project_id",
            sqlite_where=text("scoring_error IS NOT NULL"),
            postgresql_where=text("scoring_error IS NOT NULL"),
        ),
        Index("ix_images_golden", "project_id", sqlite_where=text("golden"), postgresql_where=text("golden")),
        # A project's images newest first, by time and by person, whatever other projects have.
        Index("ix_images_project_id", "project_id", "id"),
        Index("ix_images_by_time", "project_id", "created_at", "id"),
        Index("ix_images_by_author", "project_id", "author", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    sha256: Mapped[str] = mapped_column(String(64))
    # Blob keys are indexed to find out, when an image is deleted, which blobs nothing refers to any more.
    blob_key: Mapped[str] = mapped_column(String(200), index=True)
    file_name: Mapped[str] = mapped_column(String(255))  # as it came
    compared_name: Mapped[str | None] = mapped_column(
        String(800), default=lambda context: compared(context.get_current_parameters()["file_name"])
    )
    # The rule by which an image of more than 8 bits is seen, "low:high"; NULL: it has 8 bits, or was there before it.
    depth: Mapped[str | None] = mapped_column(String(80))
    byte_size: Mapped[int]
    # Pixels, after EXIF orientation: the size of its map and of its mask.
    width: Mapped[int]
    height: Mapped[int]
    author: Mapped[str] = mapped_column(String(100), default="local")
    # What the line says of it (db/images/part_facts.py); NULL: nobody said.
    part: Mapped[str | None] = mapped_column(String(200))
    lot: Mapped[str | None] = mapped_column(String(200))
    station: Mapped[str | None] = mapped_column(String(200))
    captured_at: Mapped[datetime | None]
    tags: Mapped[list[Any] | None]
    compared_facts: Mapped[str | None] = mapped_column(Text)  # all of it in one form, to be searched
    # Why scoring failed, for a person to read; NULL while it has not.
    scoring_error: Mapped[str | None] = mapped_column(Text)
    # Never learnt from: every candidate is held to it before it goes into service (db/training/golden_set.py).
    golden: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)

    project: Mapped[Project] = relationship()

    @property
    def seen_key(self) -> str:
        """Names what is made of the image: sha256 of its bytes, and of the rule that it is seen by where it has one."""
        return seen_key(self.sha256, self.depth)


def seen_key(sha256: str, depth: str | None) -> str:
    """The same of an image that has no row: see `Image.seen_key`."""
    return sha256 if depth is None else hashlib.sha256(f"{sha256} {depth}".encode()).hexdigest()


class PromptVersion(Base):
    """Prompts: candidate → active → retired, or rejected; awaiting a second person where the project wants one."""

    __tablename__ = "prompt_versions"
    __table_args__ = (
        UniqueConstraint("project_id", "number"),
        Index(
            "uq_prompt_versions_one_active",
            "project_id",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    number: Mapped[int]  # 1, 2, … within the project; what people see as "v3"
    state: Mapped[str] = mapped_column(String(20), default="candidate")
    origin: Mapped[str] = mapped_column(String(20))  # shipped | tuned | imported
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("prompt_versions.id"))
    backbone_name: Mapped[str] = mapped_column(String(200))
    backbone_fingerprint: Mapped[str] = mapped_column(String(64))
    blob_key: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    note: Mapped[str] = mapped_column(Text, default="")
    # Who imported it or started its run, and who put it to use last; `schedule` where nobody did.
    author: Mapped[str] = mapped_column(String(100), default="local")
    activated_by: Mapped[str] = mapped_column(String(100), default="local")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    activated_at: Mapped[datetime | None]


class Prediction(Base):
    """What one prompt version says of one image."""

    __tablename__ = "predictions"
    # The long indexes hold the lists that are ordered by score and by what to correct next, ready to be read: of all
    # images, and of those that nobody has said anything of, as people begin where such a list does.
    __table_args__ = (
        UniqueConstraint("image_id", "prompt_version_id"),
        Index("ix_predictions_by_score", "prompt_version_id", "score", "image_id", "label"),
        Index("ix_predictions_by_gain", "prompt_version_id", "expected_gain", "image_id", "score"),
        Index("ix_predictions_by_rule", "prompt_version_id", "regions_rule"),
        Index(
            "ix_predictions_to_review",
            "prompt_version_id",
            "expected_gain",
            "image_id",
            "score",
            sqlite_where=text("label IS NULL"),
            postgresql_where=text("label IS NULL"),
        ),
        Index(
            "ix_predictions_corrected",
            "prompt_version_id",
            "label",
            "score",
            "image_id",
            sqlite_where=text("label IS NOT NULL"),
            postgresql_where=text("label IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), index=True)
    prompt_version_id: Mapped[int] = mapped_column(ForeignKey("prompt_versions.id"), index=True)
    score: Mapped[float]  # probability of being anomalous, 0–1
    map_blob_key: Mapped[str] = mapped_column(String(200), index=True)  # float32 .npy at model resolution, 0–1
    map_max: Mapped[float]
    # What correcting the image would teach (db/images/review_queue.py says how); each 0–1, and 0 where it is not known.
    map_uncertainty: Mapped[float] = mapped_column(default=0.0)
    novelty: Mapped[float] = mapped_column(default=0.0)
    expected_gain: Mapped[float] = mapped_column(default=0.0)
    # The region of interest that it was made by: the key of its mask; NULL: all of the image counts.
    interest_blob_key: Mapped[str | None] = mapped_column(String(200), index=True)
    # Whether it stands out among the project's images, where nothing was learnt of them yet; None: the threshold says.
    stands_out: Mapped[bool | None]
    # Where the project's rule goes by regions (db/images/region_facts.py): the areas of the map's regions in px², the
    # largest first, and the map threshold that they were found at; and what which rule says of them.
    region_areas: Mapped[list[Any] | None] = mapped_column(deferred=True)
    region_threshold: Mapped[float | None]
    regions_rule: Mapped[str | None] = mapped_column(String(120))
    regions_anomalous: Mapped[bool | None]
    # That of the image's newest annotation, whichever version this is (db/tables/newest_annotations.py); NULL: none.
    label: Mapped[str | None] = mapped_column(String(20))
    engine_settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Preview(Base):
    """What the corrections so far make of an image that is not learnt from yet: shown, and never judged or exported."""

    __tablename__ = "previews"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), unique=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    # The version that was active: with another one in service, a preview says nothing any more.
    prompt_version_id: Mapped[int] = mapped_column(ForeignKey("prompt_versions.id"), index=True)
    score: Mapped[float]  # 0–1
    map_blob_key: Mapped[str] = mapped_column(String(200), index=True)  # as in predictions
    corrections: Mapped[int]  # how many it was learnt from
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Annotation(Base):
    """One revision of what a person says of an image. Append-only."""

    __tablename__ = "annotations"
    # An id is never given to another annotation later: runs keep the ids of what they learnt from.
    __table_args__ = (UniqueConstraint("image_id", "revision"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int]  # 1, 2, …; the newest counts
    label: Mapped[str] = mapped_column(String(20))
    # 8-bit PNG, 0 or 255, at the image's size; NULL for a normal image, or where nobody said where it is anomalous.
    mask_blob_key: Mapped[str | None] = mapped_column(String(200), index=True)
    area: Mapped[int] = mapped_column(default=0)  # anomalous pixels
    source: Mapped[str] = mapped_column(String(20))
    author: Mapped[str] = mapped_column(String(100), default="local")
    prompt_version_id: Mapped[int | None] = mapped_column(ForeignKey("prompt_versions.id"))
    comment: Mapped[str] = mapped_column(Text, default="")  # a person's own words
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)

    image: Mapped[Image] = relationship()


class TuningRun(Base):
    """A run: queued → running → evaluating → succeeded, failed or cancelled."""

    __tablename__ = "tuning_runs"
    __table_args__ = (
        Index(
            "uq_tuning_runs_one_live",
            "project_id",
            unique=True,
            sqlite_where=text("state IN ('queued', 'running', 'evaluating')"),
            postgresql_where=text("state IN ('queued', 'running', 'evaluating')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    state: Mapped[str] = mapped_column(String(20), default="queued")
    trigger: Mapped[str] = mapped_column(String(20))  # manual | schedule
    author: Mapped[str] = mapped_column(String(100), default="local")  # who started it; `schedule` where nobody did
    config: Mapped[dict[str, Any]] = mapped_column(default=dict)
    seed: Mapped[int] = mapped_column(default=0)
    # Frozen input: annotation ids, so that a run repeats exactly.
    training_annotation_ids: Mapped[list[Any]] = mapped_column(default=list)
    holdout_annotation_ids: Mapped[list[Any]] = mapped_column(default=list)
    parent_version_id: Mapped[int | None] = mapped_column(ForeignKey("prompt_versions.id"))
    candidate_version_id: Mapped[int | None] = mapped_column(ForeignKey("prompt_versions.id"))
    progress: Mapped[float] = mapped_column(default=0.0)  # 0–1
    stage: Mapped[str] = mapped_column(String(200), default="")  # one line for people
    encoded_images: Mapped[int] = mapped_column(default=0)  # images whose features were not cached
    losses: Mapped[list[Any]] = mapped_column(default=list)  # one dict an epoch
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)  # candidate, active, difference, interval, method
    decision: Mapped[str] = mapped_column(Text, default="")  # one sentence: what was decided and why
    error: Mapped[str] = mapped_column(Text, default="")
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    worker: Mapped[str] = mapped_column(String(200), default="")  # who holds the lease
    attempt: Mapped[int] = mapped_column(default=0)
    checkpoint_blob_key: Mapped[str | None] = mapped_column(String(200))
    heartbeat_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
