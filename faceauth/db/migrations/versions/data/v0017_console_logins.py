"""Sign-ins to the console that are under way at an OpenID provider."""

import sqlalchemy as sa
from alembic import op

revision = "data0017"
down_revision = "data0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add an empty table."""
    op.create_table(
        "console_logins",
        sa.Column("state_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("browser_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("verifier", sa.String(64), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_digest", name="pk_console_logins"),
    )
    op.create_index("ix_console_logins_expires_at", "console_logins", ["expires_at"])
