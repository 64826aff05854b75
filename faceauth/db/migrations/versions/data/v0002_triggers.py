"""What the database refuses whoever asks: changed history, and references whose scope is being erased."""

from alembic import op

revision = "data0002"
down_revision = "data0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("consent_events", "notices")

# An erasure is under way for the row NEW: of its whole account, of its scenario, or of itself.
ERASING = """
    SELECT 1 FROM tombstones t
    WHERE t.tenant = NEW.tenant AND t.account = NEW.account AND t.state <> 'done'
      AND ((t.scenario IS NULL AND t.reference_id IS NULL)
           OR (t.reference_id IS NULL AND t.scenario = NEW.scenario)
           OR t.reference_id = NEW.reference_id)
"""


def upgrade() -> None:
    """Make the triggers."""
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql_append_only()
        _postgresql_references()
        _postgresql_tombstones()


def _sqlite() -> None:
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    # An update that keeps the consent is a reseal under a new data key, which an erasure itself needs.
    for verb, when in (
        ("INSERT", ""),
        (
            "UPDATE",
            "(NEW.tenant, NEW.account, NEW.scenario, NEW.consent_id) IS NOT "
            "(OLD.tenant, OLD.account, OLD.scenario, OLD.consent_id) AND ",
        ),
    ):
        op.execute(
            f"CREATE TRIGGER biometric_references_refuse_{verb.lower()} BEFORE {verb} ON biometric_references "
            f"WHEN {when} EXISTS ({ERASING}) "
            "BEGIN SELECT RAISE(ABORT, 'biometric_references: an erasure of this scope is under way'); END"
        )


def _postgresql_append_only() -> None:
    op.execute("""
        CREATE FUNCTION faceauth_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = TG_TABLE_NAME || ' is append-only';
        END $$
    """)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION faceauth_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION faceauth_refuse_change()"
        )


def _postgresql_references() -> None:
    # The lock comes first: a tombstone that is being written elsewhere holds it, and the check after the wait
    # sees that tombstone. Without it both could commit, and a reference would outlive its erasure.
    op.execute(f"""
        CREATE FUNCTION faceauth_refuse_erased_scope() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM 1 FROM live_consents l
            WHERE l.tenant = NEW.tenant AND l.account = NEW.account AND l.scenario = NEW.scenario FOR SHARE;
            IF EXISTS ({ERASING}) THEN
                RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
                    MESSAGE = 'biometric_references: an erasure of this scope is under way';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER biometric_references_refuse_insert BEFORE INSERT ON biometric_references "
        "FOR EACH ROW EXECUTE FUNCTION faceauth_refuse_erased_scope()"
    )
    op.execute(
        "CREATE TRIGGER biometric_references_refuse_update BEFORE UPDATE ON biometric_references FOR EACH ROW "
        "WHEN ((NEW.tenant, NEW.account, NEW.scenario, NEW.consent_id) IS DISTINCT FROM "
        "(OLD.tenant, OLD.account, OLD.scenario, OLD.consent_id)) "
        "EXECUTE FUNCTION faceauth_refuse_erased_scope()"
    )


def _postgresql_tombstones() -> None:
    # A tombstone takes the account and its consents first, so a login that is being accepted commits before it or
    # sees it (R33). The tombstone's writer cannot forget to.
    op.execute("""
        CREATE FUNCTION faceauth_lock_subject() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM 1 FROM accounts a
            WHERE a.tenant = NEW.tenant AND a.account = NEW.account FOR UPDATE;
            PERFORM 1 FROM live_consents l
            WHERE l.tenant = NEW.tenant AND l.account = NEW.account
              AND (NEW.scenario IS NULL OR l.scenario = NEW.scenario)
            ORDER BY l.scenario FOR UPDATE;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER tombstones_lock_subject BEFORE INSERT ON tombstones "
        "FOR EACH ROW EXECUTE FUNCTION faceauth_lock_subject()"
    )
