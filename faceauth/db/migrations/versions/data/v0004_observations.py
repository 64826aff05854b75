"""What liveness gates measured, for tuning: no session, no account, no frame, and only the day."""

import sqlalchemy as sa
from alembic import op

revision = "data0004"
down_revision = "data0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "gate_observations",
        sa.Column("observation_id", sa.Integer, nullable=False),
        sa.Column("burst", sa.String(32), nullable=False),
        sa.Column("profile", sa.String(40), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("gate", sa.String(20), nullable=False),
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("observation_id", name="pk_gate_observations"),
    )
    op.create_index("ix_gate_observations_day", "gate_observations", ["day"])
