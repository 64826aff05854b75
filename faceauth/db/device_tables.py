"""The tables of device keys: the keys that accounts bound, and the challenges that a binding answers."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from faceauth.db.columns import ID, UtcDateTime
from faceauth.db.metadata import DATA

_ACCOUNT = (["tenant", "account"], ["accounts.tenant", "accounts.account"])

# Public keys only. One device may serve several people, one key may not: `key_digest` names it within a tenant.
device_keys = Table(
    "device_keys",
    DATA,
    Column("device_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("account", ID, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("label", String(100), nullable=False),
    Column("key_digest", LargeBinary(32), nullable=False),
    Column("key_name", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("attestation", String(20), nullable=False),
    Column("hardware", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
    ForeignKeyConstraint(*_ACCOUNT),
    CheckConstraint("kind IN ('webauthn', 'raw')", name="kind"),
    UniqueConstraint("tenant", "key_digest"),
    Index("ix_device_keys_tenant_account", "tenant", "account"),
)

# One row an account: drawing another challenge replaces the one before, and binding takes it away.
device_challenges = Table(
    "device_challenges",
    DATA,
    Column("tenant", ID, primary_key=True),
    Column("account", ID, primary_key=True),
    Column("challenge", LargeBinary(32), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(*_ACCOUNT),
)
