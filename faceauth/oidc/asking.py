"""Logins under way: what a client asked for, kept here while the person is before the camera.

A request belongs to one browser, by a cookie whose SHA-256 stands in its row: nobody finishes what another began.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from faceauth.bearer import digest_of
from faceauth.clock import Clock
from faceauth.db.openid_tables import openid_requests

KEPT: Final = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method", "acr_values"),
)
"""The parameters that are needed at the end of a login too."""


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """One login under way. `hint` is the account it is for, until a session is opened; then the session knows."""

    request_id: str
    client_id: str
    asked: Mapping[str, str]
    hint: str | None
    session_id: str | None
    created_at: datetime
    expires_at: datetime


class LoginRequests:
    """The rows of logins under way. Every method works in the caller's transaction.

    Args:
        clock: Returns the time now.
        random: Returns that many random bytes, fit for secrets.
        life: How long a login may take.
    """

    def __init__(self, clock: Clock, random: Callable[[int], bytes], life: timedelta) -> None:
        self._clock = clock
        self._random = random
        self._life = life

    def open(
        self, conn: Connection, *, client_id: str, browser: str, asked: Mapping[str, str], hint: str | None
    ) -> LoginRequest:
        """Keep what a client asked for, under a random id, for this browser."""
        now = self._clock()
        kept = {name: asked[name] for name in KEPT if name in asked}
        request = LoginRequest(
            request_id=f"or_{self._random(32).hex()}",
            client_id=client_id,
            asked=kept,
            hint=hint,
            session_id=None,
            created_at=now,
            expires_at=now + self._life,
        )
        forget_old_requests(conn, now=now)
        conn.execute(
            insert(openid_requests).values(
                request_id=request.request_id,
                client_id=client_id,
                browser=digest_of(browser),
                asked=_stored(kept, hint),
                created_at=now,
                expires_at=request.expires_at,
            )
        )
        return request

    def get(self, conn: Connection, request_id: str, browser: str) -> LoginRequest | None:
        """Return a login under way in this browser; None if it is over, another's, or never was."""
        row = conn.execute(select(openid_requests).where(*self._mine(request_id, browser))).one_or_none()
        if row is None:
            return None
        asked: dict[str, Any] = dict(row.asked)
        hint = asked.pop("login_hint", None)
        return LoginRequest(
            request_id=row.request_id,
            client_id=row.client_id,
            asked=asked,
            hint=hint,
            session_id=row.session_id,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )

    def attach(self, conn: Connection, request: LoginRequest, session_id: str) -> LoginRequest | None:
        """Note the session a login waits for, and forget the hint; None if it waits for one already."""
        changed = conn.execute(
            update(openid_requests)
            .where(openid_requests.c.request_id == request.request_id, openid_requests.c.session_id.is_(None))
            .values(session_id=session_id, asked=_stored(request.asked, None))
        ).rowcount
        return replace(request, hint=None, session_id=session_id) if changed == 1 else None

    def take(self, conn: Connection, request: LoginRequest) -> bool:
        """End a login under way; False if somebody else did first."""
        gone = delete(openid_requests).where(openid_requests.c.request_id == request.request_id)
        return conn.execute(gone).rowcount == 1

    def browser_of(self, conn: Connection, session_id: str) -> bytes | None:
        """Return the digest of the cookie that a session's browser has; None if it is no login of ours."""
        query = select(openid_requests.c.browser).where(openid_requests.c.session_id == session_id)
        return conn.scalar(query)

    def _mine(self, request_id: str, browser: str) -> tuple[Any, ...]:
        here = openid_requests.c
        return (
            here.request_id == request_id,
            here.browser == digest_of(browser),
            here.expires_at > self._clock(),
        )


def forget_old_requests(conn: Connection, *, now: datetime) -> int:
    """Delete the logins whose time is over; return how many."""
    return conn.execute(delete(openid_requests).where(openid_requests.c.expires_at <= now)).rowcount


def _stored(asked: Mapping[str, str], hint: str | None) -> dict[str, str]:
    return dict(asked) if hint is None else {**asked, "login_hint": hint}
