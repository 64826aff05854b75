"""The capture session as it is stored: opened by a backend, answered once by a device, decided once."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, insert, or_, select, update

from faceauth.db.schema import sessions
from faceauth.errors import Denied, NotAuthenticated, SessionClosed, UnknownSession
from faceauth.types import DeviceProof, KeyStrength, Purpose

SessionState = Literal["open", "accepted", "denied", "expired", "cancelled"]


@dataclass(frozen=True, slots=True)
class CaptureSession:
    """One session. `challenge` is in its stored form; `posts` counts the bursts claimed so far.

    A `streamed` one takes no posts, and of its challenge only what was told leaves the service. `proof` is the
    device key that signed the burst just judged; `device_id` and `device_strength` say so of an accepted session.
    A `veiled` one was opened whatever was in the way of it: it can only be denied if `withheld` has the reason.
    """

    session_id: str
    tenant: str
    purpose: Purpose
    scenario: str
    account: str | None
    challenge: Mapping[str, Any] = field(repr=False)
    state: SessionState
    reason: str | None
    matched_account: str | None
    reference_id: str | None
    posts: int
    judging: bool
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    streamed: bool = False
    capture_started_at: datetime | None = None
    device_id: str | None = None
    device_strength: KeyStrength | None = None
    proof: DeviceProof | None = None
    veiled: bool = False
    withheld: str | None = None
    token_revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a session ended; `reason` is for the backend alone."""

    state: Literal["accepted", "denied"]
    reason: str | None = None
    account: str | None = None
    reference_id: str | None = None


class SessionStore:
    """The sessions' rows. Every method works in the caller's transaction."""

    def open(
        self,
        conn: Connection,
        *,
        session_id: str,
        client_token: str,
        tenant: str,
        purpose: Purpose,
        scenario: str,
        account: str | None,
        challenge: Mapping[str, Any],
        now: datetime,
        expires_at: datetime,
        streamed: bool = False,
        veiled: bool = False,
        withheld: str | None = None,
    ) -> None:
        """Store a new session; of the client token only the SHA-256 is kept."""
        conn.execute(
            insert(sessions).values(
                session_id=session_id,
                tenant=tenant,
                purpose=purpose,
                scenario=scenario,
                account=account,
                challenge=_without_text(challenge),
                transaction_text=challenge.get("transaction", {}).get("text"),
                transaction_locale=challenge.get("transaction", {}).get("locale"),
                token_digest=_token_digest(client_token),
                state="open",
                posts=0,
                judging=False,
                created_at=now,
                expires_at=expires_at,
                streamed=streamed,
                veiled=veiled,
                withheld=withheld,
            )
        )

    def for_device(self, conn: Connection, *, session_id: str, client_token: str) -> CaptureSession:
        """Return the session a device holds the token of.

        Raises:
            NotAuthenticated: no such session, or not its token; the two look the same.
        """
        row = conn.execute(select(sessions).where(sessions.c.session_id == session_id)).one_or_none()
        expected = row.token_digest if row is not None else bytes(32)
        if not hmac.compare_digest(_token_digest(client_token), expected) or row is None:
            raise NotAuthenticated("This token opens no session. Ask the application for a new one.")
        return _session(row)

    def for_backend(self, conn: Connection, *, tenant: str, session_id: str, now: datetime) -> CaptureSession:
        """Return a tenant's own session, marked expired once its time is over.

        Raises:
            UnknownSession: there is none of that id for this tenant.
        """
        self.expire(conn, session_id=session_id, now=now)
        row = conn.execute(
            select(sessions).where(sessions.c.session_id == session_id, sessions.c.tenant == tenant)
        ).one_or_none()
        if row is None:
            raise UnknownSession(f"There is no session {session_id!r}.")
        return _session(row)

    def expire(self, conn: Connection, *, session_id: str, now: datetime) -> None:
        """Close the session if it is still open past its time."""
        conn.execute(
            update(sessions)
            .where(sessions.c.session_id == session_id, sessions.c.state == "open", sessions.c.expires_at <= now)
            .values(state="expired", reason="expired", decided_at=now, transaction_text=None)
        )

    def stream(
        self, conn: Connection, session: CaptureSession, challenge: Mapping[str, Any], *, now: datetime
    ) -> None:
        """Make it a streamed session with a challenge that nobody was told yet.

        Raises:
            SessionClosed: it is over, or frames were sent already.
        """
        here = (sessions.c.session_id == session.session_id, sessions.c.streamed.is_(False))
        fresh = (sessions.c.state == "open", sessions.c.capture_started_at.is_(None), sessions.c.expires_at > now)
        changed = conn.execute(
            update(sessions).where(*here, *fresh).values(streamed=True, challenge=_without_text(challenge))
        ).rowcount
        if changed != 1:
            raise SessionClosed("This session is over. Ask the application for a new one.")

    def redraw(
        self, conn: Connection, session: CaptureSession, challenge: Mapping[str, Any], *, now: datetime
    ) -> None:
        """Give the session another challenge, before any frame was sent.

        Raises:
            SessionClosed: it is over, or frames were sent already.
        """
        fresh = (sessions.c.state == "open", sessions.c.capture_started_at.is_(None), sessions.c.expires_at > now)
        changed = conn.execute(
            update(sessions)
            .where(sessions.c.session_id == session.session_id, *fresh)
            .values(challenge=_without_text(challenge))
        ).rowcount
        if changed != 1:
            raise SessionClosed("This session is over, or its frames came already. Ask for a new one.")

    def claim(
        self,
        conn: Connection,
        session: CaptureSession,
        *,
        now: datetime,
        capture: timedelta,
        streamed: bool = False,
    ) -> CaptureSession:
        """Take the session for judging one burst, posted or streamed, until it is released or decided.

        The first claim starts the clock: from then on the session lives at most `capture` (R15). A process that
        dies while judging leaves the session claimed, so that it can only expire.

        Raises:
            SessionClosed: it was decided, cancelled, has expired, is being judged, or its frames come another way.
        """
        claimed = conn.execute(
            update(sessions)
            .where(
                sessions.c.session_id == session.session_id,
                sessions.c.state == "open",
                sessions.c.judging.is_(False),
                sessions.c.streamed.is_(streamed),
                sessions.c.expires_at > now,
            )
            .values(judging=True, posts=sessions.c.posts + 1)
        ).rowcount
        if claimed != 1:
            raise SessionClosed("This session is over. Ask the application for a new one.")
        conn.execute(
            update(sessions)
            .where(sessions.c.session_id == session.session_id, sessions.c.capture_started_at.is_(None))
            .values(capture_started_at=now, expires_at=min(session.expires_at, now + capture))
        )
        row = conn.execute(select(sessions).where(sessions.c.session_id == session.session_id)).one()
        return _session(row)

    def received(self, conn: Connection, session: CaptureSession, *, now: datetime, until: datetime) -> None:
        """Note that a claimed burst came in time: it may be judged `until` then, however busy the service is.

        Raises:
            SessionClosed: it is over.
        """
        noted = conn.execute(
            update(sessions)
            .where(
                sessions.c.session_id == session.session_id,
                sessions.c.state == "open",
                sessions.c.judging.is_(True),
                sessions.c.expires_at > now,
            )
            .values(expires_at=until)
        ).rowcount
        if noted != 1:
            raise SessionClosed("This session is over. Ask the application for a new one.")

    def release(self, conn: Connection, session: CaptureSession) -> None:
        """Give a claimed session back, so that the device may post again until its claim's time is over."""
        conn.execute(
            update(sessions)
            .where(sessions.c.session_id == session.session_id, sessions.c.state == "open")
            .values(judging=False, expires_at=session.expires_at)
        )

    def extend(self, conn: Connection, session: CaptureSession, challenge: Mapping[str, Any]) -> None:
        """Give a claimed session back with a longer challenge, in its stored form.

        Raises:
            SessionClosed: it is not open any more.
        """
        changed = conn.execute(
            update(sessions)
            .where(sessions.c.session_id == session.session_id, sessions.c.state == "open")
            .values(judging=False, challenge=_without_text(challenge), expires_at=session.expires_at)
        ).rowcount
        if changed != 1:
            raise SessionClosed("This session is over. Ask the application for a new one.")

    def withhold(self, conn: Connection, session: CaptureSession, reason: str) -> None:
        """Let the session be denied in the end whatever comes, for this reason or the one that is there."""
        here = (sessions.c.session_id == session.session_id, sessions.c.withheld.is_(None))
        conn.execute(update(sessions).where(*here).values(withheld=reason))

    def decide(self, conn: Connection, session: CaptureSession, outcome: Outcome, *, now: datetime) -> None:
        """End the session with its one decision.

        Raises:
            SessionClosed: it is not open any more; whatever was decided meanwhile stands.
            Denied: it was to be accepted, and it can only be denied.
        """
        if outcome.state == "accepted" and session.withheld is not None:
            raise Denied(session.withheld)
        proof = session.proof if outcome.state == "accepted" else None
        decided = conn.execute(
            update(sessions)
            .where(
                sessions.c.session_id == session.session_id,
                sessions.c.state == "open",
                sessions.c.expires_at > now,
            )
            .values(
                state=outcome.state,
                reason=outcome.reason,
                matched_account=outcome.account,
                reference_id=outcome.reference_id,
                device_id=None if proof is None else proof.device_id,
                device_strength=None if proof is None else proof.strength,
                transaction_text=None,
                judging=False,
                decided_at=now,
            )
        ).rowcount
        if decided != 1:
            raise SessionClosed("This session is over. Ask the application for a new one.")

    def revoke_token(self, conn: Connection, session: CaptureSession, *, now: datetime) -> bool:
        """Note that the session's token holds no more; answer whether this call did it."""
        here = (sessions.c.session_id == session.session_id, sessions.c.token_revoked_at.is_(None))
        return conn.execute(update(sessions).where(*here).values(token_revoked_at=now)).rowcount == 1

    def count_old(self, conn: Connection, *, before: datetime) -> int:
        """Return how many records `delete_old` would delete."""
        return conn.scalar(select(func.count()).select_from(sessions).where(_old(before))) or 0

    def delete_old(self, conn: Connection, *, before: datetime) -> int:
        """Delete the records of sessions that were over before a time; return how many.

        A person's last accepted one of a scenario stays: it tells how long the face has gone unused (R39).
        """
        return conn.execute(delete(sessions).where(_old(before))).rowcount

    def forget_texts(self, conn: Connection, *, now: datetime) -> None:
        """Empty the transactions' texts of sessions whose time is over: nobody has to read them for that."""
        late = (sessions.c.transaction_text.is_not(None), sessions.c.expires_at <= now)
        conn.execute(update(sessions).where(*late).values(transaction_text=None))

    def cancel(self, conn: Connection, session: CaptureSession, *, now: datetime) -> bool:
        """End an open session without a decision; answer whether this call did it."""
        return (
            conn.execute(
                update(sessions)
                .where(sessions.c.session_id == session.session_id, sessions.c.state == "open")
                .values(state="cancelled", judging=False, decided_at=now, transaction_text=None)
            ).rowcount
            == 1
        )


def _old(before: datetime) -> ColumnElement[bool]:
    """Return the condition on sessions that were over before a time, but each person's last use of a scenario."""
    newer = sessions.alias("newer")
    last = ~exists().where(
        newer.c.tenant == sessions.c.tenant,
        newer.c.scenario == sessions.c.scenario,
        newer.c.state == "accepted",
        or_(newer.c.account == sessions.c.account, newer.c.matched_account == sessions.c.matched_account),
        newer.c.decided_at > sessions.c.decided_at,
    )
    # Of somebody who is gone no name is left in it, and so nothing to keep it for.
    somebody = or_(sessions.c.account.is_not(None), sessions.c.matched_account.is_not(None))
    return and_(sessions.c.expires_at < before, ~and_(sessions.c.state == "accepted", somebody, last))


def _token_digest(client_token: str) -> bytes:
    return hashlib.sha256(client_token.encode()).digest()


def _without_text(challenge: Mapping[str, Any]) -> dict[str, Any]:
    """Return a challenge whose transaction's text stands elsewhere: in a column that is emptied at the end."""
    told = challenge.get("transaction")
    return dict(challenge) if told is None else {**challenge, "transaction": {"sha256": told["sha256"]}}


def _with_text(row: Row[Any]) -> Mapping[str, Any]:
    challenge: Mapping[str, Any] = row.challenge
    if row.transaction_text is None:
        return challenge
    told = {"text": row.transaction_text, "locale": row.transaction_locale}
    return {**challenge, "transaction": {**challenge["transaction"], **told}}


def _session(row: Row[Any]) -> CaptureSession:
    return CaptureSession(
        session_id=row.session_id,
        tenant=row.tenant,
        purpose=row.purpose,
        scenario=row.scenario,
        account=row.account,
        challenge=_with_text(row),
        state=row.state,
        reason=row.reason,
        matched_account=row.matched_account,
        reference_id=row.reference_id,
        posts=row.posts,
        judging=row.judging,
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        streamed=row.streamed,
        capture_started_at=row.capture_started_at,
        device_id=row.device_id,
        device_strength=row.device_strength,
        veiled=row.veiled,
        withheld=row.withheld,
        token_revoked_at=row.token_revoked_at,
    )
