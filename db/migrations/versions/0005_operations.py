"""What a service needs: reports of workers, keys of uploads, webhooks and their messages.

Revision ID: 0005_operations
"""

import sqlalchemy as sa
from alembic import op

revision = "0005_operations"
down_revision = "0004_accounts"

WAITING = sa.text("state = 'waiting'")
Time = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, empty."""
    op.create_table(
        "worker_reports",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("queues", sa.JSON(), nullable=False),
        sa.Column("engine", sa.JSON(), nullable=False),
        sa.Column("started_at", Time, nullable=False),
        sa.Column("reported_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_reports")),
    )
    op.create_index(op.f("ix_worker_reports_reported_at"), "worker_reports", ["reported_at"])
    op.create_table(
        "upload_keys",
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("created_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_upload_keys")),
    )
    op.create_index(op.f("ix_upload_keys_created_at"), "upload_keys", ["created_at"])
    _webhooks()


def downgrade() -> None:
    """Drop the tables: no image, correction, run or prompt is in them."""
    for table in ("webhook_messages", "webhooks", "upload_keys", "worker_reports"):
        op.drop_table(table)


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("secret", sa.String(100), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_webhooks_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index(op.f("ix_webhooks_project_id"), "webhooks", ["project_id"])
    op.create_table(
        "webhook_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(50), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", Time, nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("delivered_at", Time, nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_messages_webhook_id_webhooks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_messages")),
    )
    op.create_index(op.f("ix_webhook_messages_webhook_id"), "webhook_messages", ["webhook_id"])
    op.create_index(
        "ix_webhook_messages_waiting",
        "webhook_messages",
        ["next_at"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
