"""Who is signed in to the console: one row for each browser, and rows of sign-ins that failed."""

import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from faceauth.bearer import Granted, digest_of, grant
from faceauth.db.console_tables import console_failures as failures
from faceauth.db.console_tables import console_sessions as table
from faceauth.errors import InvalidRequest, Locked, NotAuthenticated
from faceauth.identity.apikeys import Role
from faceauth.identity.places import network_of

FAILURES: Final = 20
WINDOW: Final = timedelta(minutes=15)
"""Sign-ins that may fail from one network in that time. Own figures: a key is 256 random bits and no one guesses
it; they keep noise away, and typing mistakes of an office do not reach them."""

SEEN_EVERY: Final = timedelta(seconds=30)
"""How much older `seen_at` may be than the truth (own figure), so that not every page writes a row."""

_LABEL: Final = b"faceauth/console/network/1"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One browser's session: a key's, or a subject's with its role."""

    tenant: str
    key_id: str | None
    subject: str | None
    role: Role | None
    language: str
    seen_at: datetime
    expires_at: datetime


class ConsoleSessions:
    """The repository of sessions. Every method works in the caller's transaction.

    Args:
        key: 32 bytes that key the marks of networks.
        idle: How long a session lives without being used.
        longest: How long it lives at most.
        random: Returns that many random bytes, fit for secrets.
    """

    def __init__(
        self, key: bytes, *, idle: timedelta, longest: timedelta, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._key = key
        self._idle = idle
        self._longest = longest
        self._random = random

    def open(
        self,
        conn: Connection,
        *,
        tenant: str,
        language: str,
        now: datetime,
        key_id: str | None = None,
        subject: str | None = None,
        role: Role | None = None,
    ) -> Granted:
        """Begin a session for a key, or for a subject with a role; sessions that are over go."""
        conn.execute(delete(table).where((table.c.expires_at <= now) | (table.c.seen_at <= now - self._idle)))
        opened = grant(self._random, now + self._longest)
        conn.execute(
            insert(table).values(
                token_digest=digest_of(opened.token),
                tenant=tenant,
                key_id=key_id,
                subject=subject,
                role=role,
                language=language,
                opened_at=now,
                seen_at=now,
                expires_at=opened.expires_at,
            )
        )
        return opened

    def get(self, conn: Connection, token: str, *, now: datetime) -> SignedIn:
        """Return whose session it is.

        Raises:
            NotAuthenticated: there is none, or it was over by age or by lying idle.
        """
        alive = (table.c.expires_at > now, table.c.seen_at > now - self._idle)
        row = conn.execute(select(table).where(table.c.token_digest == digest_of(token), *alive)).one_or_none()
        if row is None:
            raise NotAuthenticated("You are not signed in any more.")
        return SignedIn(**{name: getattr(row, name) for name in SignedIn.__slots__})

    def seen(self, conn: Connection, token: str, *, now: datetime) -> None:
        """Note that it was used now."""
        conn.execute(update(table).where(table.c.token_digest == digest_of(token)).values(seen_at=now))

    def speak(self, conn: Connection, token: str, language: str) -> None:
        """Set the language of its pages."""
        conn.execute(update(table).where(table.c.token_digest == digest_of(token)).values(language=language))

    def close(self, conn: Connection, token: str) -> None:
        """End it."""
        conn.execute(delete(table).where(table.c.token_digest == digest_of(token)))

    def check(self, conn: Connection, address: str, *, now: datetime) -> None:
        """Return if another sign-in may be tried from there.

        Raises:
            Locked: too many failed from there of late.
        """
        of_late = (failures.c.mark == self._mark(address), failures.c.at > now - WINDOW)
        if (conn.scalar(select(func.count()).select_from(failures).where(*of_late)) or 0) >= FAILURES:
            raise Locked("Too many sign-ins failed from this network. Wait a quarter of an hour.")

    def failed(self, conn: Connection, address: str, *, now: datetime) -> None:
        """Count a sign-in that failed; those of long ago go."""
        conn.execute(delete(failures).where(failures.c.at <= now - WINDOW))
        row = {"failure_id": self._random(16).hex(), "mark": self._mark(address), "at": now}
        conn.execute(insert(failures).values(row))

    def _mark(self, address: str) -> bytes:
        try:
            network = network_of(address)
        except InvalidRequest:
            network = ""  # a socket without an address: all of them count as one
        return hmac.digest(self._key, _LABEL + network.encode(), "sha256")
