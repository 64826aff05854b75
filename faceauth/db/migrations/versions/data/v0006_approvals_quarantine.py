"""Acts that need a second person, and references that do not open."""

import sqlalchemy as sa
from alembic import op

revision = "data0006"
down_revision = "data0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "approvals",
        sa.Column("approval_id", sa.String(200), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("requested_by", sa.String(100), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(100)),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("used_by", sa.String(100)),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("approval_id", name="pk_approvals"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.tenant"], name="fk_approvals_tenants"),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'rejected', 'used')", name="ck_approvals_state"
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'used') OR decided_by <> requested_by", name="ck_approvals_two_people"
        ),
    )
    op.create_index("ix_approvals_digest", "approvals", ["tenant", "digest"])
    op.create_table(
        "quarantine",
        sa.Column("reference_id", sa.String(200), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reference_id", name="pk_quarantine"),
        sa.ForeignKeyConstraint(
            ["reference_id"],
            ["biometric_references.reference_id"],
            name="fk_quarantine_biometric_references",
            ondelete="CASCADE",
        ),
    )
