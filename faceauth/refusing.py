"""The end of a session that is denied, written down in one transaction: its reason, and that the face is off."""

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.capture.session import CaptureSession, Outcome, SessionStore
from faceauth.charging import Charging
from faceauth.clock import Clock
from faceauth.db.engine import Database
from faceauth.errors import Denied, DeviceKeyMisused, LivenessDenied, SessionClosed
from faceauth.proving import CONFIRMED, Proving

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusing:
    """Writes down denials."""

    data: Database
    sessions: SessionStore
    charging: Charging
    proving: Proving
    audit: AuditLog
    clock: Clock

    def refuse(self, session: CaptureSession, denied: Denied) -> None:
        """End a claimed session with a denial; whatever was decided meanwhile stands.

        Raises:
            AuditUnavailable, StorageError: nothing could be written; the session can only expire.
        """
        if isinstance(denied, LivenessDenied):
            log.info("session.liveness", gate=denied.gate)
        if isinstance(denied, DeviceKeyMisused) and denied.cause in CONFIRMED:
            self.proving.note(session, denied)
        with self.data.begin() as conn:
            self.sessions.expire(conn, session_id=session.session_id, now=self.clock())
            try:
                self.sessions.decide(conn, session, Outcome("denied", denied.reason), now=self.clock())
            except SessionClosed:
                judged = denied.reason != "expired" and self._cancelled(conn, session)
            else:
                judged = True
            # Also of a session that its device cancelled before it was told: or nobody would read of its try.
            if judged:
                self._audit(conn, session, Event.SESSION_DENIED, reason=denied.reason)
            if denied.reason != "locked" and self.charging.switched_off(conn, session):
                self._audit(conn, session, Event.FACE_LOGIN_DISABLED)

    def _cancelled(self, conn: Connection, session: CaptureSession) -> bool:
        now = self.clock()
        known = self.sessions.for_backend(conn, tenant=session.tenant, session_id=session.session_id, now=now)
        return known.state == "cancelled"

    def _audit(self, conn: Connection, session: CaptureSession, event: Event, **details: str) -> None:
        self.audit.append(
            conn,
            event,
            tenant=session.tenant,
            account=session.account,
            actor="device",
            details={"scenario": session.scenario, "purpose": session.purpose, **details},
        )
