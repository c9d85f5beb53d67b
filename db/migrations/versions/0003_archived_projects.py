"""Projects can be archived: when, or NULL.

Revision ID: 0003_archived_projects
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_archived_projects"
down_revision = "0002_what_to_correct_next"


def upgrade() -> None:
    """Add the column; no project is archived."""
    op.add_column("projects", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Drop the column: archived projects are as all others again."""
    op.drop_column("projects", "archived_at")
