"""Veiled sessions, tokens that were revoked, and where attempts come from."""

import sqlalchemy as sa
from alembic import op

revision = "data0011"
down_revision = "data0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add three columns to the sessions, and two empty tables."""
    op.add_column("sessions", sa.Column("veiled", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("sessions", sa.Column("withheld", sa.String(40)))
    op.add_column("sessions", sa.Column("token_revoked_at", sa.DateTime(timezone=True)))
    op.create_table(
        "place_attempts",
        sa.Column("mark", sa.LargeBinary(32), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("mark", name="pk_place_attempts"),
    )
    op.create_index("ix_place_attempts_since", "place_attempts", ["since"])
    op.create_table(
        "session_places",
        sa.Column("session_id", sa.String(200), nullable=False),
        sa.Column("network", sa.LargeBinary(32)),
        sa.Column("device", sa.LargeBinary(32)),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_session_places"),
    )
    op.create_index("ix_session_places_expires_at", "session_places", ["expires_at"])
