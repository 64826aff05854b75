"""The OpenID provider's tables, and the accounts that people have elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "data0010"
down_revision = "data0009"
branch_labels = None
depends_on = None


def _id(name: str, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(200), nullable=nullable)


def _at(name: str, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of(table: str, parent: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{parent}.{column}"], name=f"fk_{table}_{parent}", ondelete="CASCADE")


def upgrade() -> None:
    """Add six empty tables."""
    op.create_table(
        "openid_clients",
        _id("client_id"),
        _id("tenant"),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(32)),
        sa.Column("native", sa.Boolean, nullable=False),
        _id("scenario"),
        sa.Column("redirect_uris", sa.JSON, nullable=False),
        sa.Column("post_logout_redirect_uris", sa.JSON, nullable=False),
        sa.Column("offline", sa.Boolean, nullable=False),
        _at("created_at"),
        _at("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("client_id", name="pk_openid_clients"),
        sa.ForeignKeyConstraint(
            ["tenant", "scenario"],
            ["scenarios.tenant", "scenarios.scenario"],
            name="fk_openid_clients_scenarios",
        ),
    )
    op.create_index("ix_openid_clients_tenant", "openid_clients", ["tenant"])
    op.create_table(
        "openid_requests",
        _id("request_id"),
        _id("client_id"),
        sa.Column("browser", sa.LargeBinary(32), nullable=False),
        sa.Column("asked", sa.JSON, nullable=False),
        _id("session_id", nullable=True),
        _at("created_at"),
        _at("expires_at"),
        sa.PrimaryKeyConstraint("request_id", name="pk_openid_requests"),
        sa.UniqueConstraint("session_id", name="uq_openid_requests_session_id"),
        _of("openid_requests", "openid_clients", "client_id"),
    )
    op.create_index("ix_openid_requests_expires_at", "openid_requests", ["expires_at"])
    op.create_table(
        "openid_grants",
        _id("grant_id"),
        _id("client_id"),
        *(_id(name) for name in ("tenant", "account", "scenario", "consent_id")),
        sa.Column("scope", sa.String(200), nullable=False),
        sa.Column("nonce", sa.Text),
        _at("auth_time"),
        sa.Column("acr", sa.String(100), nullable=False),
        sa.Column("amr", sa.JSON, nullable=False),
        _at("expires_at"),
        sa.PrimaryKeyConstraint("grant_id", name="pk_openid_grants"),
        _of("openid_grants", "openid_clients", "client_id"),
        sa.ForeignKeyConstraint(
            ["tenant", "account", "scenario", "consent_id"],
            [f"live_consents.{name}" for name in ("tenant", "account", "scenario", "consent_id")],
            name="fk_openid_grants_live_consents",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_openid_grants_subject", "openid_grants", ["tenant", "account"])
    op.create_index("ix_openid_grants_expires_at", "openid_grants", ["expires_at"])
    op.create_table(
        "openid_codes",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        _id("grant_id"),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("code_challenge", sa.String(128), nullable=False),
        _at("expires_at"),
        _at("used_at", nullable=True),
        sa.PrimaryKeyConstraint("digest", name="pk_openid_codes"),
        _of("openid_codes", "openid_grants", "grant_id"),
    )
    op.create_index("ix_openid_codes_grant_id", "openid_codes", ["grant_id"])
    op.create_table(
        "openid_tokens",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        _id("grant_id"),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("scope", sa.String(200), nullable=False),
        _at("expires_at"),
        _at("used_at", nullable=True),
        sa.PrimaryKeyConstraint("digest", name="pk_openid_tokens"),
        sa.CheckConstraint("kind IN ('access', 'refresh')", name="ck_openid_tokens_kind"),
        _of("openid_tokens", "openid_grants", "grant_id"),
    )
    op.create_index("ix_openid_tokens_grant_id", "openid_tokens", ["grant_id"])
    op.create_table(
        "account_links",
        _id("tenant"),
        _id("account"),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        _at("linked_at"),
        sa.PrimaryKeyConstraint("tenant", "account", "provider", name="pk_account_links"),
        sa.UniqueConstraint("tenant", "provider", "subject", name="uq_account_links_tenant_provider_subject"),
        sa.ForeignKeyConstraint(
            ["tenant", "account"],
            ["accounts.tenant", "accounts.account"],
            name="fk_account_links_accounts",
            ondelete="CASCADE",
        ),
    )
