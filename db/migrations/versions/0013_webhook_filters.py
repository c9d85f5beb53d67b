"""Webhooks hear of every result, or of those with a verdict or of a station alone.

Revision ID: 0013_webhook_filters
"""

import sqlalchemy as sa
from alembic import op

revision = "0013_webhook_filters"
down_revision = "0012_parts"


def upgrade() -> None:
    """Those that are there go on hearing of all that they asked for."""
    op.add_column("webhooks", sa.Column("verdict", sa.String(20), nullable=True))
    op.add_column("webhooks", sa.Column("station", sa.String(200), nullable=True))


def downgrade() -> None:
    """A webhook with a filter hears of everything, and those of MQTT are not called any more."""
    op.execute("DELETE FROM webhook_messages WHERE webhook_id IN (SELECT id FROM webhooks WHERE url LIKE 'mqtt%')")
    op.execute("DELETE FROM webhooks WHERE url LIKE 'mqtt%'")
    for name in ("verdict", "station"):
        op.drop_column("webhooks", name)
