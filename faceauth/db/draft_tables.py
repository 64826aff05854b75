"""The table of drafts: scenarios and notices that nobody has been shown yet."""

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKeyConstraint, Index, String, Table

from faceauth.db.columns import ID, UtcDateTime
from faceauth.db.metadata import DATA

# `content` is what publishing would be asked for; nothing of it holds before that.
drafts = Table(
    "drafts",
    DATA,
    Column("draft_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("scenario", ID, nullable=False),
    Column("content", JSON, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["tenant"], ["tenants.tenant"]),
    CheckConstraint("kind IN ('scenario', 'notice')", name="kind"),
    Index("ix_drafts_tenant", "tenant"),
)
