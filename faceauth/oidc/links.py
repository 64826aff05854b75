"""Accounts that people have elsewhere: linked and unlinked by the application, one there to one here."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select

from faceauth.clock import Clock
from faceauth.db.openid_tables import account_links
from faceauth.db.rows import insert_if_absent
from faceauth.errors import AlreadyExists, InvalidRequest, UnknownLink

SUBJECT_LENGTH: Final = 255
"""Characters of ASCII in an account's name elsewhere (OpenID Connect Core, 2: `sub`)."""

_PROVIDER: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Link:
    """One account elsewhere that belongs to an account here."""

    provider: str
    subject: str
    linked_at: datetime


class LinkStore:
    """The links' rows. Every method works in the caller's transaction."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def link(
        self, conn: Connection, *, tenant: str, account: str, provider: str, subject: str
    ) -> tuple[Link, bool]:
        """Link an account elsewhere; return the link, and whether it is new. Linking it again changes nothing.

        Raises:
            InvalidRequest: the provider or the subject is malformed.
            AlreadyExists: that account is linked to somebody here, or this one to another account there.
        """
        if not _PROVIDER.fullmatch(provider):
            raise InvalidRequest("A provider is 1 to 64 of the characters a-z 0-9 _ . - and begins with a letter.")
        if not 0 < len(subject) <= SUBJECT_LENGTH or not subject.isascii() or not subject.isprintable():
            raise InvalidRequest(f"A subject is 1 to {SUBJECT_LENGTH} printable characters of ASCII.")
        row = {"tenant": tenant, "account": account, "provider": provider, "subject": subject}
        new = insert_if_absent(conn, account_links, {**row, "linked_at": self._clock()})
        found = next((one for one in self.list(conn, tenant, account) if one.provider == provider), None)
        if found is None or found.subject != subject:
            # Whose it is, or what else this one is linked to, is not told: the application can look.
            raise AlreadyExists(
                "That account is linked to somebody here, or this account to another one there. Unlink it first."
            )
        return found, new

    def list(self, conn: Connection, tenant: str, account: str) -> tuple[Link, ...]:
        """Return an account's links, by provider."""
        here = (account_links.c.tenant == tenant, account_links.c.account == account)
        query = select(account_links).where(*here).order_by(account_links.c.provider)
        return tuple(Link(row.provider, row.subject, row.linked_at) for row in conn.execute(query))

    def unlink(self, conn: Connection, *, tenant: str, account: str, provider: str) -> None:
        """Take a link away.

        Raises:
            UnknownLink: there is none.
        """
        rows = account_links.c
        here = (rows.tenant == tenant, rows.account == account, rows.provider == provider)
        if conn.execute(delete(account_links).where(*here)).rowcount != 1:
            raise UnknownLink("This account is not linked to that provider.")
