"""Every table of the first version. This file is history: it names columns itself and imports no schema."""

import sqlalchemy as sa
from alembic import op

revision = "data0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(200)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _ids(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, ID, nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables; those that others lean on first."""
    _installation()
    _accounts()
    _scenarios()
    _consent()
    _references()
    _sessions()
    _audit()


def _installation() -> None:
    op.create_table(
        "installation",
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_installation"),
    )
    op.create_table(
        "tenants",
        *_ids("tenant"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("tenant", name="pk_tenants"),
    )
    op.create_table(
        "api_keys",
        *_ids("key_id", "tenant"),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        _time("created_at"),
        _time("expires_at", nullable=True),
        _time("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("key_id", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.tenant"], name="fk_api_keys_tenants"),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        *_ids("tenant", "account"),
        sa.Column("locale", sa.String(35)),
        sa.Column("birth_date", sa.Date),
        sa.Column("contact", sa.String(320)),
        sa.Column("guardian", sa.JSON),
        _time("created_at"),
        sa.PrimaryKeyConstraint("tenant", "account", name="pk_accounts"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.tenant"], name="fk_accounts_tenants"),
    )
    op.create_table(
        "attempts",
        *_ids("tenant", "account"),
        sa.Column("consecutive", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        _time("last_at", nullable=True),
        _time("disabled_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant", "account", name="pk_attempts"),
    )


def _scenarios() -> None:
    op.create_table(
        "scenarios",
        *_ids("tenant", "scenario"),
        sa.Column("mode", sa.String(10), nullable=False),
        sa.Column("titles", sa.JSON, nullable=False),
        sa.Column("retention_days", sa.Integer, nullable=False),
        sa.Column("liveness_profile", sa.String(40), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("tenant", "scenario", name="pk_scenarios"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.tenant"], name="fk_scenarios_tenants"),
        sa.CheckConstraint("mode IN ('verify', 'identify')", name="ck_scenarios_mode"),
        sa.CheckConstraint("state IN ('active', 'retired')", name="ck_scenarios_state"),
    )
    op.create_table(
        "notices",
        *_ids("tenant", "scenario"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("locale", sa.String(35), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("material", sa.Boolean, nullable=False),
        _time("effective_at"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("tenant", "scenario", "version", "locale", name="pk_notices"),
        sa.ForeignKeyConstraint(
            ["tenant", "scenario"], ["scenarios.tenant", "scenarios.scenario"], name="fk_notices_scenarios"
        ),
    )


def _consent() -> None:
    op.create_table(
        "consent_events",
        *_ids("event_id"),
        sa.Column("seq", sa.Integer, nullable=False),
        *_ids("consent_id", "tenant", "account", "scenario"),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("notice_version", sa.Integer, nullable=False),
        sa.Column("notice_sha256", sa.String(64), nullable=False),
        sa.Column("locale", sa.String(35), nullable=False),
        _time("event_at"),
        _time("valid_until", nullable=True),
        sa.Column("record", sa.JSON, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_consent_events"),
        sa.UniqueConstraint("tenant", "account", "seq", name="uq_consent_events_tenant_account_seq"),
        sa.CheckConstraint(
            "state IN ('requested', 'given', 'renewed', 'refused', 'withdrawn', 'expired')",
            name="ck_consent_events_state",
        ),
    )
    op.create_table(
        "live_consents",
        *_ids("tenant", "account", "scenario", "consent_id"),
        sa.Column("notice_version", sa.Integer, nullable=False),
        _time("valid_until"),
        _time("granted_at"),
        sa.PrimaryKeyConstraint("tenant", "account", "scenario", name="pk_live_consents"),
        sa.UniqueConstraint(
            "tenant",
            "account",
            "scenario",
            "consent_id",
            name="uq_live_consents_tenant_account_scenario_consent_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "account"], ["accounts.tenant", "accounts.account"], name="fk_live_consents_accounts"
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "scenario"], ["scenarios.tenant", "scenarios.scenario"], name="fk_live_consents_scenarios"
        ),
    )


def _references() -> None:
    op.create_table(
        "biometric_references",
        *_ids("reference_id", "tenant", "account", "scenario", "consent_id"),
        sa.Column("model_digest", sa.LargeBinary(32), nullable=False),
        *_ids("data_key_id"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("reference_id", name="pk_biometric_references"),
        sa.ForeignKeyConstraint(
            ["tenant", "account", "scenario", "consent_id"],
            [f"live_consents.{name}" for name in ("tenant", "account", "scenario", "consent_id")],
            name="fk_biometric_references_live_consents",
            ondelete="RESTRICT",
            onupdate="RESTRICT",
        ),
    )
    op.create_index(
        "ix_biometric_references_subject", "biometric_references", ["tenant", "account", "scenario"]
    )
    op.create_table(
        "tombstones",
        *_ids("tombstone_id", "tenant", "account"),
        sa.Column("scenario", ID),
        sa.Column("reference_id", ID),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        _time("requested_at"),
        _time("finished_at", nullable=True),
        sa.Column("doomed", sa.JSON, nullable=False),
        sa.Column("receipt", sa.Text),
        sa.PrimaryKeyConstraint("tombstone_id", name="pk_tombstones"),
    )
    op.create_index("ix_tombstones_subject", "tombstones", ["tenant", "account"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        *_ids("session_id", "tenant"),
        sa.Column("purpose", sa.String(10), nullable=False),
        *_ids("scenario"),
        sa.Column("account", ID),
        sa.Column("challenge", sa.JSON, nullable=False),
        sa.Column("token_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("matched_account", ID),
        sa.Column("reference_id", ID),
        sa.Column("posts", sa.Integer, nullable=False),
        sa.Column("judging", sa.Boolean, nullable=False),
        _time("created_at"),
        _time("capture_started_at", nullable=True),
        _time("expires_at"),
        _time("decided_at", nullable=True),
        sa.PrimaryKeyConstraint("session_id", name="pk_sessions"),
        sa.UniqueConstraint("token_digest", name="uq_sessions_token_digest"),
        sa.CheckConstraint("purpose IN ('enrol', 'verify', 'identify')", name="ck_sessions_purpose"),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'denied', 'expired', 'cancelled')", name="ck_sessions_state"
        ),
    )
    op.create_index("ix_sessions_subject", "sessions", ["tenant", "account"])
    op.create_table(
        "seen_frames",
        sa.Column("mac", sa.LargeBinary(32), nullable=False),
        *_ids("session_id"),
        _time("seen_at"),
        sa.PrimaryKeyConstraint("mac", name="pk_seen_frames"),
    )
    op.create_index("ix_seen_frames_seen_at", "seen_frames", ["seen_at"])


def _audit() -> None:
    op.create_table(
        "audit_log",
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        _time("at"),
        sa.Column("event", sa.String(60), nullable=False),
        *_ids("tenant"),
        sa.Column("subject", sa.String(64)),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("previous", sa.LargeBinary(32), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_subject", "audit_log", ["tenant", "subject"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    # The row is there from the start, so that even the first two writers queue for it.
    op.bulk_insert(head, [{"id": 1, "seq": 0, "digest": bytes(32)}])
