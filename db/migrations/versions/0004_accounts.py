"""Accounts: users, what they sign in with, the audit log; and runs and versions say who made them.

Revision ID: 0004_accounts
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_accounts"
down_revision = "0003_archived_projects"

TIME = sa.DateTime(timezone=True)
# Table → who makes or chooses its rows; rows of before were made on a machine of one's own.
AUTHORS = {"tuning_runs": ("author",), "prompt_versions": ("author", "activated_by")}


def upgrade() -> None:
    """Make the tables and add the columns; there is no account yet."""
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("disabled_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    _secrets("sessions", sa.Column("expires_at", TIME, nullable=False))
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    _secrets(
        "api_tokens",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("hint", sa.String(20), nullable=False),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
    )
    op.create_table(
        "login_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("address", sa.String(100), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("first_at", TIME, nullable=False),
        sa.Column("locked_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_login_attempts"),
        sa.UniqueConstraint("name", "address", name="uq_login_attempts_name_address"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("user_name", sa.String(100), nullable=False),
        sa.Column("via", sa.String(20), nullable=False),
        sa.Column("address", sa.String(100), nullable=False),
        sa.Column("action", sa.String(200), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_user_name", "audit", ["user_name"])
    for table, columns in AUTHORS.items():
        for name in columns:
            op.add_column(table, sa.Column(name, sa.String(100), nullable=False, server_default="local"))


def downgrade() -> None:
    """Drop the columns, then the tables: accounts and the audit log are gone."""
    for name, columns in AUTHORS.items():
        with op.batch_alter_table(name) as table:
            for column in reversed(columns):
                table.drop_column(column)
    for name in ("audit", "login_attempts", "api_tokens", "sessions", "users"):
        op.drop_table(name)


def _secrets(table: str, *columns: sa.Column) -> None:
    """A table of secrets that belong to users."""
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=f"fk_{table}_user_id_users"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("secret_sha256", name=f"uq_{table}_secret_sha256"),
    )
    op.create_index(f"ix_{table}_user_id", table, ["user_id"])
