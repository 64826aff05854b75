"""The console's desk: signs administrators in and out, and says who holds a browser's session."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.bearer import Granted
from faceauth.clock import Clock
from faceauth.db.engine import Database
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import FaceauthError, NotAllowed, NotAuthenticated
from faceauth.identity.apikeys import ApiKeys, Caller, Role
from faceauth.identity.console_sessions import SEEN_EVERY, ConsoleSessions, SignedIn
from faceauth.installation import Installation

ADMINISTRATORS: Final[tuple[Role, ...]] = ("operator", "privacy", "auditor")
"""Whose keys open the console. An application's acts for people, who are not asked here."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Who is signed in, and in which language the pages are."""

    caller: Caller
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Signs in, looks up and signs out; every act of both kinds is audited in its own transaction."""

    data: Database
    apikeys: ApiKeys
    sessions: ConsoleSessions
    audit: AuditLog
    clock: Clock
    outside: frozenset[Role] = frozenset()
    """Roles that the OpenID provider of the settings may give; none without one."""

    @classmethod
    def of(cls, installation: Installation, *, random: Callable[[int], bytes] | None = None) -> "Console":
        """Return the console's desk of an opened installation."""
        settings = installation.settings.console
        return cls(
            data=installation.data,
            apikeys=installation.apikeys,
            sessions=ConsoleSessions(
                installation.keyring.replay_key,
                idle=timedelta(minutes=settings.idle_minutes),
                longest=timedelta(hours=settings.longest_hours),
                random=random or installation.desk.random,
            ),
            audit=installation.audit,
            clock=installation.clock,
            outside=frozenset(settings.openid.roles.values() if settings.openid.issuer else ()),
        )

    def sign_in(self, secret: str, *, address: str, language: str) -> Granted:
        """Begin a session for whoever holds an administrator's API key.

        Args:
            secret: The key; it is compared and forgotten.
            address: The IP address it came from, for the limit on failures.
            language: `en` or `zh`.

        Raises:
            NotAuthenticated: it is no key, or not any more.
            NotAllowed: it is an application's key.
            Locked: too many sign-ins failed from this network.
            AuditUnavailable: it cannot be audited.
        """
        now = self.clock()
        with self.data.begin() as conn:
            self.sessions.check(conn, address, now=now)
            found = self._holder(conn, secret)
            if isinstance(found, Caller):
                opened = self.sessions.open(
                    conn, tenant=found.tenant, key_id=found.key_id, language=language, now=now
                )
                self._note(conn, Event.CONSOLE_OPENED, found)
                return opened
            # The count has to be committed, so the refusal is raised after the transaction.
            self.sessions.failed(conn, address, now=now)
        raise found

    def admit(self, *, subject: str, role: Role, language: str) -> Granted:
        """Begin a session for somebody whom an OpenID provider named, under their name there.

        Raises:
            AuditUnavailable: it cannot be audited.
        """
        caller = Caller(key_id=subject, tenant=DEFAULT_TENANT, role=role, kind="openid")
        with self.data.begin() as conn:
            opened = self.sessions.open(
                conn, tenant=caller.tenant, subject=subject, role=role, language=language, now=self.clock()
            )
            self._note(conn, Event.CONSOLE_OPENED, caller)
        return opened

    def guest(self, token: str, *, used: bool = True) -> Guest:
        """Return who holds a browser's session.

        Args:
            token: The cookie's value.
            used: Whether a person did something; what a page asks for by itself does not keep a session alive.

        Raises:
            NotAuthenticated: the session is over, or the key that opened it was revoked or has expired.
        """
        now = self.clock()
        with self.data.read() as conn:
            found = self.sessions.get(conn, token, now=now)
            caller = self._caller(conn, found)
        if used and now - found.seen_at >= SEEN_EVERY:
            with self.data.begin() as conn:
                self.sessions.seen(conn, token, now=now)
        return Guest(caller, found.language)

    def speak(self, token: str, language: str) -> None:
        """Set the language of a session's pages."""
        with self.data.begin() as conn:
            self.sessions.speak(conn, token, language)

    def sign_out(self, token: str) -> None:
        """End a session; one that is over already ends without a record.

        Raises:
            AuditUnavailable: it cannot be audited.
        """
        with self.data.begin() as conn:
            try:
                caller = self._caller(conn, self.sessions.get(conn, token, now=self.clock()))
            except NotAuthenticated:
                return
            self.sessions.close(conn, token)
            self._note(conn, Event.CONSOLE_CLOSED, caller)

    def _holder(self, conn: Connection, secret: str) -> Caller | FaceauthError:
        """Return who holds a key, or why it opens nothing here."""
        try:
            caller = self.apikeys.authenticate(conn, secret)
        except NotAuthenticated:
            return NotAuthenticated("This API key is not valid.")
        if caller.role not in ADMINISTRATORS:
            return NotAllowed("This is an application's key. The console takes an administrator's.")
        return caller

    def _caller(self, conn: Connection, found: SignedIn) -> Caller:
        if found.key_id is not None:
            return self.apikeys.holder(conn, found.key_id)
        # Who is taken off the list, or the provider off the settings, is out at once.
        if found.subject is None or found.role is None or found.role not in self.outside:
            raise NotAuthenticated("You are not signed in any more.")
        return Caller(key_id=found.subject, tenant=found.tenant, role=found.role, kind="openid")

    def _note(self, conn: Connection, event: Event, caller: Caller) -> None:
        details = {"role": caller.role, "kind": caller.kind}
        self.audit.append(conn, event, tenant=caller.tenant, account=None, actor=caller.actor, details=details)
