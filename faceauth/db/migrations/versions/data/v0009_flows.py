"""Flows: links to the hosted page, each for one person, one scenario and one use."""

import sqlalchemy as sa
from alembic import op

revision = "data0009"
down_revision = "data0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "flows",
        sa.Column("flow_id", sa.String(200), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("scenario", sa.String(200), nullable=False),
        sa.Column("purpose", sa.String(10), nullable=False),
        sa.Column("return_url", sa.Text, nullable=False),
        sa.Column("locale", sa.String(35)),
        sa.Column("reauthenticated_at", sa.DateTime(timezone=True)),
        sa.Column("token_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("session_id", sa.String(200)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("flow_id", name="pk_flows"),
        sa.ForeignKeyConstraint(
            ["tenant", "account"], ["accounts.tenant", "accounts.account"], name="fk_flows_accounts"
        ),
        sa.CheckConstraint(
            "state IN ('minted', 'begun', 'refused', 'denied', 'capturing')", name="ck_flows_state"
        ),
    )
    op.create_index("ix_flows_tenant_account", "flows", ["tenant", "account"])
