"""Sessions over the stream, scenarios that allow only that, and what the frames of a person's sessions looked like."""

import sqlalchemy as sa
from alembic import op

revision = "data0003"
down_revision = "data0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns and a table; sessions and scenarios that are there stay as they are."""
    for table, column in (("scenarios", "stream_only"), ("sessions", "streamed")):
        op.add_column(table, sa.Column(column, sa.Boolean, nullable=False, server_default=sa.false()))
    names = ("tenant", "account", "scenario", "consent_id")
    op.create_table(
        "seen_views",
        sa.Column("session_id", sa.String(200), nullable=False),
        *(sa.Column(name, sa.String(200), nullable=False) for name in names),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_seen_views"),
        sa.ForeignKeyConstraint(
            names,
            [f"live_consents.{name}" for name in names],
            name="fk_seen_views_live_consents",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_seen_views_subject", "seen_views", ["tenant", "account"])
    op.create_index("ix_seen_views_seen_at", "seen_views", ["seen_at"])
