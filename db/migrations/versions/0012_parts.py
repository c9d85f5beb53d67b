"""Images carry part, lot, station, time of capture and tags; inspections that a worker elsewhere answers.

Revision ID: 0012_parts
"""

import sqlalchemy as sa
from alembic import op

revision = "0012_parts"
down_revision = "0011_scoring_claims"

TEXTS = ("part", "lot", "station")


def upgrade() -> None:
    """Of the images that are there nothing is known."""
    for name in TEXTS:
        op.add_column("images", sa.Column(name, sa.String(200), nullable=True))
    op.add_column("images", sa.Column("captured_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("images", sa.Column("tags", sa.JSON(), nullable=True))
    op.add_column("images", sa.Column("compared_facts", sa.Text(), nullable=True))
    op.create_table(
        "inspections",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("blob_key", sa.String(200), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspections")),
    )
    for column in ("blob_key", "until"):
        op.create_index(op.f(f"ix_inspections_{column}"), "inspections", [column])


def downgrade() -> None:
    """What was said of parts is forgotten."""
    op.drop_table("inspections")
    for name in (*TEXTS, "captured_at", "tags", "compared_facts"):
        op.drop_column("images", name)
