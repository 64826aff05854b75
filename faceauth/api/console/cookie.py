"""The console's one cookie."""

from fastapi import Request
from starlette.responses import Response

from faceauth.installation import Installation

PATH = "/ui/admin"


def name_of(here: Installation) -> str:
    """Return its name: where there is TLS with `__Secure-`, so that no plain connection can set it."""
    return "__Secure-faceauth-console" if _secure(here) else "faceauth-console"


def token_of(request: Request, here: Installation) -> str:
    """Return its value, empty if there is none."""
    return request.cookies.get(name_of(here), "")


def keep(response: Response, here: Installation, token: str) -> None:
    """Let the browser keep it. `Strict`: it comes along from the console's own pages and from nowhere else."""
    response.set_cookie(
        name_of(here),
        token,
        max_age=here.settings.console.longest_hours * 3600,
        path=PATH,
        secure=_secure(here),
        httponly=True,
        samesite="strict",
    )


def forget(response: Response, here: Installation) -> None:
    """Let the browser drop it."""
    response.delete_cookie(name_of(here), path=PATH, secure=_secure(here), httponly=True, samesite="strict")


def _secure(here: Installation) -> bool:
    return here.settings.issuer.startswith("https://")
