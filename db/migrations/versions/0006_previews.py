"""Previews: what the corrections so far make of images, until a run has judged them.

Revision ID: 0006_previews
"""

import sqlalchemy as sa
from alembic import op

revision = "0006_previews"
down_revision = "0005_operations"


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "previews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("prompt_version_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("map_blob_key", sa.String(200), nullable=False),
        sa.Column("corrections", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.id"], name=op.f("fk_previews_image_id_images"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_previews_project_id_projects")),
        sa.ForeignKeyConstraint(
            ["prompt_version_id"], ["prompt_versions.id"], name=op.f("fk_previews_prompt_version_id_prompt_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_previews")),
        sa.UniqueConstraint("image_id", name=op.f("uq_previews_image_id")),
    )
    for column in ("project_id", "prompt_version_id", "map_blob_key"):
        op.create_index(op.f(f"ix_previews_{column}"), "previews", [column])


def downgrade() -> None:
    """Drop the table: what is in it can be made again; its maps are files that nothing names then."""
    op.drop_table("previews")
