"""The audit log: no record, no operation (R49); pseudonyms, not names (R50); one chain without forks (R51)."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select, update

from faceauth.audit.chain import START, row_digest
from faceauth.audit.details import Value, check_actor, check_details
from faceauth.audit.events import CONCERNS_FACE, Event
from faceauth.clock import Clock
from faceauth.db.schema import audit_head, audit_log
from faceauth.errors import AuditUnavailable, ConfigurationError


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What checking the chain found: how many records, and the number of the first that does not fit.

    A record that was cut off at the end is reported as the number after the last one that is there.
    """

    count: int
    first_bad: int | None

    @property
    def intact(self) -> bool:
        """Whether every record fits."""
        return self.first_bad is None


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that was done with a person's face, as the person may see it."""

    at: datetime
    event: Event
    scenario: str | None


class AuditLog:
    """Appends to the log in the caller's transaction, so that the act and its record are one.

    `pseudonym_key` are 32 random bytes or more from the keyring.

    Raises:
        ConfigurationError: The key is too short.
    """

    def __init__(self, *, pseudonym_key: bytes, clock: Clock) -> None:
        if len(pseudonym_key) < 32:
            raise ConfigurationError("The audit log's pseudonym key must have 32 bytes or more.")
        self._key = pseudonym_key
        self._clock = clock

    def pseudonym(self, tenant: str, account: str) -> str:
        """Return HMAC-SHA-256 of tenant and account, in hex: the same person, without the name (R50)."""
        # The tenant's length stands in front, so that no two pairs give the same message.
        message = len(tenant.encode()).to_bytes(4, "big") + tenant.encode() + account.encode()
        return hmac.new(self._key, b"faceauth/audit/subject\x00" + message, hashlib.sha256).hexdigest()

    def append(
        self,
        conn: Connection,
        event: Event,
        *,
        tenant: str,
        account: str | None,
        actor: str,
        details: Mapping[str, Value] | None = None,
    ) -> None:
        """Write one record in the caller's transaction.

        `actor` is a plain word for who acted, such as ``apikey:ak_1``, ``device`` or ``system``; `details` may
        only hold what `faceauth.audit.details.ALLOWED` names.

        Raises:
            AuditUnavailable: The record could not be written, so the transaction must not commit (R49).
        """
        try:
            self._append(conn, event, tenant=tenant, account=account, actor=actor, details=details or {})
        except Exception as error:
            raise AuditUnavailable(
                f"The audit record {event} could not be written ({type(error).__name__}), so nothing was done."
            ) from error

    def _append(
        self,
        conn: Connection,
        event: Event,
        *,
        tenant: str,
        account: str | None,
        actor: str,
        details: Mapping[str, Value],
    ) -> None:
        # The lock on this one row makes writers queue; SQLite has one writer anyway.
        head = conn.execute(select(audit_head).where(audit_head.c.id == 1).with_for_update()).one()
        row = {
            "seq": head.seq + 1,
            "at": self._clock(),
            "event": Event(event).value,
            "tenant": tenant,
            "subject": None if account is None else self.pseudonym(tenant, account),
            "actor": check_actor(actor),
            "details": check_details(details),
        }
        digest = row_digest(head.digest, **row)
        conn.execute(insert(audit_log).values(**row, previous=head.digest, digest=digest))
        conn.execute(update(audit_head).where(audit_head.c.id == 1).values(seq=row["seq"], digest=digest))

    def verify(self, conn: Connection) -> AuditVerdict:
        """Walk the whole chain: an edit, a deletion, a reordering and a cut-off end are each found (R51).

        Whoever can write the database can still build a new chain with a new head; only a checkpoint kept
        elsewhere tells that.
        """
        head = conn.execute(select(audit_head).where(audit_head.c.id == 1)).one_or_none()
        if head is None:
            return AuditVerdict(0, 1)
        seq, digest = 0, START
        rows = select(audit_log).order_by(audit_log.c.seq).execution_options(yield_per=1000)
        try:
            with conn.execute(rows) as found:
                for row in found.mappings():
                    if not _fits(row, seq + 1, digest):
                        return AuditVerdict(seq, seq + 1)
                    seq, digest = seq + 1, row["digest"]
        except (TypeError, ValueError):  # what stands there is no longer what we write
            return AuditVerdict(seq, seq + 1)
        if head.seq != seq:
            return AuditVerdict(seq, min(head.seq, seq) + 1)
        return AuditVerdict(seq, None if head.digest == digest else max(seq, 1))

    def activity(self, conn: Connection, tenant: str, account: str) -> list[Activity]:
        """Return what was done with this person's face, the oldest first."""
        query = (
            select(audit_log.c.at, audit_log.c.event, audit_log.c.details)
            .where(audit_log.c.tenant == tenant, audit_log.c.subject == self.pseudonym(tenant, account))
            .where(audit_log.c.event.in_(sorted(CONCERNS_FACE)))
            .order_by(audit_log.c.seq)
        )
        return [Activity(row.at, Event(row.event), row.details.get("scenario")) for row in conn.execute(query)]


def _fits(row: RowMapping, seq: int, previous: bytes) -> bool:
    if row["seq"] != seq or row["previous"] != previous:
        return False
    names = ("seq", "at", "event", "tenant", "subject", "actor", "details")
    return hmac.compare_digest(row["digest"], row_digest(previous, **{name: row[name] for name in names}))
