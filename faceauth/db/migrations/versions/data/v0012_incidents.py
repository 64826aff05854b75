"""The register of incidents, and the notices to people."""

import sqlalchemy as sa
from alembic import op

revision = "data0012"
down_revision = "data0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.String(200), nullable=False),
        sa.Column("tenant", sa.String(200), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("nature", sa.Text, nullable=False),
        sa.Column("consequences", sa.Text, nullable=False),
        sa.Column("measures", sa.Text, nullable=False),
        sa.Column("risk", sa.String(10), nullable=False),
        sa.Column("scope", sa.JSON, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("aware_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("authority_at", sa.DateTime(timezone=True)),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("report", sa.Text),
        sa.PrimaryKeyConstraint("incident_id", name="pk_incidents"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.tenant"], name="fk_incidents_tenants"),
        sa.CheckConstraint("risk IN ('none', 'risk', 'high')", name="ck_incidents_risk"),
        sa.CheckConstraint("state IN ('open', 'closed')", name="ck_incidents_state"),
    )
    op.create_index("ix_incidents_tenant", "incidents", ["tenant"])
    op.create_table(
        "incident_notices",
        sa.Column("notice_id", sa.String(200), nullable=False),
        sa.Column("incident_id", sa.String(200), nullable=False),
        sa.Column("texts", sa.JSON, nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("sent_by", sa.String(100), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("notice_id", name="pk_incident_notices"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.incident_id"], name="fk_incident_notices_incidents"
        ),
    )
    op.create_index("ix_incident_notices_incident_id", "incident_notices", ["incident_id"])
