"""Wrapped data keys."""

import sqlalchemy as sa
from alembic import op

revision = "keys0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of wrapped data keys."""
    op.create_table(
        "data_keys",
        sa.Column("data_key_id", sa.String(200), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("data_key_id", name="pk_data_keys"),
        sa.UniqueConstraint("tenant", "account", "generation", name="uq_data_keys_tenant_account_generation"),
    )
