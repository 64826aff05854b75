"""What a try costs: the account's attempts and those of the places it comes from, charged together (R10, R11)."""

from dataclasses import dataclass

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.capture.session import CaptureSession
from faceauth.consent.accounts import AccountStore
from faceauth.errors import Locked
from faceauth.identity.attempts import Attempts
from faceauth.identity.places import Places
from faceauth.liveness.profiles import PROFILES


@dataclass(frozen=True, slots=True)
class Charging:
    """Charges and gives back, in the caller's transaction. Enrolment is free: it takes another factor (R14)."""

    attempts: Attempts
    places: Places

    def charge(self, conn: Connection, session: CaptureSession) -> Locked | None:
        """Count a try as failed before it is made; return why it may not be made, if so.

        A second look, at one more step, is the same try. Who is locked out of an account is charged for the places
        all the same: they are counted against going on to the next account.
        """
        if session.purpose == "enrol" or session.challenge.get("extra"):
            return None
        refused: Locked | None = None
        if session.purpose == "verify" and session.account is not None:
            level = PROFILES[session.challenge["profile"]]
            try:
                self.attempts.charge(conn, tenant=session.tenant, account=session.account, pad=level.qualifies)
            except Locked as locked:
                refused = locked
        try:
            self.places.charge(conn, session_id=session.session_id, purpose=session.purpose)
        except Locked as locked:
            refused = refused or locked
        return refused

    def switched_off(self, conn: Connection, session: CaptureSession) -> bool:
        """Say whether a failed session was its account's last: the face is off until another factor was shown."""
        if session.purpose != "verify" or session.account is None:
            return False
        return self.attempts.disabled(conn, tenant=session.tenant, account=session.account)

    def succeed(self, conn: Connection, session: CaptureSession) -> None:
        """Give back what the session's own try was charged."""
        if session.purpose == "verify" and session.account is not None:
            level = PROFILES[session.challenge["profile"]]
            self.attempts.succeed(conn, tenant=session.tenant, account=session.account, pad=level.qualifies)
        if session.purpose != "enrol":
            self.places.succeed(conn, session_id=session.session_id, purpose=session.purpose)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocking:
    """Lets a person try again who proved another factor to the application."""

    accounts: AccountStore
    attempts: Attempts
    audit: AuditLog

    def restore(self, conn: Connection, *, tenant: str, account: str, actor: str) -> bool:
        """Start the account's attempts again from nothing, and return whether its face was switched off (R10).

        The caller has checked the proof. Places keep their counts: they are not the person's.

        Raises:
            UnknownAccount: there is no such account.
        """
        self.accounts.get(conn, tenant, account)
        disabled = self.attempts.disabled(conn, tenant=tenant, account=account)
        self.attempts.unlock(conn, tenant=tenant, account=account)
        self.audit.append(conn, Event.FACE_LOGIN_RESTORED, tenant=tenant, account=account, actor=actor)
        return disabled
