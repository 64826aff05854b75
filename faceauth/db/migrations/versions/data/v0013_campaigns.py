"""Webhooks and their outbox; campaigns and who was asked."""

import sqlalchemy as sa
from alembic import op

revision = "data0013"
down_revision = "data0012"
branch_labels = None
depends_on = None

_ACCOUNT = (["tenant", "account"], ["accounts.tenant", "accounts.account"])


def upgrade() -> None:
    """Add four empty tables."""
    _outbox()
    _campaigns()


def _outbox() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("endpoint_id", sa.String(200), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("old_salt", sa.LargeBinary(32)),
        sa.Column("old_until", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("endpoint_id", name="pk_webhook_endpoints"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.tenant"], name="fk_webhook_endpoints_tenants"),
    )
    op.create_index("ix_webhook_endpoints_tenant", "webhook_endpoints", ["tenant"])
    op.create_table(
        "outbox",
        sa.Column("message_id", sa.String(200), nullable=False),
        sa.Column("endpoint_id", sa.String(200), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("account", sa.String(200)),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("problem", sa.String(60)),
        sa.PrimaryKeyConstraint("message_id", "endpoint_id", name="pk_outbox"),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoints.endpoint_id"], name="fk_outbox_webhook_endpoints"
        ),
        sa.ForeignKeyConstraint(*_ACCOUNT, name="fk_outbox_accounts", ondelete="CASCADE"),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'dead')", name="ck_outbox_state"),
    )
    op.create_index("ix_outbox_state_due_at", "outbox", ["state", "due_at"])
    op.create_index("ix_outbox_tenant_account", "outbox", ["tenant", "account"])


def _campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("campaign_id", sa.String(200), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("scenario", sa.String(200), nullable=False),
        sa.Column("notice_version", sa.Integer, nullable=False),
        sa.Column("audience", sa.JSON, nullable=False),
        sa.Column("chosen", sa.Integer, nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on_deadline", sa.String(10), nullable=False),
        sa.Column("remind_days", sa.JSON, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("report", sa.JSON),
        sa.PrimaryKeyConstraint("campaign_id", name="pk_campaigns"),
        sa.ForeignKeyConstraint(
            ["tenant", "scenario"], ["scenarios.tenant", "scenarios.scenario"], name="fk_campaigns_scenarios"
        ),
        sa.CheckConstraint("on_deadline IN ('suspend', 'erase')", name="ck_campaigns_on_deadline"),
        sa.CheckConstraint("state IN ('open', 'closed', 'cancelled')", name="ck_campaigns_state"),
    )
    op.create_index("ix_campaigns_tenant_state", "campaigns", ["tenant", "state"])
    op.create_table(
        "campaign_members",
        sa.Column("campaign_id", sa.String(200), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("scenario", sa.String(200), nullable=False),
        sa.Column("after_seq", sa.Integer, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reminded", sa.Integer, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("campaign_id", "account", name="pk_campaign_members"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.campaign_id"], name="fk_campaign_members_campaigns"),
        sa.ForeignKeyConstraint(*_ACCOUNT, name="fk_campaign_members_accounts", ondelete="CASCADE"),
        sa.CheckConstraint(
            "state IN ('waiting', 'asked', 'suspended', 'erased')", name="ck_campaign_members_state"
        ),
    )
    op.create_index("ix_campaign_members_subject", "campaign_members", ["tenant", "account", "scenario"])
    op.create_index("ix_campaign_members_state", "campaign_members", ["campaign_id", "state", "reminded"])
