"""The table of flows: links to the hosted page, each for one person, one scenario and one use."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, LargeBinary, String, Table, Text

from faceauth.db.columns import ID, UtcDateTime
from faceauth.db.metadata import DATA

# Of the link's token, and of the page's after it, only the SHA-256 is kept.
flows = Table(
    "flows",
    DATA,
    Column("flow_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("account", ID, nullable=False),
    Column("scenario", ID, nullable=False),
    Column("purpose", String(10), nullable=False),
    Column("return_url", Text, nullable=False),
    Column("locale", String(35)),
    Column("reauthenticated_at", UtcDateTime),
    Column("token_digest", LargeBinary(32), nullable=False),
    Column("state", String(10), nullable=False),
    Column("reason", String(40)),
    Column("session_id", ID),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["tenant", "account"], ["accounts.tenant", "accounts.account"]),
    CheckConstraint("state IN ('minted', 'begun', 'refused', 'denied', 'capturing')", name="state"),
    Index("ix_flows_tenant_account", "tenant", "account"),
)
