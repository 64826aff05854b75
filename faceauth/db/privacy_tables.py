"""The table of links to the privacy page: each for one person, opened once, then good for one visit."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, LargeBinary, Table

from faceauth.db.columns import ID, UtcDateTime
from faceauth.db.metadata import DATA

# Of the link's token, and of the page's after it, only the SHA-256 is kept.
privacy_links = Table(
    "privacy_links",
    DATA,
    Column("token_digest", LargeBinary(32), primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("account", ID, nullable=False),
    Column("opened", Boolean, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["tenant", "account"], ["accounts.tenant", "accounts.account"], ondelete="CASCADE"),
    Index("ix_privacy_links_tenant_account", "tenant", "account"),
    Index("ix_privacy_links_expires_at", "expires_at"),
)
