"""Predictions keep the areas of their map's regions, and what the project's rule on regions says of them.

Revision ID: 0015_verdict_rule
"""

import sqlalchemy as sa
from alembic import op

revision = "0015_verdict_rule"
down_revision = "0013_webhook_filters"


def upgrade() -> None:
    """Every project goes on judging by score."""
    op.add_column("predictions", sa.Column("region_areas", sa.JSON(), nullable=True))
    op.add_column("predictions", sa.Column("region_threshold", sa.Double(), nullable=True))
    op.add_column("predictions", sa.Column("regions_rule", sa.String(120), nullable=True))
    op.add_column("predictions", sa.Column("regions_anomalous", sa.Boolean(), nullable=True))
    op.create_index("ix_predictions_by_rule", "predictions", ["prompt_version_id", "regions_rule"])


def downgrade() -> None:
    """Every project judges by score."""
    op.drop_index("ix_predictions_by_rule", "predictions")
    for name in ("region_areas", "region_threshold", "regions_rule", "regions_anomalous"):
        op.drop_column("predictions", name)
