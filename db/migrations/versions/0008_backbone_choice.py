"""Which backbone an installation uses, where the environment does not say, and the one that is being brought in.

Revision ID: 0008_backbone_choice
"""

import sqlalchemy as sa
from alembic import op

revision = "0008_backbone_choice"
down_revision = "0007_what_is_over"

Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Nothing is chosen: the setting counts, as before."""
    op.create_table(
        "backbone_choice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("previous", sa.String(500), nullable=False),
        sa.Column("wanted", sa.String(500), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("done_bytes", sa.BigInteger(), nullable=False),
        sa.Column("total_bytes", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("heartbeat_at", Time, nullable=True),
        sa.Column("changed_at", Time, nullable=True),
        sa.Column("measured", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backbone_choice")),
    )


def downgrade() -> None:
    """The setting counts again."""
    op.drop_table("backbone_choice")
