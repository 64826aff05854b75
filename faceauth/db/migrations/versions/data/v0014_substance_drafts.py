"""What a notice promises beside its words, drafts of them, and accounts whose processing is restricted."""

import sqlalchemy as sa
from alembic import op

revision = "data0014"
down_revision = "data0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add three empty columns and a table; older notices keep none, as nobody wrote it down for them."""
    op.add_column("notices", sa.Column("substance", sa.JSON))
    op.add_column("notices", sa.Column("because", sa.JSON))
    op.add_column("accounts", sa.Column("restricted_at", sa.DateTime(timezone=True)))
    op.create_table(
        "drafts",
        sa.Column("draft_id", sa.String(200), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("scenario", sa.String(200), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("draft_id", name="pk_drafts"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.tenant"], name="fk_drafts_tenants"),
        sa.CheckConstraint("kind IN ('scenario', 'notice')", name="ck_drafts_kind"),
    )
    op.create_index("ix_drafts_tenant", "drafts", ["tenant"])
