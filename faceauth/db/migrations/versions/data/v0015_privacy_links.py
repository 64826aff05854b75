"""Links to the privacy page."""

import sqlalchemy as sa
from alembic import op

revision = "data0015"
down_revision = "data0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add an empty table."""
    op.create_table(
        "privacy_links",
        sa.Column("token_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("opened", sa.Boolean, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_digest", name="pk_privacy_links"),
        sa.ForeignKeyConstraint(
            ["tenant", "account"],
            ["accounts.tenant", "accounts.account"],
            name="fk_privacy_links_accounts",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_privacy_links_tenant_account", "privacy_links", ["tenant", "account"])
    op.create_index("ix_privacy_links_expires_at", "privacy_links", ["expires_at"])
