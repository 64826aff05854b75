"""Links to the privacy page: minted by the backend, opened once, and then the page's for one visit."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from faceauth.bearer import Granted, digest_of, grant
from faceauth.db.privacy_tables import privacy_links as table
from faceauth.errors import NotAuthenticated

LINK: Final = timedelta(minutes=10)
"""How long a link waits to be opened. Own figure: it is made when the person asks for it."""

VISIT: Final = timedelta(minutes=30)
"""How long the page may act after it was opened. Own figure: long enough to read a notice twice."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose page it is."""

    tenant: str
    account: str


class PrivacyLinks:
    """The repository of links. Every method works in the caller's transaction."""

    def __init__(self, random: Callable[[int], bytes] = os.urandom) -> None:
        self._random = random

    def mint(self, conn: Connection, *, tenant: str, account: str, now: datetime) -> Granted:
        """Make a link for an account that is there; links that are over go."""
        conn.execute(delete(table).where(table.c.expires_at <= now))
        made = grant(self._random, now + LINK, "fl_")
        conn.execute(
            insert(table).values(
                token_digest=digest_of(made.token),
                tenant=tenant,
                account=account,
                opened=False,
                expires_at=made.expires_at,
            )
        )
        return made

    def open(self, conn: Connection, token: str, *, now: datetime) -> Granted:
        """Use the link up and return the page's own token.

        Raises:
            NotAuthenticated: it is no link, was opened already, or is over; they look the same.
        """
        page = grant(self._random, now + VISIT, "fv_")
        used = conn.execute(
            update(table)
            .where(table.c.token_digest == digest_of(token), ~table.c.opened, table.c.expires_at > now)
            .values(token_digest=digest_of(page.token), opened=True, expires_at=page.expires_at)
        )
        if used.rowcount != 1:
            raise NotAuthenticated("This link opens nothing any more. Ask the application for a new one.")
        return page

    def visitor(self, conn: Connection, token: str, *, now: datetime) -> Visitor:
        """Return whose page holds this token.

        Raises:
            NotAuthenticated: it is no page's, or the visit is over.
        """
        here = (table.c.token_digest == digest_of(token), table.c.opened, table.c.expires_at > now)
        row = conn.execute(select(table.c.tenant, table.c.account).where(*here)).one_or_none()
        if row is None:
            raise NotAuthenticated("This visit is over. Ask the application for a new link.")
        return Visitor(row.tenant, row.account)
