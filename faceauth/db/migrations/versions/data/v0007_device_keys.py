"""Device keys, what a scenario asks of them, and transactions that a session is opened for."""

import sqlalchemy as sa
from alembic import op

revision = "data0007"
down_revision = "data0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two tables and five columns; scenarios that are there use a device key where one is proven."""
    def subject() -> "list[sa.Column[str]]":
        return [sa.Column(name, sa.String(200), nullable=False) for name in ("tenant", "account")]

    accounts = (["tenant", "account"], ["accounts.tenant", "accounts.account"])
    op.create_table(
        "device_keys",
        sa.Column("device_id", sa.String(200), nullable=False),
        *subject(),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("label", sa.String(100), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("key_name", sa.LargeBinary, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("attestation", sa.String(20), nullable=False),
        sa.Column("hardware", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("device_id", name="pk_device_keys"),
        sa.ForeignKeyConstraint(*accounts, name="fk_device_keys_accounts"),
        sa.CheckConstraint("kind IN ('webauthn', 'raw')", name="ck_device_keys_kind"),
        sa.UniqueConstraint("tenant", "key_digest", name="uq_device_keys_tenant_key_digest"),
    )
    op.create_index("ix_device_keys_tenant_account", "device_keys", ["tenant", "account"])
    op.create_table(
        "device_challenges",
        *subject(),
        sa.Column("challenge", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "account", name="pk_device_challenges"),
        sa.ForeignKeyConstraint(*accounts, name="fk_device_challenges_accounts"),
    )
    op.add_column(
        "scenarios", sa.Column("device_key", sa.String(10), nullable=False, server_default="preferred")
    )
    for column, kind in (
        ("device_id", sa.String(200)),
        ("device_strength", sa.String(3)),
        ("transaction_text", sa.Text),
        ("transaction_locale", sa.String(35)),
    ):
        op.add_column("sessions", sa.Column(column, kind))
