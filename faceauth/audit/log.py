"""The audit log: no record, no operation (R49); pseudonyms, not names (R50); one chain without forks (R51)."""

import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert, select, update

from faceauth.audit.chain import START, row_digest
from faceauth.audit.details import Value, check_actor, check_details
from faceauth.audit.events import CONCERNS_FACE, Event
from faceauth.audit.merkle import GrowingTree
from faceauth.audit.notes import Checkpoint, open_note
from faceauth.audit.sinks import Sink
from faceauth.audit.tree import STEP, AuditTree
from faceauth.clock import Clock
from faceauth.db.audit_tables import audit_head, audit_log
from faceauth.errors import AuditUnavailable, ConfigurationError, InvalidRequest, SignatureInvalid

Progress = Callable[[int, int], None]
"""Called with how many records were looked at, and of how many."""

Reading = Callable[[], AbstractContextManager[Connection]]
"""Opens a read transaction."""

_PAGE = 1_000
"""Records read at a time."""


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What checking the log found: how many records, and the number of the first that does not fit.

    A record that was cut off at the end is reported as the number after the last one that is there. With
    `checkpoint`, the chain fits, but not what was once signed of that many records: everything from `first_bad` on
    may have been written anew.
    """

    count: int
    first_bad: int | None
    checkpoint: int | None = None

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


@dataclass(frozen=True, slots=True)
class Record:
    """One record, as an auditor reads it; `subject` is the account's pseudonym."""

    seq: int
    at: datetime
    event: str
    tenant: str
    subject: str | None
    actor: str
    details: Mapping[str, Value]
    digest: bytes


class AuditLog:
    """Appends to the log in the caller's transaction, so that the act and its record are one.

    `pseudonym_key` are 32 random bytes or more from the keyring; `sink` is a second place where every record goes.

    Raises:
        ConfigurationError: The key is too short.
    """

    def __init__(self, *, pseudonym_key: bytes, clock: Clock, sink: Sink | None = None) -> None:
        if len(pseudonym_key) < 32:
            raise ConfigurationError("The audit log's pseudonym key must have 32 bytes or more.")
        self._key = pseudonym_key
        self._clock = clock
        self._sink = sink
        self.tree = AuditTree(pseudonym_key)

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
        if self.tree.grow(conn, row["seq"]):
            self.tree.sign(conn, row["seq"], now=row["at"])
        if self._sink is not None:
            self._sink.write(line(row, digest))

    def verify(
        self, conn: Connection, kept: Iterable[Checkpoint] = (), *, progress: Progress | None = None
    ) -> AuditVerdict:
        """Walk the whole log: an edit, a deletion, a reordering, a cut-off end and a fork are each found (R51).

        Whoever can write the database can build a new chain and drop the checkpoints in it. Only one in `kept`,
        from elsewhere, tells that. `progress` is told after every thousand records.
        """
        head = conn.execute(select(audit_head).where(audit_head.c.id == 1)).one_or_none()
        if head is None:
            return AuditVerdict(0, 1)
        walk = _Walk(self.tree.nodes(conn), {(one.size, one.root) for one in (*self._signed(conn), *kept)})
        rows = select(audit_log).order_by(audit_log.c.seq).execution_options(yield_per=_PAGE)
        try:
            with conn.execute(rows) as found:
                for row in found.mappings():
                    if (bad := walk.step(row)) is not None:
                        return bad
                    if progress is not None and (walk.seq % _PAGE == 0 or walk.seq == head.seq):
                        progress(walk.seq, head.seq)
        except (TypeError, ValueError):  # what stands there is no longer what we write
            return AuditVerdict(walk.seq, walk.seq + 1)
        return walk.end(head.seq, head.digest)

    def verify_in_pages(
        self, read: Reading, kept: Iterable[Checkpoint] = (), *, progress: Progress | None = None
    ) -> AuditVerdict:
        """Walk the whole log as `verify` does, a read transaction for every thousand records.

        No erasure has to wait for the walk, and records that are written meanwhile are looked at too.

        Args:
            read: Opens a read transaction that sees one moment, such as `Database.read`.
            kept: Checkpoints from elsewhere.
            progress: Is told after every transaction.
        """
        with read() as conn:
            walk = _Walk(self.tree.nodes(conn), {(one.size, one.root) for one in (*self._signed(conn), *kept)})
        while True:
            with read() as conn:
                head = conn.execute(select(audit_head).where(audit_head.c.id == 1)).one_or_none()
                if head is None:
                    return AuditVerdict(0, 1)
                query = select(audit_log).where(audit_log.c.seq > walk.seq).order_by(audit_log.c.seq).limit(_PAGE)
                try:
                    found = conn.execute(query).mappings().all()
                    bad = next((bad for row in found if (bad := walk.step(row)) is not None), None)
                except (TypeError, ValueError):  # what stands there is no longer what we write
                    return AuditVerdict(walk.seq, walk.seq + 1)
            if bad is not None:
                return bad
            if len(found) < _PAGE:
                return walk.end(head.seq, head.digest)
            if progress is not None:
                progress(walk.seq, head.seq)

    def _signed(self, conn: Connection) -> Iterator[Checkpoint]:
        """Yield the checkpoints in the database; one that was altered counts as one that nothing fits."""
        key = self.tree.key(conn).verifier_key
        for one in self.tree.checkpoints(conn):
            try:
                signed = open_note(one.note, key)
            except SignatureInvalid:
                signed = Checkpoint("", one.size, b"")
            yield signed if (signed.size, signed.root) == (one.size, one.root) else Checkpoint("", one.size, b"")

    def records(
        self,
        conn: Connection,
        *,
        tenant: str | None = None,
        after: int = 0,
        before: int | None = None,
        newest: bool = False,
        limit: int,
        event: Event | None = None,
        account: str | None = None,
    ) -> list[Record]:
        """Return records between two numbers: a tenant's or all, of one event, about an account.

        Args:
            conn: The caller's connection.
            tenant: Whose; None for everybody's.
            after: Only those with a larger number.
            before: Only those with a smaller number, if given.
            newest: Begin with the newest, not with the oldest.
            limit: How many at most.
            event: Only these, if given.
            account: Only those about this account of the tenant, if given.
        """
        query = select(*(audit_log.c[name] for name in Record.__slots__)).where(audit_log.c.seq > after)
        if tenant is not None:
            query = query.where(audit_log.c.tenant == tenant)
        if before is not None:
            query = query.where(audit_log.c.seq < before)
        if event is not None:
            query = query.where(audit_log.c.event == event.value)
        if account is not None and tenant is not None:
            query = query.where(audit_log.c.subject == self.pseudonym(tenant, account))
        order = audit_log.c.seq.desc() if newest else audit_log.c.seq
        return [Record(*row) for row in conn.execute(query.order_by(order).limit(limit))]

    def digest(self, conn: Connection, *, tenant: str, seq: int) -> bytes:
        """Return the digest of one of a tenant's records, 32 bytes.

        Raises:
            InvalidRequest: the tenant has no such record.
        """
        query = select(audit_log.c.digest).where(audit_log.c.seq == seq, audit_log.c.tenant == tenant)
        found = conn.execute(query).scalar_one_or_none()
        if found is None:
            raise InvalidRequest("There is no such record.")
        return bytes(found)

    def activity(
        self, conn: Connection, tenant: str, account: str, *, since: datetime | None = None
    ) -> list[Activity]:
        """Return what was done with this person's face, the oldest first.

        `since` is when the account was made, wherever this is shown: before, another person may have had its name
        and pseudonym. None is everything.
        """
        query = (
            select(audit_log.c.at, audit_log.c.event, audit_log.c.details)
            .where(audit_log.c.tenant == tenant, audit_log.c.subject == self.pseudonym(tenant, account))
            .where(audit_log.c.event.in_(sorted(CONCERNS_FACE)))
            .order_by(audit_log.c.seq)
        )
        if since is not None:
            query = query.where(audit_log.c.at >= since)
        return [Activity(row.at, Event(row.event), row.details.get("scenario")) for row in conn.execute(query)]


class _Walk:
    """One pass over the records, with the chain, the tree and the checkpoints to hold them against."""

    def __init__(self, nodes: Mapping[tuple[int, int], bytes], checkpoints: Iterable[tuple[int, bytes]]) -> None:
        self.seq = 0
        self._digest = START
        self._good = 0
        self._tree = GrowingTree()
        self._nodes = nodes
        self._roots: dict[int, set[bytes]] = defaultdict(set)
        for size, root in checkpoints:
            self._roots[size].add(root)

    def step(self, row: RowMapping) -> AuditVerdict | None:
        """Take the next record; return what is wrong with it, if anything is."""
        if not _fits(row, self.seq + 1, self._digest):
            return AuditVerdict(self.seq, self.seq + 1)
        self.seq, self._digest = self.seq + 1, bytes(row["digest"])
        for level, index, found in self._tree.add(self._digest):
            stored = level and level % STEP == 0
            if stored and self._nodes.get((level, index), found) != found:
                return AuditVerdict(self.seq, max(self._good, index << level) + 1)
        return self._checkpoint(self.seq, self._tree.root) if self.seq in self._roots else None

    def end(self, last: int, digest: bytes) -> AuditVerdict:
        """Hold what was walked against the log's head, and against checkpoints of more records than there are."""
        if last != self.seq:
            return AuditVerdict(self.seq, min(last, self.seq) + 1)
        if digest != self._digest:
            return AuditVerdict(self.seq, max(self.seq, 1))
        beyond = [size for size in self._roots if size > self.seq or size == 0]
        if beyond:
            return AuditVerdict(self.seq, self.seq + 1, checkpoint=min(beyond))
        return AuditVerdict(self.seq, None)

    def _checkpoint(self, size: int, root: Callable[[], bytes]) -> AuditVerdict | None:
        if self._roots[size] == {root()}:
            self._good = size
            return None
        return AuditVerdict(size, self._good + 1, checkpoint=size)


def line(row: Mapping[str, object], digest: bytes) -> str:
    """Return one record as a line of JSON, as it is exported and written to a second sink."""
    at = row["at"]
    shown = {**row, "at": at.isoformat() if isinstance(at, datetime) else at, "digest": digest.hex()}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _fits(row: RowMapping, seq: int, previous: bytes) -> bool:
    if row["seq"] != seq or row["previous"] != previous:
        return False
    names = ("seq", "at", "event", "tenant", "subject", "actor", "details")
    return hmac.compare_digest(row["digest"], row_digest(previous, **{name: row[name] for name in names}))
