"""The tables of the outbox: where messages go, and those that are on their way."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from faceauth.db.columns import ID, UtcDateTime
from faceauth.db.metadata import DATA

# No secret is here: each is derived from the keyring and the salt. After a rotation the old salt signs as well.
webhook_endpoints = Table(
    "webhook_endpoints",
    DATA,
    Column("endpoint_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("url", Text, nullable=False),
    Column("salt", LargeBinary(32), nullable=False),
    Column("old_salt", LargeBinary(32)),
    Column("old_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    ForeignKeyConstraint(["tenant"], ["tenants.tenant"]),
    Index("ix_webhook_endpoints_tenant", "tenant"),
)

# One row a message and endpoint. A message about a person goes with the person's account.
outbox = Table(
    "outbox",
    DATA,
    Column("message_id", ID, primary_key=True),
    Column("endpoint_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("account", ID),
    Column("kind", String(60), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("problem", String(60)),
    ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoints.endpoint_id"]),
    ForeignKeyConstraint(["tenant", "account"], ["accounts.tenant", "accounts.account"], ondelete="CASCADE"),
    CheckConstraint("state IN ('pending', 'delivered', 'dead')", name="state"),
    Index("ix_outbox_state_due_at", "state", "due_at"),
    Index("ix_outbox_tenant_account", "tenant", "account"),
)
