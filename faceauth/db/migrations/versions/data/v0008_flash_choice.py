"""Whether people may choose a session without flashing colours."""

import sqlalchemy as sa
from alembic import op

revision = "data0008"
down_revision = "data0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column; scenarios that are there keep asking everybody for the flash."""
    op.add_column("scenarios", sa.Column("flash_choice", sa.Boolean, nullable=False, server_default=sa.false()))
