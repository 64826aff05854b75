"""What a login's token is still worth, asked by the backend it was given to (RFC 7662), and its end (RFC 7009).

A signature says that a token was good when it was made. Whether the person withdrew since, or closed the account,
is in the database alone: it is read each time, so that the answer is as old as the question.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.capture.session import CaptureSession, SessionStore
from faceauth.clock import Clock
from faceauth.db.engine import Database
from faceauth.errors import SignatureInvalid, UnknownSession
from faceauth.identity.tokens import Claims, Tokens
from faceauth.installation import Installation
from faceauth.sessions import SessionDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """Reads and revokes the tokens of accepted sessions."""

    data: Database
    desk: SessionDesk
    sessions: SessionStore
    tokens: Tokens
    audit: AuditLog
    clock: Clock

    @classmethod
    def of(cls, installation: Installation) -> "Introspection":
        """Return the introspection of an opened installation."""
        return cls(
            data=installation.data,
            desk=installation.desk,
            sessions=installation.desk.sessions,
            tokens=installation.tokens,
            audit=installation.audit,
            clock=installation.clock,
        )

    def introspect(self, token: str, *, tenant: str, once: bool = False) -> Claims | None:
        """Return what the token says if it still holds, and None otherwise, whatever the reason (RFC 7662, 2.2).

        It holds while its signature, audience and time do, it was not revoked, and the person's consent is the one
        under which they logged in.

        Args:
            token: as it was received.
            tenant: whose it must be.
            once: let it hold this once: of any number of such calls, one gets the answer (R18).
        """
        with self.data.begin() as conn:
            found = self._find(conn, token, tenant)
            if found is None:
                return None
            claims, session = found
            if not self.desk.stands(conn, session):
                return None
            if once and not self.sessions.revoke_token(conn, session, now=self.clock()):
                return None
            return claims

    def revoke(self, token: str, *, tenant: str, actor: str) -> None:
        """End the token, if it is this tenant's and could hold; anything else is no error (RFC 7009, 2.2)."""
        with self.data.begin() as conn:
            found = self._find(conn, token, tenant)
            if found is None:
                return
            _, session = found
            if self.sessions.revoke_token(conn, session, now=self.clock()):
                self.audit.append(
                    conn,
                    Event.SESSION_REVOKED,
                    tenant=tenant,
                    account=session.matched_account,
                    actor=actor,
                    details={"session_id": session.session_id, "scenario": session.scenario},
                )

    def _find(self, conn: Connection, token: str, tenant: str) -> tuple[Claims, CaptureSession] | None:
        """Return a token that is signed, in time and this tenant's, with the session it was made for."""
        try:
            claims = self.tokens.check(token, expected_audience=tenant)
            session = self.sessions.for_backend(
                conn, tenant=tenant, session_id=claims.session_id, now=self.clock()
            )
        except (SignatureInvalid, UnknownSession):
            return None
        return (claims, session) if session.matched_account == claims.account else None
