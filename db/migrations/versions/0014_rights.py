"""Tokens have a scope, one project and an end; projects may be for their members alone.

Revision ID: 0014_rights
"""

import sqlalchemy as sa
from alembic import op

revision = "0014_rights"
down_revision = "0013_webhook_filters"


def upgrade() -> None:
    """Tokens and projects that are there stay what they are: for everything, and open to all users."""
    with op.batch_alter_table("api_tokens") as table:
        table.add_column(sa.Column("scope", sa.String(20), nullable=False, server_default="all"))
        table.add_column(sa.Column("project_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
        table.create_foreign_key("fk_api_tokens_project_id_projects", "projects", ["project_id"], ["id"])
    op.add_column("projects", sa.Column("members_only", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "project_members",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_project_members_project_id_projects"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_project_members_user_id_users"),
        sa.PrimaryKeyConstraint("id", name="pk_project_members"),
        sa.UniqueConstraint("project_id", "user_id", name="uq_project_members_project_id_user_id"),
    )
    op.create_index("ix_project_members_user_id", "project_members", ["user_id"])


def downgrade() -> None:
    """Tokens that are not for everything are gone, as they would be; all users see all projects again."""
    op.execute("DELETE FROM api_tokens WHERE scope <> 'all' OR project_id IS NOT NULL OR ends_at IS NOT NULL")
    op.drop_table("project_members")
    op.drop_column("projects", "members_only")
    with op.batch_alter_table("api_tokens") as table:
        table.drop_constraint("fk_api_tokens_project_id_projects", type_="foreignkey")
        for name in ("ends_at", "project_id", "scope"):
            table.drop_column(name)
