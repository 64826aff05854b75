"""A capture's device key: what the scenario asks for, whether the signature holds, and whether it still counts."""

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.capture.session import CaptureSession
from faceauth.clock import Clock
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.engine import Database
from faceauth.errors import DeviceKeyMisused, NotEnrolled
from faceauth.identity.devices import DeviceKeys
from faceauth.identity.signed import session_message
from faceauth.identity.webauthn_keys import RelyingParty
from faceauth.types import Challenge, DeviceKeyPolicy, Evidence

CONFIRMED: Final = frozenset({"account", "revoked"})
"""The misuses that only the accepting transaction sees, which is rolled back: whoever refuses notes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proving:
    """Checks the signature over a burst, before it is judged and once more in the transaction that accepts it."""

    data: Database
    scenarios: ScenarioStore
    devices: DeviceKeys
    relying_party: RelyingParty
    audit: AuditLog
    clock: Clock

    def prove(self, session: CaptureSession, challenge: Challenge, evidence: Evidence) -> CaptureSession:
        """Return the session with the proof that a bound key signed this burst, if the scenario asks for one.

        Enrolment has the person's other factor, proven to the application (R14): it needs no key, and names one
        that signed.

        Raises:
            NotEnrolled: the scenario requires a key and none signed.
            DeviceKeyMisused: what came is no signature of one of the account's keys over this burst: audited.
        """
        with self.data.read() as conn:
            policy = self._policy(conn, session)
        if policy == "none":
            return session
        if evidence.unverified_signature is None or evidence.chain is None:
            _check_needed(session, policy)
            return session
        message = session_message(nonce=challenge.nonce, session_id=session.session_id, chain=evidence.chain)
        try:
            with self.data.begin() as conn:
                proof = self.devices.prove(
                    conn,
                    evidence.unverified_signature,
                    message,
                    expected_tenant=session.tenant,
                    expected_account=session.account,
                    relying_party=self.relying_party,
                )
        except DeviceKeyMisused as misused:
            self.note(session, misused)
            raise
        return replace(session, proof=proof)

    def confirm(self, conn: Connection, session: CaptureSession, *, account: str) -> None:
        """Hold the proof against the account that is accepted, in the transaction that accepts it.

        Raises:
            NotEnrolled: the scenario requires a key and none signed.
            DeviceKeyMisused: the key is another account's, or was revoked meanwhile.
        """
        policy = self._policy(conn, session)
        if session.proof is None:
            _check_needed(session, policy)
            return
        self.devices.used(conn, session.proof, expected_account=account, now=self.clock())

    def _policy(self, conn: Connection, session: CaptureSession) -> DeviceKeyPolicy:
        return self.scenarios.get(conn, session.tenant, session.scenario).device_key

    def note(self, session: CaptureSession, misused: DeviceKeyMisused) -> None:
        """Audit a misuse, in a transaction of its own: that of the decision is rolled back.

        Raises:
            AuditUnavailable, StorageError: it cannot be written.
        """
        details = {"session_id": session.session_id, "reason": misused.cause}
        if misused.device_id is not None:
            details["device_id"] = misused.device_id
        with self.data.begin() as conn:
            self.audit.append(
                conn,
                Event.DEVICE_MISUSED,
                tenant=session.tenant,
                account=session.account,
                actor="device",
                details=details,
            )


def _check_needed(session: CaptureSession, policy: DeviceKeyPolicy) -> None:
    if policy == "required" and session.purpose != "enrol":
        raise NotEnrolled("The scenario requires a device key, and none signed.")
