"""Images that stand out among the others of a project of which nothing was learnt yet.

Revision ID: 0010_stands_out
"""

import sqlalchemy as sa
from alembic import op

revision = "0010_stands_out"
down_revision = "0009_depth_rule"


def upgrade() -> None:
    """Until images are scored or compared anew, verdicts are by the threshold, as they were."""
    op.add_column("predictions", sa.Column("stands_out", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """All verdicts are by the threshold."""
    with op.batch_alter_table("predictions") as table:
        table.drop_column("stands_out")
