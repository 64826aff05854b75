"""Signing in to the console through another OpenID provider, whose claim says which role somebody has."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from faceauth.bearer import Granted
from faceauth.console import Console
from faceauth.errors import NotAllowed, NotAuthenticated
from faceauth.identity import console_logins
from faceauth.identity.apikeys import Role
from faceauth.identity.console_logins import Login
from faceauth.installation import Installation
from faceauth.oidc.relying import Relying
from faceauth.sections import ConsoleOpenIdSettings

BACK: Final = "/ui/admin/openid/back"
"""Where the provider sends the browser back to, behind the service's own address."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a browser goes, and what it keeps until it is back."""

    address: str
    browser: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleOpenId:
    """Sends administrators to the provider, and lets in whom it names with a role."""

    console: Console
    settings: ConsoleOpenIdSettings
    provider: Relying
    random: Callable[[int], bytes]

    @classmethod
    def of(cls, installation: Installation) -> "ConsoleOpenId":
        """Return the provider's desk of an opened installation.

        Raises:
            NotAuthenticated: no provider is set.
        """
        settings = installation.settings.console.openid
        if not settings.issuer:
            raise NotAuthenticated("No OpenID provider is set: FACEAUTH_CONSOLE__OPENID__ISSUER.")
        back = f"{installation.settings.issuer.rstrip('/')}{BACK}"
        return cls(
            console=Console.of(installation),
            settings=settings,
            provider=Relying(settings, redirect_uri=back, clock=installation.clock),
            random=installation.desk.random,
        )

    def begin(self, *, language: str) -> Sent:
        """Return where a browser is sent to.

        Raises:
            NotAuthenticated: the provider does not answer as one.
            Locked: too many sign-ins are under way.
        """
        state, nonce, verifier, browser = (self.random(32).hex() for _ in range(4))
        address = self.provider.address(state=state, nonce=nonce, verifier=verifier)
        with self.console.data.begin() as conn:
            login = Login(nonce, verifier, language)
            console_logins.begin(conn, state=state, browser=browser, login=login, now=self.console.clock())
        return Sent(address, browser)

    def finish(self, *, state: str, code: str, browser: str) -> Granted:
        """Begin a session for whom the provider names.

        Raises:
            NotAuthenticated: it did not begin in this browser, or the provider's word is not valid.
            NotAllowed: the provider gives this person no role here.
            AuditUnavailable: it cannot be audited.
        """
        with self.console.data.begin() as conn:
            login = console_logins.take(conn, state=state, browser=browser, now=self.console.clock())
        try:
            claims = self.provider.claims(code=code, nonce=login.nonce, verifier=login.verifier)
        except NotAuthenticated as error:
            structlog.get_logger(__name__).warning("console_openid_refused", reason=str(error))
            raise
        role = role_of(claims, self.settings)
        if role is None:
            raise NotAllowed("The provider gives you no role here. Ask whoever runs the service.")
        return self.console.admit(subject=subject_of(str(claims["sub"])), role=role, language=login.language)


def role_of(claims: Mapping[str, Any], settings: ConsoleOpenIdSettings) -> Role | None:
    """Return the role that a claim names: the first of the settings' that is among its values."""
    told = claims.get(settings.claim)
    values = told if isinstance(told, list) else [told]
    return next((role for value, role in settings.roles.items() if value in values), None)


def subject_of(sub: str) -> str:
    """Return how the audit log names somebody: as the provider does if that is a plain word, else its digest."""
    if _PLAIN.fullmatch(sub):
        return sub
    return f"sha256-{hashlib.sha256(sub.encode()).hexdigest()[:32]}"
