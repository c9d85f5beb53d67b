"""Predictions keep the areas of their map's regions, and what the project's rule on regions says; regions of interest.

Revision ID: 0016_verdict_rule
"""

import sqlalchemy as sa
from alembic import op

revision = "0016_verdict_rule"
down_revision = "0015_reasons_and_golden_set"


def upgrade() -> None:
    """Every project goes on judging by score, and all of its images count."""
    op.add_column("predictions", sa.Column("region_areas", sa.JSON(), nullable=True))
    op.add_column("predictions", sa.Column("region_threshold", sa.Double(), nullable=True))
    op.add_column("predictions", sa.Column("regions_rule", sa.String(120), nullable=True))
    op.add_column("predictions", sa.Column("regions_anomalous", sa.Boolean(), nullable=True))
    op.add_column("predictions", sa.Column("interest_blob_key", sa.String(200), nullable=True))
    op.create_index("ix_predictions_by_rule", "predictions", ["prompt_version_id", "regions_rule"])
    op.create_index(op.f("ix_predictions_interest_blob_key"), "predictions", ["interest_blob_key"])
    _create_interest()


def _create_interest() -> None:
    op.create_table(
        "regions_of_interest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("station", sa.String(200), nullable=False),
        sa.Column("mask_blob_key", sa.String(200), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("width", "height", "area")),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_regions_of_interest_project_id_projects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regions_of_interest")),
        sa.UniqueConstraint("project_id", "station", name=op.f("uq_regions_of_interest_project_id_station")),
    )
    op.create_index(op.f("ix_regions_of_interest_mask_blob_key"), "regions_of_interest", ["mask_blob_key"])
    op.create_table(
        "old_predictions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("prompt_version_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("map_blob_key", sa.String(200), nullable=False),
        sa.Column("interest_blob_key", sa.String(200), nullable=True),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_old_predictions_image_id_images"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["prompt_version_id"],
            ["prompt_versions.id"],
            name=op.f("fk_old_predictions_prompt_version_id_prompt_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_old_predictions")),
        sa.UniqueConstraint("image_id", name=op.f("uq_old_predictions_image_id")),
    )
    for column in ("prompt_version_id", "map_blob_key", "interest_blob_key"):
        op.create_index(op.f(f"ix_old_predictions_{column}"), "old_predictions", [column])


def downgrade() -> None:
    """Every project judges by score, and what was said of a part of an image is forgotten."""
    op.drop_table("old_predictions")
    op.drop_table("regions_of_interest")
    op.execute("DELETE FROM predictions WHERE interest_blob_key IS NOT NULL")
    op.drop_index(op.f("ix_predictions_interest_blob_key"), "predictions")
    op.drop_column("predictions", "interest_blob_key")
    op.drop_index("ix_predictions_by_rule", "predictions")
    for name in ("region_areas", "region_threshold", "regions_rule", "regions_anomalous"):
        op.drop_column("predictions", name)
