"""Workers claim the images that they score, so that no two score the same.

Revision ID: 0011_scoring_claims
"""

import sqlalchemy as sa
from alembic import op

revision = "0011_scoring_claims"
down_revision = "0010_stands_out"


def upgrade() -> None:
    """Make the table, empty: nobody scores anything."""
    op.create_table(
        "scoring_claims",
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(200), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_scoring_claims_image_id_images"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_scoring_claims")),
    )
    op.create_index(op.f("ix_scoring_claims_worker"), "scoring_claims", ["worker"])


def downgrade() -> None:
    """Whoever scores goes on, and others may score the same."""
    op.drop_table("scoring_claims")
