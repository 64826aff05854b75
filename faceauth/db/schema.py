"""Every table, once. Migrations make them; repositories in the rooms read and write them.

The data database holds everything but keys. Wrapped data keys live in a database of their own (`KEY_METADATA`), so
that destroying one also reaches older backups of the data.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from faceauth.db import (
    attempt_tables,
    audit_tables,
    campaign_tables,
    console_tables,
    device_tables,
    draft_tables,
    flow_tables,
    incident_tables,
    openid_tables,
    outbox_tables,
    privacy_tables,
)
from faceauth.db.columns import ID, UtcDateTime
from faceauth.db.metadata import DATA, KEYS

METADATA = DATA
KEY_METADATA = KEYS

PARTS = (
    attempt_tables,
    audit_tables,
    campaign_tables,
    console_tables,
    device_tables,
    draft_tables,
    flow_tables,
    incident_tables,
    openid_tables,
    outbox_tables,
    privacy_tables,
)
"""Modules with tables of their own: importing this one is to know every table."""

installation = Table(
    "installation",
    METADATA,
    Column("key", String(100), primary_key=True),
    Column("value", Text, nullable=False),
)

tenants = Table(
    "tenants",
    METADATA,
    Column("tenant", ID, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

api_keys = Table(
    "api_keys",
    METADATA,
    Column("key_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("role", String(20), nullable=False),
    Column("label", String(200), nullable=False, default=""),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    ForeignKeyConstraint(["tenant"], ["tenants.tenant"]),
)

accounts = Table(
    "accounts",
    METADATA,
    Column("tenant", ID, primary_key=True),
    Column("account", ID, primary_key=True),
    Column("locale", String(35)),
    Column("birth_date", Date),
    Column("contact", String(320)),
    Column("guardian", JSON),
    Column("created_at", UtcDateTime, nullable=False),
    Column("restricted_at", UtcDateTime),
    ForeignKeyConstraint(["tenant"], ["tenants.tenant"]),
)

scenarios = Table(
    "scenarios",
    METADATA,
    Column("tenant", ID, primary_key=True),
    Column("scenario", ID, primary_key=True),
    Column("mode", String(10), nullable=False),
    Column("titles", JSON, nullable=False),
    Column("retention_days", Integer, nullable=False),
    Column("liveness_profile", String(40), nullable=False),
    Column("state", String(10), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("stream_only", Boolean, nullable=False, server_default=false()),
    Column("device_key", String(10), nullable=False, server_default="preferred"),
    Column("flash_choice", Boolean, nullable=False, server_default=false()),
    ForeignKeyConstraint(["tenant"], ["tenants.tenant"]),
    CheckConstraint("mode IN ('verify', 'identify')", name="mode"),
    CheckConstraint("state IN ('active', 'retired')", name="state"),
)

notices = Table(
    "notices",
    METADATA,
    Column("tenant", ID, primary_key=True),
    Column("scenario", ID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("locale", String(35), primary_key=True),
    Column("text", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("material", Boolean, nullable=False),
    Column("effective_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("substance", JSON),
    Column("because", JSON),
    ForeignKeyConstraint(["tenant", "scenario"], ["scenarios.tenant", "scenarios.scenario"]),
)

# Append-only: triggers refuse UPDATE and DELETE. A consent keeps its id through renewals, as TS 27560 records do.
consent_events = Table(
    "consent_events",
    METADATA,
    Column("event_id", ID, primary_key=True),
    Column("seq", Integer, nullable=False),  # counts an account's events from 1: order never hangs on a clock
    Column("consent_id", ID, nullable=False),
    Column("tenant", ID, nullable=False),
    Column("account", ID, nullable=False),
    Column("scenario", ID, nullable=False),
    Column("state", String(10), nullable=False),
    Column("notice_version", Integer, nullable=False),
    Column("notice_sha256", String(64), nullable=False),
    Column("locale", String(35), nullable=False),
    Column("event_at", UtcDateTime, nullable=False),
    Column("valid_until", UtcDateTime),
    Column("record", JSON, nullable=False),
    Column("receipt", Text, nullable=False),
    CheckConstraint("state IN ('requested', 'given', 'renewed', 'refused', 'withdrawn', 'expired')", name="state"),
    UniqueConstraint("tenant", "account", "seq"),
)

# The state derived from the events, held as rows so that a foreign key can lean on it (R27).
live_consents = Table(
    "live_consents",
    METADATA,
    Column("tenant", ID, primary_key=True),
    Column("account", ID, primary_key=True),
    Column("scenario", ID, primary_key=True),
    Column("consent_id", ID, nullable=False),
    Column("notice_version", Integer, nullable=False),
    Column("valid_until", UtcDateTime, nullable=False),
    Column("granted_at", UtcDateTime, nullable=False),
    UniqueConstraint("tenant", "account", "scenario", "consent_id"),
    ForeignKeyConstraint(["tenant", "account"], ["accounts.tenant", "accounts.account"]),
    ForeignKeyConstraint(["tenant", "scenario"], ["scenarios.tenant", "scenarios.scenario"]),
)

# R27: no row without a live consent. The foreign key holds it against every writer; triggers refuse a row whose
# scope has an erasure under way.
biometric_references = Table(
    "biometric_references",
    METADATA,
    Column("reference_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("account", ID, nullable=False),
    Column("scenario", ID, nullable=False),
    Column("consent_id", ID, nullable=False),
    Column("model_digest", LargeBinary(32), nullable=False),
    Column("data_key_id", ID, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(
        ["tenant", "account", "scenario", "consent_id"],
        [
            "live_consents.tenant",
            "live_consents.account",
            "live_consents.scenario",
            "live_consents.consent_id",
        ],
        ondelete="RESTRICT",
        onupdate="RESTRICT",
    ),
    Index("ix_biometric_references_subject", "tenant", "account", "scenario"),
)

# One row an erasure. `state` walks through vault.erasure's steps; `receipt` is there once it is done (R40, R44).
tombstones = Table(
    "tombstones",
    METADATA,
    Column("tombstone_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("account", ID, nullable=False),
    Column("scenario", ID),
    Column("reference_id", ID),
    Column("reason", String(40), nullable=False),
    Column("state", String(20), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("doomed", JSON, nullable=False),
    Column("receipt", Text),
    Index("ix_tombstones_subject", "tenant", "account"),
)

sessions = Table(
    "sessions",
    METADATA,
    Column("session_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("purpose", String(10), nullable=False),
    Column("scenario", ID, nullable=False),
    Column("account", ID),
    Column("challenge", JSON, nullable=False),
    Column("token_digest", LargeBinary(32), nullable=False, unique=True),
    Column("state", String(10), nullable=False),
    Column("reason", String(40)),
    Column("matched_account", ID),
    Column("reference_id", ID),
    Column("posts", Integer, nullable=False),
    Column("judging", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("capture_started_at", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("streamed", Boolean, nullable=False, server_default=false()),
    Column("device_id", ID),
    Column("device_strength", String(3)),
    Column("transaction_text", Text),
    Column("transaction_locale", String(35)),
    Column("veiled", Boolean, nullable=False, server_default=false()),
    Column("withheld", String(40)),
    Column("token_revoked_at", UtcDateTime),
    CheckConstraint("purpose IN ('enrol', 'verify', 'identify')", name="purpose"),
    CheckConstraint("state IN ('open', 'accepted', 'denied', 'expired', 'cancelled')", name="state"),
    Index("ix_sessions_subject", "tenant", "account"),
)

attempts = Table(
    "attempts",
    METADATA,
    Column("tenant", ID, primary_key=True),
    Column("account", ID, primary_key=True),
    Column("consecutive", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("last_at", UtcDateTime),
    Column("disabled_at", UtcDateTime),
)

seen_frames = Table(
    "seen_frames",
    METADATA,
    Column("mac", LargeBinary(32), primary_key=True),
    Column("session_id", ID, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Index("ix_seen_frames_seen_at", "seen_at"),
)

# What frames looked like, sealed: it goes with the consent it was kept under, whoever deletes that.
seen_views = Table(
    "seen_views",
    METADATA,
    Column("session_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("account", ID, nullable=False),
    Column("scenario", ID, nullable=False),
    Column("consent_id", ID, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["tenant", "account", "scenario", "consent_id"],
        [
            "live_consents.tenant",
            "live_consents.account",
            "live_consents.scenario",
            "live_consents.consent_id",
        ],
        ondelete="CASCADE",
    ),
    Index("ix_seen_views_subject", "tenant", "account"),
    Index("ix_seen_views_seen_at", "seen_at"),
)

# What gates measured, in observe mode: one row a value, under a number that stands for nobody (R24).
gate_observations = Table(
    "gate_observations",
    METADATA,
    Column("observation_id", Integer, primary_key=True),
    Column("burst", String(32), nullable=False),
    Column("profile", String(40), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("gate", String(20), nullable=False),
    Column("name", String(20), nullable=False),
    Column("value", Float, nullable=False),
    Column("day", Date, nullable=False),
    Index("ix_gate_observations_day", "day"),
)

# One row an act that needs two people; the database itself refuses one that was approved by who asked (R52).
approvals = Table(
    "approvals",
    METADATA,
    Column("approval_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("details", JSON, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("state", String(10), nullable=False),
    Column("requested_by", String(100), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("decided_by", String(100)),
    Column("decided_at", UtcDateTime),
    Column("used_by", String(100)),
    Column("used_at", UtcDateTime),
    ForeignKeyConstraint(["tenant"], ["tenants.tenant"]),
    CheckConstraint("state IN ('requested', 'approved', 'rejected', 'used')", name="state"),
    CheckConstraint("state NOT IN ('approved', 'used') OR decided_by <> requested_by", name="two_people"),
    Index("ix_approvals_digest", "tenant", "digest"),
)

# References that do not open: marked, never deleted for it, and not used until they open again (R48).
quarantine = Table(
    "quarantine",
    METADATA,
    Column("reference_id", ID, primary_key=True),
    Column("code", String(40), nullable=False),
    Column("found_at", UtcDateTime, nullable=False),
    ForeignKeyConstraint(["reference_id"], ["biometric_references.reference_id"], ondelete="CASCADE"),
)

KEY_SCHEMA = "faceauth_keys"
"""The schema that holds the wrapped keys on PostgreSQL; on SQLite they have a file of their own."""

data_keys = Table(
    "data_keys",
    KEY_METADATA,
    Column("data_key_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("account", ID, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("tenant", "account", "generation"),
)

# Each erasure's scope and destroyed keys once more, where an old copy of the data cannot take them back.
erasures = Table(
    "erasures",
    KEY_METADATA,
    Column("tombstone_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("account", ID, nullable=False),
    Column("scenario", ID),
    Column("reference_id", ID),
    Column("reason", String(40), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("data_keys", JSON, nullable=False),
)
