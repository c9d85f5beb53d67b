"""Predictions keep what correcting their image would teach, and lists come from indexes in their order.

Revision ID: 0002_what_to_correct_next
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_what_to_correct_next"
down_revision = "0001"

COLUMNS = ("map_uncertainty", "novelty", "expected_gain")
FAILED = sa.text("scoring_error IS NOT NULL")


def upgrade() -> None:
    """Add the columns, order what is scored by the distance from the threshold, and make the indexes."""
    for name in COLUMNS:
        op.add_column("predictions", sa.Column(name, sa.Double(), nullable=False, server_default="0"))
    _order_by_distance()
    op.create_index("ix_predictions_by_score", "predictions", ["prompt_version_id", "score", "image_id"])
    op.create_index(
        "ix_predictions_by_gain", "predictions", ["prompt_version_id", "expected_gain", "image_id", "score"]
    )
    op.create_index("ix_images_failed", "images", ["project_id"], sqlite_where=FAILED, postgresql_where=FAILED)


def downgrade() -> None:
    """Drop the indexes, then the columns."""
    op.drop_index("ix_images_failed", "images")
    op.drop_index("ix_predictions_by_gain", "predictions")
    op.drop_index("ix_predictions_by_score", "predictions")
    with op.batch_alter_table("predictions") as table:
        for name in reversed(COLUMNS):
            table.drop_column(name)


def _order_by_distance() -> None:
    """All that is known of images scored before: a third of the closeness to their project's threshold."""
    projects = sa.table("projects", sa.column("id", sa.Integer), sa.column("settings", sa.JSON))
    versions = sa.table("prompt_versions", sa.column("id", sa.Integer), sa.column("project_id", sa.Integer))
    predictions = sa.table(
        "predictions", sa.column("prompt_version_id"), sa.column("score", sa.Double), sa.column("expected_gain")
    )
    for project_id, settings in op.get_bind().execute(sa.select(projects.c.id, projects.c.settings)).all():
        distance = (predictions.c.score - settings.get("threshold", 0.5)) / 0.1
        op.execute(
            sa.update(predictions)
            .where(predictions.c.prompt_version_id.in_(sa.select(versions.c.id).filter_by(project_id=project_id)))
            .values(expected_gain=1 / (1 + distance * distance) / 3)
        )
