"""What the tries of a place are counted for, so that an operator can be told which limit holds."""

import sqlalchemy as sa
from alembic import op

revision = "data0018"
down_revision = "data0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column; rows from before have nothing in it, and are gone within about an hour."""
    op.add_column("place_attempts", sa.Column("counts", sa.String(20)))
