"""Sign-ins to the console that are under way at an OpenID provider: one row each, used once."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select

from faceauth.bearer import digest_of
from faceauth.db.console_tables import console_logins as table
from faceauth.errors import Locked, NotAuthenticated

LASTS: Final = timedelta(minutes=10)
"""How long somebody may take to sign in at the provider. Own figure, as for logins of OpenID clients here."""


MOST: Final = 1_000
"""Sign-ins that may be under way at once. Own figure: administrators are few, and anybody may begin one."""


@dataclass(frozen=True, slots=True)
class Login:
    """What was sent along, to be compared with what comes back."""

    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    language: str


def begin(conn: Connection, *, state: str, browser: str, login: Login, now: datetime) -> None:
    """Note that a browser was sent to the provider; those that are over go.

    Raises:
        Locked: too many are under way.
    """
    conn.execute(delete(table).where(table.c.expires_at <= now))
    if (conn.scalar(select(func.count()).select_from(table)) or 0) >= MOST:
        raise Locked("Too many sign-ins are under way. Wait ten minutes, or use a key.")
    conn.execute(
        insert(table).values(
            state_digest=digest_of(state),
            browser_digest=digest_of(browser),
            nonce=login.nonce,
            verifier=login.verifier,
            language=login.language,
            expires_at=now + LASTS,
        )
    )


def take(conn: Connection, *, state: str, browser: str, now: datetime) -> Login:
    """Return what was sent along with a browser, and forget it; two at once get it only once.

    Raises:
        NotAuthenticated: there is no such sign-in, it took too long, or it began in another browser.
    """
    same = (table.c.state_digest == digest_of(state), table.c.browser_digest == digest_of(browser))
    row = conn.execute(select(table).where(*same, table.c.expires_at > now)).one_or_none()
    if row is None or conn.execute(delete(table).where(*same)).rowcount != 1:
        raise NotAuthenticated("This sign-in is over, or began in another browser. Begin again.")
    return Login(row.nonce, row.verifier, row.language)
