"""The tables of the OpenID provider: clients, login requests, what was granted, and accounts linked elsewhere."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from faceauth.db.columns import ID, UtcDateTime
from faceauth.db.metadata import DATA

# A public client has no digest. Of secrets, codes and tokens only SHA-256 is kept: each is 256 random bits.
openid_clients = Table(
    "openid_clients",
    DATA,
    Column("client_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("name", String(100), nullable=False),
    Column("secret_digest", LargeBinary(32)),
    Column("native", Boolean, nullable=False),
    Column("scenario", ID, nullable=False),
    Column("redirect_uris", JSON, nullable=False),
    Column("post_logout_redirect_uris", JSON, nullable=False),
    Column("offline", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    ForeignKeyConstraint(["tenant", "scenario"], ["scenarios.tenant", "scenarios.scenario"]),
    Index("ix_openid_clients_tenant", "tenant"),
)

# One row a login under way, in one browser; gone when it is answered.
openid_requests = Table(
    "openid_requests",
    DATA,
    Column("request_id", ID, primary_key=True),
    Column("client_id", ID, nullable=False),
    Column("browser", LargeBinary(32), nullable=False),
    Column("asked", JSON, nullable=False),
    Column("session_id", ID, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["client_id"], ["openid_clients.client_id"], ondelete="CASCADE"),
    Index("ix_openid_requests_expires_at", "expires_at"),
)

# One row a login that a client was told of. It goes with the consent it stands on, whoever deletes that.
openid_grants = Table(
    "openid_grants",
    DATA,
    Column("grant_id", ID, primary_key=True),
    Column("client_id", ID, nullable=False),
    Column("tenant", ID, nullable=False),
    Column("account", ID, nullable=False),
    Column("scenario", ID, nullable=False),
    Column("consent_id", ID, nullable=False),
    Column("scope", String(200), nullable=False),
    Column("nonce", Text),
    Column("auth_time", UtcDateTime, nullable=False),
    Column("acr", String(100), nullable=False),
    Column("amr", JSON, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["client_id"], ["openid_clients.client_id"], ondelete="CASCADE"),
    ForeignKeyConstraint(
        ["tenant", "account", "scenario", "consent_id"],
        [
            "live_consents.tenant",
            "live_consents.account",
            "live_consents.scenario",
            "live_consents.consent_id",
        ],
        ondelete="CASCADE",
    ),
    Index("ix_openid_grants_subject", "tenant", "account"),
    Index("ix_openid_grants_expires_at", "expires_at"),
)

openid_codes = Table(
    "openid_codes",
    DATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("grant_id", ID, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("code_challenge", String(128), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    ForeignKeyConstraint(["grant_id"], ["openid_grants.grant_id"], ondelete="CASCADE"),
    Index("ix_openid_codes_grant_id", "grant_id"),
)

# Refresh tokens that were used stay until their grant ends: a second use of one is how a theft shows.
openid_tokens = Table(
    "openid_tokens",
    DATA,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("grant_id", ID, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("scope", String(200), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    CheckConstraint("kind IN ('access', 'refresh')", name="kind"),
    ForeignKeyConstraint(["grant_id"], ["openid_grants.grant_id"], ondelete="CASCADE"),
    Index("ix_openid_tokens_grant_id", "grant_id"),
)

# Who the person is elsewhere, as the application says: one account there is one account here.
account_links = Table(
    "account_links",
    DATA,
    Column("tenant", ID, primary_key=True),
    Column("account", ID, primary_key=True),
    Column("provider", String(64), primary_key=True),
    Column("subject", String(255), nullable=False),
    Column("linked_at", UtcDateTime, nullable=False),
    UniqueConstraint("tenant", "provider", "subject"),
    ForeignKeyConstraint(["tenant", "account"], ["accounts.tenant", "accounts.account"], ondelete="CASCADE"),
)
