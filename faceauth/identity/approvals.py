"""Acts that take two people, neither alone (R52): one asks, another approves, and then it may be done, once.

What is approved is exactly what was asked for: kind and details are stored with their digest, and an act that
differs in anything finds no approval. Requests, decisions and uses are audited in the transaction they happen in.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Final, Literal

from sqlalchemy import Connection, Row, insert, select, update

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.clock import Clock
from faceauth.db.schema import approvals as table
from faceauth.errors import ApprovalRequired, NotAllowed, UnknownApproval

State = Literal["requested", "approved", "rejected", "used", "expired"]
"""`expired` is not stored: time makes it."""

VALID: Final = timedelta(hours=24)
"""How long a request, and then its approval, may be used. Own figure: a working day and the night after it."""


@unique
class Kind(StrEnum):
    """What takes two people. A new one needs a line here and in docs/keys.md."""

    APIKEY_ISSUE = "apikey_issue"
    KEY_DESTROY = "key_destroy"
    MODEL_RETIRE = "model_retire"
    CAMPAIGN_ERASE = "campaign_erase"
    SCENARIO_RETIRE = "scenario_retire"
    INCIDENT_EXPORT = "incident_export"
    AUDIT_EXPORT = "audit_export"
    BACKUP_PLACE = "backup_place"
    THRESHOLDS = "operating_points"


STANDING: Final = frozenset({Kind.BACKUP_PLACE})
"""What is approved once and then counts until somebody refuses it: a copy is made each night, by nobody."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One request, and what became of it. `requested_by` and `decided_by` are as in the audit log."""

    approval_id: str
    tenant: str
    kind: str
    details: Mapping[str, str | int]
    state: State
    requested_by: str
    requested_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    used_by: str | None
    used_at: datetime | None
    digest: bytes = field(repr=False)


class Approvals:
    """The repository of approvals. Every method works in the caller's transaction."""

    def __init__(self, audit: AuditLog, clock: Clock, random: Callable[[int], bytes] = os.urandom) -> None:
        self._audit = audit
        self._clock = clock
        self._random = random

    def request(
        self, conn: Connection, kind: Kind, details: Mapping[str, str | int], *, tenant: str, actor: str
    ) -> Approval:
        """Ask for an act; the same one asked for again is the same request until it is used, refused or expired.

        Raises:
            AuditUnavailable: If it cannot be audited.
        """
        found = self.find(conn, kind, details, tenant=tenant)
        if found is not None:
            return found
        digest, now = digest_of(kind, details, tenant=tenant), self._clock()
        approval_id = f"approval_{self._random(8).hex()}"
        conn.execute(
            insert(table).values(
                approval_id=approval_id,
                tenant=tenant,
                kind=kind.value,
                details=dict(details),
                digest=digest,
                state="requested",
                requested_by=actor,
                requested_at=now,
                expires_at=now + VALID,
            )
        )
        found = self.get(conn, approval_id, tenant=tenant)
        self._note(conn, Event.APPROVAL_REQUESTED, found, actor)
        return found

    def approve(self, conn: Connection, approval_id: str, *, tenant: str, actor: str) -> Approval:
        """Approve another's request; approving twice changes nothing.

        Raises:
            UnknownApproval: If there is none for this tenant.
            NotAllowed: If it was asked for by the same one.
            ApprovalRequired: If it was refused, was used or has expired.
            AuditUnavailable: If it cannot be audited.
        """
        found = self.get(conn, approval_id, tenant=tenant)
        if found.requested_by == actor:
            raise NotAllowed(f"{approval_id} was asked for by {actor}: a second person must approve it.")
        if found.state == "approved":
            return found
        if found.state != "requested" or not self._move(conn, found, "approved", actor):
            raise ApprovalRequired(f"{approval_id} is {found.state} and can be approved no more. Ask again.")
        self._note(conn, Event.APPROVAL_GIVEN, found, actor)
        return self.get(conn, approval_id, tenant=tenant)

    def reject(self, conn: Connection, approval_id: str, *, tenant: str, actor: str) -> Approval:
        """Refuse a request, also one's own, and also one that was approved but not used yet.

        What stands once it was used is taken back by it.

        Raises:
            UnknownApproval: If there is none for this tenant.
            ApprovalRequired: If it was used or has expired.
            AuditUnavailable: If it cannot be audited.
        """
        found = self.get(conn, approval_id, tenant=tenant)
        if found.state == "rejected":
            return found
        stands = found.state == "used" and found.kind in STANDING
        open_ = stands or found.state in {"requested", "approved"}
        if not open_ or not self._move(conn, found, "rejected", actor):
            raise ApprovalRequired(f"{approval_id} is {found.state} and can be refused no more.")
        self._note(conn, Event.APPROVAL_REFUSED, found, actor)
        return self.get(conn, approval_id, tenant=tenant)

    def check(
        self,
        conn: Connection,
        approval_id: str,
        *,
        expected_kind: Kind,
        expected_details: Mapping[str, str | int],
        expected_tenant: str,
    ) -> Approval:
        """Return the approval if it is for exactly this act and may be used now.

        Raises:
            ApprovalRequired: In every other case.
        """
        expected = digest_of(expected_kind, expected_details, tenant=expected_tenant)
        try:
            found = self.get(conn, approval_id, tenant=expected_tenant)
        except UnknownApproval as error:
            raise ApprovalRequired(str(error)) from None
        own = digest_of(Kind(found.kind), found.details, tenant=found.tenant)
        if found.state != "approved" or not expected == own == found.digest:
            raise ApprovalRequired(
                f"{approval_id} is {found.state}, or for another act: a second person must approve this one."
            )
        return found

    def use(self, conn: Connection, approval: Approval, *, actor: str) -> None:
        """Write that the approved act was done, in the transaction that does or finishes it; it counts once.

        Raises:
            ApprovalRequired: If it was used or refused meanwhile.
            AuditUnavailable: If it cannot be audited.
        """
        done = conn.execute(
            update(table)
            .where(table.c.approval_id == approval.approval_id, table.c.state == "approved")
            .values(state="used", used_by=actor, used_at=self._clock())
        )
        if done.rowcount != 1:
            raise ApprovalRequired(f"{approval.approval_id} was used or refused meanwhile. Ask again.")
        self._note(conn, Event.APPROVAL_USED, approval, actor)

    def find(
        self, conn: Connection, kind: Kind, details: Mapping[str, str | int], *, tenant: str
    ) -> Approval | None:
        """Return the request for this very act that is open or approved, if there is one."""
        return self._one(conn, kind, details, tenant=tenant, states={"requested", "approved"})

    def standing(
        self, conn: Connection, kind: Kind, details: Mapping[str, str | int], *, tenant: str
    ) -> Approval | None:
        """Return the approval of what is approved once and for all, if it was used and not taken back."""
        return self._one(conn, kind, details, tenant=tenant, states={"used"}) if kind in STANDING else None

    def _one(
        self, conn: Connection, kind: Kind, details: Mapping[str, str | int], *, tenant: str, states: set[State]
    ) -> Approval | None:
        digest = digest_of(kind, details, tenant=tenant)
        same = select(table).where(table.c.tenant == tenant, table.c.digest == digest)
        found = (self._told(row) for row in conn.execute(same.order_by(table.c.requested_at.desc())))
        return next((one for one in found if one.state in states), None)

    def get(self, conn: Connection, approval_id: str, *, tenant: str) -> Approval:
        """Return one.

        Raises:
            UnknownApproval: If there is none for this tenant.
        """
        row = conn.execute(
            select(table).where(table.c.approval_id == approval_id, table.c.tenant == tenant)
        ).one_or_none()
        if row is None:
            raise UnknownApproval(f"There is no approval {approval_id!r}. See: faceauth approvals list")
        return self._told(row)

    def list(self, conn: Connection, *, tenant: str) -> tuple[Approval, ...]:
        """Return a tenant's approvals, the newest first."""
        query = select(table).where(table.c.tenant == tenant)
        rows = conn.execute(query.order_by(table.c.requested_at.desc(), table.c.approval_id))
        return tuple(self._told(row) for row in rows)

    def _move(self, conn: Connection, found: Approval, to: str, actor: str) -> bool:
        moved = conn.execute(
            update(table)
            .where(table.c.approval_id == found.approval_id, table.c.state == found.state)
            .values(state=to, decided_by=actor, decided_at=self._clock())
        )
        return moved.rowcount == 1

    def _told(self, row: Row[tuple[object, ...]]) -> Approval:
        state: State = row.state
        if state in {"requested", "approved"} and row.expires_at <= self._clock():
            state = "expired"
        return Approval(
            approval_id=row.approval_id,
            tenant=row.tenant,
            kind=row.kind,
            details=row.details,
            state=state,
            requested_by=row.requested_by,
            requested_at=row.requested_at,
            expires_at=row.expires_at,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            used_by=row.used_by,
            used_at=row.used_at,
            digest=row.digest,
        )

    def _note(self, conn: Connection, event: Event, found: Approval, actor: str) -> None:
        details = {"approval_id": found.approval_id, "kind": found.kind}
        self._audit.append(conn, event, tenant=found.tenant, account=None, actor=actor, details=details)


@dataclass(frozen=True, slots=True)
class SecondPerson:
    """An approval on its way to an act: the act asks it twice, before it begins and when it is done."""

    approvals: Approvals
    approval_id: str
    kind: Kind
    details: Mapping[str, str | int]
    tenant: str
    actor: str

    def check(self, conn: Connection) -> None:
        """Return if this very act is approved now.

        Raises:
            ApprovalRequired: If it is not.
        """
        self._checked(conn)

    def use(self, conn: Connection) -> None:
        """Write that the act was done; see `Approvals.use`."""
        self.approvals.use(conn, self._checked(conn), actor=self.actor)

    def _checked(self, conn: Connection) -> Approval:
        return self.approvals.check(
            conn,
            self.approval_id,
            expected_kind=self.kind,
            expected_details=self.details,
            expected_tenant=self.tenant,
        )


def digest_of(kind: Kind, details: Mapping[str, str | int], *, tenant: str) -> bytes:
    """Return the SHA-256 that names an act: its kind, its details and whose it is."""
    act = json.dumps([kind.value, tenant, dict(details)], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(act.encode()).digest()
