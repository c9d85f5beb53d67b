"""A golden set that every candidate is held to; kinds of defect, which corrections name; comments on corrections.

Revision ID: 0015_reasons_and_golden_set
"""

import sqlalchemy as sa
from alembic import op

revision = "0015_reasons_and_golden_set"
down_revision = "0014_rights"


def upgrade() -> None:
    """No image is golden yet, and corrections stay as they are."""
    op.add_column("images", sa.Column("golden", sa.Boolean(), nullable=False, server_default=sa.false()))
    golden = sa.text("golden")
    op.create_index("ix_images_golden", "images", ["project_id"], sqlite_where=golden, postgresql_where=golden)
    op.add_column("annotations", sa.Column("comment", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "defect_kinds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("compared_name", sa.String(400), nullable=False),
        sa.Column("colour", sa.String(7), nullable=False),
        sa.Column("key", sa.String(1), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("example_ids", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_defect_kinds_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_defect_kinds")),
        sa.UniqueConstraint("project_id", "compared_name", name=op.f("uq_defect_kinds_project_id_compared_name")),
        sa.UniqueConstraint("project_id", "key", name=op.f("uq_defect_kinds_project_id_key")),
    )
    op.create_table(
        "named_defects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("annotation_id", sa.Integer(), nullable=False),
        sa.Column("kind_id", sa.Integer(), nullable=False),
        sa.Column("x", sa.Integer(), nullable=True),
        sa.Column("y", sa.Integer(), nullable=True),
        sa.Column("area", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["annotation_id"],
            ["annotations.id"],
            name=op.f("fk_named_defects_annotation_id_annotations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["kind_id"], ["defect_kinds.id"], name=op.f("fk_named_defects_kind_id_defect_kinds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_named_defects")),
    )
    for column in ("annotation_id", "kind_id"):
        op.create_index(op.f(f"ix_named_defects_{column}"), "named_defects", [column])


def downgrade() -> None:
    """Kinds and comments are forgotten, and golden images are learnt from as any other."""
    op.drop_table("named_defects")
    op.drop_table("defect_kinds")
    op.drop_column("annotations", "comment")
    op.drop_index("ix_images_golden", "images")
    op.drop_column("images", "golden")
