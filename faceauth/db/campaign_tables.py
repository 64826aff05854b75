"""The tables of campaigns: what was asked of whom, until when, and who has not answered."""

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKeyConstraint, Index, Integer, String, Table

from faceauth.db.columns import ID, UtcDateTime
from faceauth.db.metadata import DATA

campaigns = Table(
    "campaigns",
    DATA,
    Column("campaign_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("scenario", ID, nullable=False),
    Column("notice_version", Integer, nullable=False),
    Column("audience", JSON, nullable=False),
    Column("chosen", Integer, nullable=False),
    Column("deadline", UtcDateTime, nullable=False),
    Column("on_deadline", String(10), nullable=False),
    Column("remind_days", JSON, nullable=False),
    Column("state", String(10), nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("report", JSON),
    ForeignKeyConstraint(["tenant", "scenario"], ["scenarios.tenant", "scenarios.scenario"]),
    CheckConstraint("on_deadline IN ('suspend', 'erase')", name="on_deadline"),
    CheckConstraint("state IN ('open', 'closed', 'cancelled')", name="state"),
    Index("ix_campaigns_tenant_state", "tenant", "state"),
)

# An answer is never written here: it is whatever the ledger says of the account and scenario after `after_seq`.
# Until there is one, the gate is shut for who was asked, and stays shut for who was suspended (R34).
campaign_members = Table(
    "campaign_members",
    DATA,
    Column("campaign_id", ID, primary_key=True),
    Column("account", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("scenario", ID, nullable=False),
    Column("after_seq", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("reminded", Integer, nullable=False),
    Column("asked_at", UtcDateTime),
    ForeignKeyConstraint(["campaign_id"], ["campaigns.campaign_id"]),
    ForeignKeyConstraint(["tenant", "account"], ["accounts.tenant", "accounts.account"], ondelete="CASCADE"),
    CheckConstraint("state IN ('waiting', 'asked', 'suspended', 'erased')", name="state"),
    Index("ix_campaign_members_subject", "tenant", "account", "scenario"),
    Index("ix_campaign_members_state", "campaign_id", "state", "reminded"),
)
