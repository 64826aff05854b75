"""What was erased, noted beside the keys: a restored copy of the data is replayed up to here before it serves."""

import sqlalchemy as sa
from alembic import op

revision = "keys0002"
down_revision = "keys0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of erasures."""
    op.create_table(
        "erasures",
        sa.Column("tombstone_id", sa.String(200), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("account", sa.String(200), nullable=False),
        sa.Column("scenario", sa.String(200)),
        sa.Column("reference_id", sa.String(200)),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data_keys", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("tombstone_id", name="pk_erasures"),
    )
