"""Images of more than 8 bits are seen by a rule; names are compared in one form.

Revision ID: 0009_depth_rule
"""

import sqlalchemy as sa
from alembic import op

from names import compared

revision = "0009_depth_rule"
down_revision = "0008_backbone_choice"

_CHUNK = 1000


def upgrade() -> None:
    """What was scored before keeps its scores: the rule counts for the images that come from now on."""
    # Not by alembic's batches: they would make the table anew, and SQLite forget the highest id that was ever given.
    op.add_column("images", sa.Column("depth", sa.String(80), nullable=True))
    op.add_column("images", sa.Column("compared_name", sa.String(800), nullable=True))
    connection = op.get_bind()
    images = sa.table("images", sa.column("id"), sa.column("file_name"), sa.column("compared_name"))
    renamed = sa.update(images).where(images.c.id == sa.bindparam("image")).values(compared_name=sa.bindparam("name"))
    last = 0
    while rows := connection.execute(
        sa.select(images.c.id, images.c.file_name).where(images.c.id > last).order_by(images.c.id).limit(_CHUNK)
    ).all():
        connection.execute(renamed, [{"image": row.id, "name": compared(row.file_name)} for row in rows])
        last = rows[-1].id


def downgrade() -> None:
    """Each image is seen by itself again."""
    op.drop_column("images", "compared_name")
    op.drop_column("images", "depth")
