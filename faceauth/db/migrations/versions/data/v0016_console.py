"""Who is signed in to the console, and sign-ins that failed."""

import sqlalchemy as sa
from alembic import op

revision = "data0016"
down_revision = "data0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two empty tables."""
    op.create_table(
        "console_sessions",
        sa.Column("token_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("key_id", sa.String(200)),
        sa.Column("subject", sa.String(200)),
        sa.Column("role", sa.String(20)),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_digest", name="pk_console_sessions"),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.key_id"], name="fk_console_sessions_api_keys", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_console_sessions_key_id", "console_sessions", ["key_id"])
    op.create_index("ix_console_sessions_expires_at", "console_sessions", ["expires_at"])
    op.create_table(
        "console_failures",
        sa.Column("failure_id", sa.String(200), nullable=False),
        sa.Column("mark", sa.LargeBinary(32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("failure_id", name="pk_console_failures"),
    )
    op.create_index("ix_console_failures_mark_at", "console_failures", ["mark", "at"])
