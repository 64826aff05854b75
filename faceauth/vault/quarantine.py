"""References that do not open: marked for good, out of use, never deleted for it (R48).

A marked reference decides nothing, even where its bytes would open again, until `faceauth doctor --quarantine` has
seen it open, or an enrolment or an erasure has taken its row. docs/keys.md says what follows for a login.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, insert, select

from faceauth.audit.events import Event
from faceauth.clock import Clock
from faceauth.db.engine import ACCESS, Database
from faceauth.db.schema import biometric_references
from faceauth.db.schema import quarantine as table
from faceauth.errors import SealBroken
from faceauth.vault.audited import Audit


class Quarantine:
    """The repository of marks. It writes in transactions of its own, for those who meet damage only read."""

    def __init__(self, data: Database, audit: Audit, clock: Clock) -> None:
        self._data = data
        self._audit = audit
        self._clock = clock

    def mark(self, reference_id: str, error: SealBroken, *, actor: str = "system") -> bool:
        """Mark a reference; say whether it was not marked before. One that is gone meanwhile is left alone.

        Raises:
            AuditUnavailable, StorageError: If it could not be written; then nobody may be let in beside it.
        """
        with self._data.begin() as conn:
            row = conn.execute(_row(reference_id).with_for_update()).one_or_none()
            if row is None or reference_id in marked(conn, [reference_id]):
                return False
            conn.execute(insert(table).values(reference_id=reference_id, code=error.code, found_at=self._clock()))
            self._audit.append(
                conn,
                Event.REFERENCE_DAMAGED,
                tenant=row.tenant,
                account=row.account,
                actor=actor,
                details={"reference_id": reference_id, "scenario": row.scenario, "reason": error.code},
            )
        return True

    def release(self, reference_id: str, *, actor: str) -> None:
        """Take the mark away from a reference that was seen to open.

        Raises:
            AuditUnavailable, StorageError: If it could not be written; the mark stays.
        """
        with self._data.begin() as conn:
            row = conn.execute(_row(reference_id)).one_or_none()
            conn.execute(delete(table).where(table.c.reference_id == reference_id))
            if row is not None:
                self._audit.append(
                    conn,
                    Event.REFERENCE_RELEASED,
                    tenant=row.tenant,
                    account=row.account,
                    actor=actor,
                    details={"reference_id": reference_id, "scenario": row.scenario},
                )


def marked(conn: Connection, reference_ids: Iterable[str] | None = None) -> frozenset[str]:
    """Return those of the references, or of all, that are in quarantine."""
    query = select(table.c.reference_id)
    if reference_ids is not None:
        query = query.where(table.c.reference_id.in_(list(reference_ids)))
    return frozenset(conn.scalars(query))


def not_marked(reference_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a reference is not in quarantine."""
    return ~exists().where(table.c.reference_id == reference_id)


def may_mark(conn: Connection) -> bool:
    """Say whether the caller only reads: one that writes holds the turn that a mark would wait for."""
    return conn.get_execution_options().get(ACCESS) == "read"


def _row(reference_id: str) -> Select[tuple[str, str, str]]:
    return select(
        biometric_references.c.tenant, biometric_references.c.account, biometric_references.c.scenario
    ).where(biometric_references.c.reference_id == reference_id)
