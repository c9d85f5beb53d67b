"""Webhooks rest while they fail and are switched off when they stay dead; a run that is over names no checkpoint.

Revision ID: 0007_what_is_over
"""

import sqlalchemy as sa
from alembic import op

revision = "0007_what_is_over"
down_revision = "0006_previews"

Time = sa.DateTime(timezone=True)
COLUMNS = ("failing_since", "resting_until", "disabled_at")


def upgrade() -> None:
    """All webhooks are well; the files of checkpoints are gone, or belong to nothing from now on."""
    over = "state IN ('succeeded', 'failed', 'cancelled')"
    op.execute(f"UPDATE tuning_runs SET checkpoint_blob_key = NULL WHERE {over}")
    with op.batch_alter_table("webhooks") as table:
        table.add_column(sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("note", sa.Text(), nullable=False, server_default=""))
        for name in COLUMNS:
            table.add_column(sa.Column(name, Time, nullable=True))
    with op.batch_alter_table("webhooks") as table:
        table.alter_column("failures", server_default=None)
        table.alter_column("note", server_default=None)


def downgrade() -> None:
    """What failed is tried as if it had not."""
    with op.batch_alter_table("webhooks") as table:
        for name in ("failures", "note", *COLUMNS):
            table.drop_column(name)
