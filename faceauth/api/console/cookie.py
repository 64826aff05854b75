"""The console's cookies: who is signed in, and which browser is at an OpenID provider just now."""

from dataclasses import dataclass, field
from typing import Final, Literal

from fastapi import Request
from starlette.responses import Response

from faceauth.identity.console_logins import LASTS
from faceauth.installation import Installation

PATH: Final = "/ui/admin"


def name_of(here: Installation) -> str:
    """Return its name: where there is TLS with `__Secure-`, so that no plain connection can set it."""
    return "__Secure-faceauth-console" if _secure(here) else "faceauth-console"


def token_of(request: Request, here: Installation) -> str:
    """Return its value, empty if there is none."""
    return request.cookies.get(name_of(here), "")


def keep(response: Response, here: Installation, token: str) -> None:
    """Let the browser keep it. `Strict`: it comes along from the console's own pages and from nowhere else."""
    _keep(response, here, _Cookie(name_of(here), token, here.settings.console.longest_hours * 3600, "strict"))


def keep_for_provider(response: Response, here: Installation, browser: str) -> None:
    """Let the browser keep which it is while it is at a provider. `Lax`: it comes along when it is back."""
    _keep(response, here, _Cookie(f"{name_of(here)}-login", browser, int(LASTS.total_seconds()), "lax"))


def browser_of(request: Request, here: Installation) -> str:
    """Return which browser is back from the provider, empty if it kept nothing."""
    return request.cookies.get(f"{name_of(here)}-login", "")


@dataclass(frozen=True, slots=True)
class _Cookie:
    name: str
    value: str = field(repr=False)
    seconds: int
    site: Literal["lax", "strict"]


def _keep(response: Response, here: Installation, one: _Cookie) -> None:
    response.set_cookie(
        one.name,
        one.value,
        max_age=one.seconds,
        path=PATH,
        secure=_secure(here),
        httponly=True,
        samesite=one.site,
    )


def forget(response: Response, here: Installation) -> None:
    """Let the browser drop it."""
    response.delete_cookie(name_of(here), path=PATH, secure=_secure(here), httponly=True, samesite="strict")


def _secure(here: Installation) -> bool:
    return here.settings.issuer.startswith("https://")
