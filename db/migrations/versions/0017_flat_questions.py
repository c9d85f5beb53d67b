"""Questions that read what they answer and no more, however many images a project has.

Each corrected image has its newest annotation in a row of its own, and its label beside its predictions; a new
threshold orders the queue bit by bit; and indexes hold the lists in their order.

Revision ID: 0017_flat_questions
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0017_flat_questions"
down_revision = "0016_verdict_rule"

TO_REVIEW, CORRECTED = sa.text("label IS NULL"), sa.text("label IS NOT NULL")
_AT_ONCE = 500


def upgrade() -> None:
    """Make the tables and what is kept of what is there, then the indexes: that order is the quicker."""
    _tables()
    op.add_column("predictions", sa.Column("label", sa.String(20), nullable=True))
    _fill()
    op.create_index("ix_images_by_time", "images", ["project_id", "created_at", "id"])
    op.create_index("ix_images_by_author", "images", ["project_id", "author", "id"])
    # Where several would do, SQLite takes the one that was made last: the smallest.
    for name in ("project_id", "failed"):
        op.drop_index(f"ix_images_{name}", "images")
    op.create_index("ix_images_project_id", "images", ["project_id", "id"])
    _partial("ix_images_failed", "images", ["project_id"], sa.text("scoring_error IS NOT NULL"))
    own = ["project_id", "annotation_id"]
    op.create_index("ix_newest_annotations_project_id", "newest_annotations", own)
    op.create_index("ix_newest_annotations_by_image", "newest_annotations", ["project_id", "image_id"])
    by_label = ["project_id", "label", "image_id", "marked"]
    op.create_index("ix_newest_annotations_by_label", "newest_annotations", by_label)
    op.create_index(
        "ix_newest_annotations_waiting",
        "newest_annotations",
        own,
        sqlite_where=sa.text("learnt = 0"),
        postgresql_where=sa.text("NOT learnt"),
    )
    op.drop_index("ix_predictions_by_score", "predictions")
    op.create_index("ix_predictions_by_score", "predictions", ["prompt_version_id", "score", "image_id", "label"])
    by_gain = ["prompt_version_id", "expected_gain", "image_id", "score"]
    _partial("ix_predictions_to_review", "predictions", by_gain, TO_REVIEW)
    labelled = ["prompt_version_id", "label", "score", "image_id"]
    _partial("ix_predictions_corrected", "predictions", labelled, CORRECTED)


def downgrade() -> None:
    """Nothing is lost: all of it can be read from annotations and runs."""
    for name in ("corrected", "to_review", "by_score"):
        op.drop_index(f"ix_predictions_{name}", "predictions")
    op.drop_column("predictions", "label")
    op.create_index("ix_predictions_by_score", "predictions", ["prompt_version_id", "score", "image_id"])
    for name in ("by_author", "by_time", "project_id"):
        op.drop_index(f"ix_images_{name}", "images")
    op.create_index("ix_images_project_id", "images", ["project_id"])
    op.drop_table("newest_annotations")
    op.drop_table("queue_orders")


def _tables() -> None:
    op.create_table(
        "newest_annotations",
        sa.Column("image_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("annotation_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(20), nullable=False),
        sa.Column("marked", sa.Boolean(), nullable=False),
        sa.Column("learnt", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_newest_annotations_image_id_images"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_newest_annotations_project_id_projects")
        ),
        sa.ForeignKeyConstraint(
            ["annotation_id"],
            ["annotations.id"],
            name=op.f("fk_newest_annotations_annotation_id_annotations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_newest_annotations")),
    )
    op.create_index(op.f("ix_newest_annotations_annotation_id"), "newest_annotations", ["annotation_id"])
    op.create_table(
        "queue_orders",
        sa.Column("prompt_version_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("image_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["prompt_version_id"],
            ["prompt_versions.id"],
            name=op.f("fk_queue_orders_prompt_version_id_prompt_versions"),
        ),
        sa.PrimaryKeyConstraint("prompt_version_id", name=op.f("pk_queue_orders")),
    )


def _partial(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _fill() -> None:
    """The newest annotation of each image, which of them runs have learnt from, and the labels of predictions."""
    op.execute(
        "INSERT INTO newest_annotations (image_id, project_id, annotation_id, label, marked, learnt) "
        "SELECT annotations.image_id, images.project_id, annotations.id, annotations.label, "
        "annotations.mask_blob_key IS NOT NULL, false FROM annotations "
        "JOIN images ON images.id = annotations.image_id "
        "JOIN (SELECT image_id, MAX(revision) AS revision FROM annotations GROUP BY image_id) AS newest "
        "ON newest.image_id = annotations.image_id AND newest.revision = annotations.revision"
    )
    newest = sa.table("newest_annotations", sa.column("annotation_id"), sa.column("learnt", sa.Boolean))
    learnt = sorted(set(_learnt()))
    for start in range(0, len(learnt), _AT_ONCE):
        some = newest.c.annotation_id.in_(learnt[start : start + _AT_ONCE])
        op.execute(sa.update(newest).where(some).values(learnt=True))
    op.execute(
        "UPDATE predictions SET label = (SELECT label FROM newest_annotations "
        "WHERE newest_annotations.image_id = predictions.image_id) "
        "WHERE image_id IN (SELECT image_id FROM newest_annotations)"
    )


def _learnt() -> Iterator[int]:
    """The ids of the annotations that runs which succeeded had in their input."""
    inputs = ("training_annotation_ids", "holdout_annotation_ids")
    runs = sa.table("tuning_runs", sa.column("state"), *(sa.column(name, sa.JSON) for name in inputs))
    found = sa.select(*(runs.c[name] for name in inputs)).where(runs.c.state == "succeeded")
    for ids in op.get_bind().execute(found):
        for some in ids:
            yield from some
