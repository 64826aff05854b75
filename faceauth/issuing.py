"""API keys as operators make them: an application's by one person, an administrator's by two, neither alone (R52).

Who holds two administrators' keys is two people to every other act that takes two. So nobody gets another one, nor
one in the place of another's, without somebody else's word.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.clock import Clock
from faceauth.db.engine import Database
from faceauth.errors import UnknownApiKey
from faceauth.identity.apikeys import ApiKeys, CreatedKey, KeyInfo, Role
from faceauth.identity.approvals import Approval, Approvals, Kind
from faceauth.installation import Installation

Details = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key with its secret, or the approval that it waits for."""

    made: CreatedKey | None
    approval: Approval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuing:
    """Makes, exchanges and ends a tenant's keys. Every act is one transaction with its audit record."""

    data: Database
    apikeys: ApiKeys
    approvals: Approvals
    audit: AuditLog
    clock: Clock

    @classmethod
    def of(cls, installation: Installation) -> "Issuing":
        """Return it for an opened installation."""
        return cls(
            data=installation.data,
            apikeys=installation.apikeys,
            approvals=installation.approvals,
            audit=installation.audit,
            clock=installation.clock,
        )

    def issue(self, *, tenant: str, actor: str, role: Role, label: str, days: int | None) -> Issued:
        """Make a key that expires in so many days, or never.

        Raises:
            InvalidRequest: the label is too long.
            ApprovalRequired: the approval was used or refused meanwhile.
            AuditUnavailable: it cannot be audited; there is no key then.
        """
        asked: Details = {"role": role, "label": label, "days": days or 0}
        with self.data.begin() as conn:
            approval = self._second_person(conn, role, asked, tenant=tenant, actor=actor)
            if approval is not None and approval.state != "approved":
                return Issued(None, approval)
            expires_at = None if days is None else self.clock() + timedelta(days=days)
            made = self.apikeys.create(conn, tenant=tenant, role=role, label=label, expires_at=expires_at)
            told = {"key_id": made.key_id, "role": role}
            self._did(conn, Event.APIKEY_CREATED, told, approval, tenant=tenant, actor=actor)
        return Issued(made, approval)

    def rotate(self, key_id: str, *, tenant: str, actor: str, overlap: timedelta) -> Issued:
        """Make a key in another's place; both work until the overlap is over.

        Raises:
            UnknownApiKey: the tenant has no such key.
            InvalidRequest: it opens nothing any more, or the overlap is too long.
            ApprovalRequired: the approval was used or refused meanwhile.
            AuditUnavailable: it cannot be audited; there is no key then.
        """
        with self.data.begin() as conn:
            old = self._own(conn, key_id, tenant)
            asked: Details = {"role": old.role, "replaces": key_id, "overlap": int(overlap.total_seconds())}
            approval = self._second_person(conn, old.role, asked, tenant=tenant, actor=actor)
            if approval is not None and approval.state != "approved":
                return Issued(None, approval)
            made, _ = self.apikeys.rotate(conn, key_id, overlap=overlap)
            told = {"key_id": made.key_id, "role": old.role, "replaces": key_id}
            self._did(conn, Event.APIKEY_ROTATED, told, approval, tenant=tenant, actor=actor)
        return Issued(made, approval)

    def revoke(self, key_id: str, *, tenant: str, actor: str) -> KeyInfo:
        """Make a key worthless from now on; one person is enough, for it opens nothing.

        Raises:
            UnknownApiKey: the tenant has no such key.
            AuditUnavailable: it cannot be audited; the key still works then.
        """
        with self.data.begin() as conn:
            old = self._own(conn, key_id, tenant)
            if old.revoked_at is None:
                self.apikeys.revoke(conn, key_id)
                told = {"key_id": key_id, "role": old.role}
                self._did(conn, Event.APIKEY_REVOKED, told, None, tenant=tenant, actor=actor)
            return self._own(conn, key_id, tenant)

    def _second_person(
        self, conn: Connection, role: Role, asked: Details, *, tenant: str, actor: str
    ) -> Approval | None:
        if role == "application":
            return None
        return self.approvals.request(conn, Kind.APIKEY_ISSUE, asked, tenant=tenant, actor=actor)

    def _did(
        self,
        conn: Connection,
        event: Event,
        told: dict[str, str],
        approval: Approval | None,
        *,
        tenant: str,
        actor: str,
    ) -> None:
        if approval is not None:
            self.approvals.use(conn, approval, actor=actor)
        self.audit.append(conn, event, tenant=tenant, account=None, actor=actor, details=told)

    def _own(self, conn: Connection, key_id: str, tenant: str) -> KeyInfo:
        for one in self.apikeys.list(conn, tenant):
            if one.key_id == key_id:
                return one
        raise UnknownApiKey("There is no API key of that id.")
