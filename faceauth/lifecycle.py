"""What a person or an administrator may do to a face's life: agree, withdraw, close, erase, export."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.clock import Clock
from faceauth.consent.accounts import Account, AccountStore
from faceauth.consent.ledger import ConsentEvent, ConsentLedger, ConsentRequest
from faceauth.consent.scenarios import Scenario, ScenarioStore
from faceauth.db.engine import Database
from faceauth.errors import UnknownAccount, UnknownReference
from faceauth.identity.approvals import SecondPerson
from faceauth.identity.devices import DeviceKeys
from faceauth.oidc.export import elsewhere
from faceauth.vault.erasure import Erasure
from faceauth.vault.references import ReferenceStore

_ANSWERS: Final = {
    "given": Event.CONSENT_GIVEN,
    "renewed": Event.CONSENT_RENEWED,
    "refused": Event.CONSENT_REFUSED,
}
"""The record of each state that an answer brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """Acts on accounts, each audited in its own transaction; erasures are run to their end before answering."""

    data: Database
    accounts: AccountStore
    scenarios: ScenarioStore
    ledger: ConsentLedger
    references: ReferenceStore
    devices: DeviceKeys
    erasure: Erasure
    audit: AuditLog
    clock: Clock

    def record_consent(self, *, tenant: str, account: str, request: ConsentRequest, actor: str) -> ConsentEvent:
        """Write the person's answer into the ledger.

        Raises:
            UnknownAccount, UnknownScenario, ConsentInvalid, GuardianRequired: nothing was recorded.
        """
        with self.data.begin() as conn:
            self.accounts.get(conn, tenant, account)
            event = self.ledger.record(conn, tenant=tenant, account=account, request=request)
            self.audit.append(
                conn,
                _ANSWERS[event.state],
                tenant=tenant,
                account=account,
                actor=actor,
                details={"scenario": event.scenario, "notice_version": event.notice_version},
            )
        return event

    def withdraw(self, *, tenant: str, account: str, scenario: str, actor: str) -> str:
        """Withdraw one consent and erase what it allowed; answer the signed deletion receipt.

        Withdrawing again answers the receipt of the last time. From the first commit on, the gate denies; the
        erasure then runs to its end, or is resumed at the next start (R40).

        Raises:
            UnknownAccount, UnknownScenario: there is nothing of that name.
        """
        with self.data.begin() as conn:
            person = self.accounts.get(conn, tenant, account)
            self.scenarios.get(conn, tenant, scenario)
            event = self.ledger.withdraw(conn, tenant=tenant, account=account, scenario=scenario)
            if event is None:
                earlier = self.erasure.last(
                    conn, tenant=tenant, account=account, scenario=scenario, since=person.created_at
                )
                tombstone = earlier or self._doom(conn, tenant, account, scenario=scenario, reason="withdrawn")
            else:
                tombstone = self._doom(conn, tenant, account, scenario=scenario, reason="withdrawn")
                self.audit.append(
                    conn,
                    Event.CONSENT_WITHDRAWN,
                    tenant=tenant,
                    account=account,
                    actor=actor,
                    details={"scenario": scenario},
                )
        return self.erasure.run(tombstone).token

    def restrict(self, *, tenant: str, account: str, restricted: bool, actor: str) -> Account:
        """Suspend every use of a person's face without erasing it, or allow it again; again changes nothing.

        Raises:
            UnknownAccount: there is none of that name.
        """
        with self.data.begin() as conn:
            before = self.accounts.get(conn, tenant, account)
            at = self.clock() if restricted else None
            after = self.accounts.restrict(conn, tenant=tenant, account=account, at=at)
            if (before.restricted_at is None) != (after.restricted_at is None):
                event = Event.PROCESSING_RESTRICTED if restricted else Event.PROCESSING_RESUMED
                self.audit.append(conn, event, tenant=tenant, account=account, actor=actor)
        return after

    def retire(self, *, tenant: str, scenario: str, actor: str, approved: SecondPerson | None = None) -> Scenario:
        """Close a scenario for good: from this commit on it allows nothing, and the retention erases what it kept.

        Retiring again changes nothing. `approved` is a second person's word that is used up by it
        (`two_people.retire_scenario`).

        Raises:
            UnknownScenario: there is none of that name.
            ApprovalRequired: the approval was used or refused meanwhile.
        """
        with self.data.begin() as conn:
            found = self.scenarios.get(conn, tenant, scenario)
            if found.state == "retired":
                return found
            if approved is not None:
                approved.use(conn)
            retired = self.scenarios.retire(conn, tenant=tenant, scenario=scenario)
            details = {"scenario": scenario}
            self.audit.append(
                conn, Event.SCENARIO_RETIRED, tenant=tenant, account=None, actor=actor, details=details
            )
        return retired

    def close_account(self, *, tenant: str, account: str, actor: str) -> str:
        """Close the account: every consent is withdrawn and everything of the person goes but the ledger's proof.

        Closing again answers the receipt of the last time: the first answer may have been lost on its way.

        Raises:
            UnknownAccount: there is none of that name, and there was none.
        """
        with self.data.begin() as conn:
            tombstone = self._closed_before(conn, tenant, account)
            if tombstone is None:
                for scenario in self.ledger.live(conn, tenant=tenant, account=account):
                    self.ledger.withdraw(conn, tenant=tenant, account=account, scenario=scenario)
                tombstone = self._doom(conn, tenant, account, reason="account_closed")
                self.audit.append(conn, Event.ACCOUNT_CLOSED, tenant=tenant, account=account, actor=actor)
        return self.erasure.run(tombstone).token

    def _closed_before(self, conn: Connection, tenant: str, account: str) -> str | None:
        """Return the erasure that closed an account which is not there any more; None for one that is."""
        try:
            self.accounts.get(conn, tenant, account)
        except UnknownAccount:
            closed = self.erasure.last(conn, tenant=tenant, account=account)
            if closed is None:
                raise
            return closed
        return None

    def delete_reference(self, *, tenant: str, account: str, reference_id: str, actor: str) -> str:
        """Erase one reference; answer the signed deletion receipt.

        Raises:
            UnknownAccount, UnknownReference: there is nothing of that name.
        """
        with self.data.begin() as conn:
            self.accounts.get(conn, tenant, account)
            owned = {info.reference_id for info in self.references.describe(conn, tenant=tenant, account=account)}
            if reference_id not in owned:
                raise UnknownReference(f"This account has no reference {reference_id!r}.")
            tombstone = self._doom(conn, tenant, account, reference_id=reference_id, reason="reference_deleted")
            self.audit.append(
                conn, Event.REFERENCE_ERASED, tenant=tenant, account=account, actor=actor, details={"count": 1}
            )
        return self.erasure.run(tombstone).token

    def export(self, *, tenant: str, account: str) -> dict[str, object]:
        """Return everything kept about the person, machine readable and without any vector.

        Raises:
            UnknownAccount: there is none of that name.
        """
        with self.data.read() as conn:
            person = self.accounts.get(conn, tenant, account)
            return {
                "schema": "faceauth/export/v1",
                "exported_at": _iso(self.clock()),
                "account": {
                    "account_id": person.account,
                    "locale": person.locale,
                    "birth_date": person.birth_date.isoformat() if person.birth_date else None,
                    "contact": person.contact,
                    "guardian": person.guardian,
                    "created_at": _iso(person.created_at),
                    "restricted_at": person.restricted_at and _iso(person.restricted_at),
                },
                "consents": [
                    {"record": dict(event.record), "receipt": event.receipt}
                    for event in self.ledger.history(conn, tenant=tenant, account=account)
                ],
                "references": [
                    {
                        "reference_id": info.reference_id,
                        "scenario": info.scenario,
                        "model": info.model_digest,
                        "created_at": _iso(info.created_at),
                    }
                    for info in self.references.describe(conn, tenant=tenant, account=account)
                ],
                "devices": [
                    {
                        "device_id": device.device_id,
                        "label": device.label,
                        "kind": device.kind,
                        "attested": device.attestation,
                        "created_at": _iso(device.created_at),
                        "last_used_at": device.last_used_at and _iso(device.last_used_at),
                    }
                    for device in self.devices.list(conn, tenant=tenant, account=account)
                ],
                **elsewhere(conn, tenant, account),
                "activity": [
                    {"at": _iso(item.at), "event": str(item.event), "scenario": item.scenario}
                    for item in self.audit.activity(conn, tenant, account, since=person.created_at)
                ],
            }

    def _doom(
        self,
        conn: Connection,
        tenant: str,
        account: str,
        *,
        reason: Any,
        scenario: str | None = None,
        reference_id: str | None = None,
    ) -> str:
        return self.erasure.request(
            conn, tenant=tenant, account=account, scenario=scenario, reference_id=reference_id, reason=reason
        )


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
