"""The tables of the incident register: what happened, and which notices went to people."""

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKeyConstraint, Index, Integer, String, Table, Text

from faceauth.db.columns import ID, UtcDateTime
from faceauth.db.metadata import DATA

# Who was affected is not kept here: it is found again, at any time, from `scope` and the audit log.
incidents = Table(
    "incidents",
    DATA,
    Column("incident_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("title", String(200), nullable=False),
    Column("nature", Text, nullable=False),
    Column("consequences", Text, nullable=False),
    Column("measures", Text, nullable=False),
    Column("risk", String(10), nullable=False),
    Column("scope", JSON, nullable=False),
    Column("state", String(10), nullable=False),
    Column("aware_at", UtcDateTime, nullable=False),
    Column("authority_at", UtcDateTime),
    Column("created_by", String(100), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("report", Text),
    ForeignKeyConstraint(["tenant"], ["tenants.tenant"]),
    CheckConstraint("risk IN ('none', 'risk', 'high')", name="risk"),
    CheckConstraint("state IN ('open', 'closed')", name="state"),
    Index("ix_incidents_tenant", "tenant"),
)

# One row a notice to people; the text is told to each of them in their language.
incident_notices = Table(
    "incident_notices",
    DATA,
    Column("notice_id", ID, primary_key=True),
    Column("incident_id", ID, nullable=False),
    Column("texts", JSON, nullable=False),
    Column("people", Integer, nullable=False),
    Column("sent_by", String(100), nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["incident_id"], ["incidents.incident_id"]),
    Index("ix_incident_notices_incident_id", "incident_id"),
)
