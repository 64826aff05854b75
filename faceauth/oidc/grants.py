"""What a login gave a client: one grant, its code, its tokens. All of a grant ends at once.

A grant's row leans on the consent it stands on, so withdrawing or closing the account takes it along in the
database itself. Codes and tokens are 256 random bits and kept as SHA-256.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from faceauth.bearer import digest_of
from faceauth.clock import Clock
from faceauth.db.openid_tables import openid_codes, openid_grants, openid_tokens
from faceauth.oidc.clients import OFFLINE, Client
from faceauth.sections import OpenIdSettings

TokenKind = Literal["access", "refresh"]

PREFIXES: Final = {"access": "foa_", "refresh": "for_", "code": "foc_"}
"""How each begins, so that people and secret scanners know one when they see it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One login, told to one client. `amr`, `acr` and `auth_time` are those of the session that was accepted."""

    grant_id: str
    client_id: str
    tenant: str
    account: str
    scenario: str
    consent_id: str
    scope: str
    nonce: str | None
    auth_time: datetime
    acr: str
    amr: tuple[str, ...]
    expires_at: datetime

    @property
    def offline(self) -> bool:
        """Whether it may be refreshed."""
        return OFFLINE in self.scope.split()


@dataclass(frozen=True, slots=True)
class PresentedCode:
    """A code that its client brought; `reused` if it was brought before. Its methods are what Authlib asks for."""

    grant: Grant
    redirect_uri: str
    code_challenge: str
    reused: bool
    late: bool
    code_challenge_method: Literal["S256"] = "S256"

    def get_redirect_uri(self) -> str:
        """Return where the code was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return what was granted."""
        return self.grant.scope


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A token that somebody brought, in its time; `spent` if a refresh token was used before."""

    grant: Grant
    kind: TokenKind
    scope: str
    spent: bool
    digest: bytes

    def check_client(self, client: Client) -> bool:
        """Say whether it is this client's."""
        return self.grant.client_id == client.client_id

    def get_scope(self) -> str:
        """Return what it is good for."""
        return self.scope


class Grants:
    """The rows of grants, codes and tokens. Every method works in the caller's transaction.

    Args:
        clock: Returns the time now.
        random: Returns that many random bytes, fit for secrets.
        settings: How long each lives.
    """

    def __init__(self, clock: Clock, random: Callable[[int], bytes], settings: OpenIdSettings) -> None:
        self._clock = clock
        self._random = random
        self._settings = settings

    def start(
        self,
        conn: Connection,
        *,
        client: Client,
        account: str,
        scenario: str,
        consent_id: str,
        scope: str,
        nonce: str | None,
        auth_time: datetime,
        acr: str,
        amr: tuple[str, ...],
    ) -> Grant:
        """Write down that a client is told of a login; grants whose time is over go on the way."""
        now = self._clock()
        short = timedelta(seconds=self._settings.code_s + self._settings.token_s)
        long = timedelta(days=self._settings.refresh_days)
        grant = Grant(
            grant_id=f"og_{self._random(16).hex()}",
            client_id=client.client_id,
            tenant=client.tenant,
            account=account,
            scenario=scenario,
            consent_id=consent_id,
            scope=scope,
            nonce=nonce,
            auth_time=auth_time,
            acr=acr,
            amr=amr,
            expires_at=now + (long if OFFLINE in scope.split() else short),
        )
        forget_old_grants(conn, now=now)
        values = {column.name: getattr(grant, column.name) for column in openid_grants.c}
        conn.execute(insert(openid_grants).values(**values | {"amr": list(amr)}))
        return grant

    def add_code(self, conn: Connection, grant: Grant, *, redirect_uri: str, code_challenge: str) -> str:
        """Return the grant's code: good once, for a minute, for this address and this challenge."""
        code = self._secret("code")
        conn.execute(
            insert(openid_codes).values(
                digest=digest_of(code),
                grant_id=grant.grant_id,
                redirect_uri=redirect_uri,
                code_challenge=code_challenge,
                expires_at=self._clock() + timedelta(seconds=self._settings.code_s),
            )
        )
        return code

    def use_code(self, conn: Connection, code: str, client: Client) -> PresentedCode | None:
        """Use a code up, whatever comes of it; None if it is not this client's.

        Two that bring it at once are told apart by the row: one of them brings it for the second time.
        """
        here = openid_codes.c.digest == digest_of(code)
        query = select(openid_codes).where(here)
        row = conn.execute(query).one_or_none()
        grant = None if row is None else self._grant(conn, row.grant_id)
        if row is None or grant is None or grant.client_id != client.client_id:
            return None
        now = self._clock()
        first = conn.execute(
            update(openid_codes).where(here, openid_codes.c.used_at.is_(None)).values(used_at=now)
        )
        return PresentedCode(
            grant=grant,
            redirect_uri=row.redirect_uri,
            code_challenge=row.code_challenge,
            reused=first.rowcount != 1,
            late=row.expires_at <= now,
        )

    def issue(self, conn: Connection, grant: Grant, kind: TokenKind, scope: str) -> str:
        """Return a new token of the grant; none outlives it."""
        token = self._secret(kind)
        until = self._clock() + timedelta(seconds=self._settings.token_s)
        conn.execute(
            insert(openid_tokens).values(
                digest=digest_of(token),
                grant_id=grant.grant_id,
                kind=kind,
                scope=scope,
                expires_at=grant.expires_at if kind == "refresh" else min(until, grant.expires_at),
            )
        )
        return token

    def find(self, conn: Connection, token: str) -> PresentedToken | None:
        """Return what a token stands for; None if it is none, or its time is over."""
        row = conn.execute(select(openid_tokens).where(openid_tokens.c.digest == digest_of(token))).one_or_none()
        grant = None if row is None else self._grant(conn, row.grant_id)
        now = self._clock()
        if row is None or grant is None or row.expires_at <= now or grant.expires_at <= now:
            return None
        return PresentedToken(grant, row.kind, row.scope, row.used_at is not None, row.digest)

    def spend(self, conn: Connection, token: PresentedToken) -> bool:
        """Use a refresh token up; False if somebody else did first."""
        here = (openid_tokens.c.digest == token.digest, openid_tokens.c.used_at.is_(None))
        return conn.execute(update(openid_tokens).where(*here).values(used_at=self._clock())).rowcount == 1

    def revoke(self, conn: Connection, token: PresentedToken) -> None:
        """Make an access token worthless; a refresh token takes its whole grant along (RFC 7009, 2.1)."""
        if token.kind == "refresh":
            self.end(conn, token.grant.grant_id)
        else:
            conn.execute(delete(openid_tokens).where(openid_tokens.c.digest == token.digest))

    def get(self, conn: Connection, grant_id: str, client_id: str) -> Grant | None:
        """Return a client's own grant that has not ended, or None."""
        grant = self._grant(conn, grant_id)
        return grant if grant is not None and grant.client_id == client_id else None

    def end(self, conn: Connection, grant_id: str) -> bool:
        """End a grant with everything that came of it; False if it had ended."""
        return conn.execute(delete(openid_grants).where(openid_grants.c.grant_id == grant_id)).rowcount == 1

    def _grant(self, conn: Connection, grant_id: str) -> Grant | None:
        query = select(openid_grants).where(openid_grants.c.grant_id == grant_id)
        row = conn.execute(query).mappings().one_or_none()
        return None if row is None else _read(row)

    def _secret(self, kind: str) -> str:
        return PREFIXES[kind] + self._random(32).hex()


def forget_old_grants(conn: Connection, *, now: datetime) -> int:
    """Delete the grants whose time is over, with all that came of them; return how many."""
    return conn.execute(delete(openid_grants).where(openid_grants.c.expires_at <= now)).rowcount


def _read(row: RowMapping) -> Grant:
    values: dict[str, Any] = dict(row)
    return Grant(**values | {"amr": tuple(values["amr"])})
