"""The tables of the console: who is signed in, sign-ins under way at a provider, and those that failed of late."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, LargeBinary, String, Table

from faceauth.db.columns import ID, UtcDateTime
from faceauth.db.metadata import DATA

# Of the cookie only the SHA-256 is kept. Either a key's id or, from an OpenID provider, a subject's mark and role.
console_sessions = Table(
    "console_sessions",
    DATA,
    Column("token_digest", LargeBinary(32), primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("key_id", ID),
    Column("subject", ID),
    Column("role", String(20)),
    Column("language", String(8), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["key_id"], ["api_keys.key_id"], ondelete="CASCADE"),
    Index("ix_console_sessions_key_id", "key_id"),
    Index("ix_console_sessions_expires_at", "expires_at"),
)

# One row for each sign-in that failed in the last quarter of an hour; the mark is a network's, keyed.
console_failures = Table(
    "console_failures",
    DATA,
    Column("failure_id", ID, primary_key=True),
    Column("mark", LargeBinary(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_console_failures_mark_at", "mark", "at"),
)

# A browser that was sent to an OpenID provider; gone when it is back, or ten minutes later.
console_logins = Table(
    "console_logins",
    DATA,
    Column("state_digest", LargeBinary(32), primary_key=True),
    Column("browser_digest", LargeBinary(32), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_console_logins_expires_at", "expires_at"),
)
