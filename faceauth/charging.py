"""What a try costs: the account's attempts and those of the places it comes from, charged together (R10, R11)."""

from dataclasses import dataclass

from sqlalchemy import Connection

from faceauth.capture.session import CaptureSession
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

    def succeed(self, conn: Connection, session: CaptureSession) -> None:
        """Give back what the session's own try was charged."""
        if session.purpose == "verify" and session.account is not None:
            level = PROFILES[session.challenge["profile"]]
            self.attempts.succeed(conn, tenant=session.tenant, account=session.account, pad=level.qualifies)
        if session.purpose != "enrol":
            self.places.succeed(conn, session_id=session.session_id, purpose=session.purpose)
