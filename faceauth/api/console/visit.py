"""One request of somebody who is signed in: who, in which language, and what they may do."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from faceauth.api.access import Here, rule_of
from faceauth.api.console.cookie import token_of
from faceauth.console import Console
from faceauth.errors import NotAuthenticated
from faceauth.identity.apikeys import Caller
from faceauth.installation import Installation

_FORM: Final = b"faceauth/console/form/1"


class NotSignedIn(Exception):
    """There is no session: the browser is sent to the page that begins one."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks for a page. Everything that a page does goes through `call`."""

    here: Installation
    request: Request
    token: str = field(repr=False)
    caller: Caller
    language: str

    def may(self, route: Callable[..., object]) -> bool:
        """Whether this caller's role reaches an HTTP route, given as its function."""
        return self.caller.role in rule_of(route).roles

    def check(self, route: Callable[..., object]) -> None:
        """Return if this caller's role reaches an HTTP route.

        Raises:
            NotAllowed: it does not.
        """
        rule_of(route).check(self.caller)

    def call(self, route: Callable[..., Any], /, **given: Any) -> Any:
        """Do what an HTTP route does, by its own function, rule and record; return its answer.

        Args:
            route: The function of a route that takes `here` and `caller`.
            given: What else it takes; a query's default has to be given too.

        Raises:
            NotAllowed: the caller's role does not reach it.
            FaceauthError: whatever the route raises.
        """
        return route(here=self.here, caller=rule_of(route).check(self.caller), **given)


def signed_in(request: Request, here: Here) -> Visit:
    """Return who asks for a page.

    Raises:
        NotSignedIn: nobody, or not any more.
    """
    return _visit(request, here, used=True)


def watching(request: Request, here: Here) -> Visit:
    """Return who is asked for by a page itself, which keeps no session alive.

    Raises:
        NotSignedIn: nobody, or not any more.
    """
    return _visit(request, here, used=False)


def form_token(token: str) -> str:
    """Return what every form of a session carries; nobody can tell the session's token from it."""
    return hmac.digest(token.encode(), _FORM, "sha256").hex()


def _visit(request: Request, here: Installation, *, used: bool) -> Visit:
    token = token_of(request, here)
    try:
        guest = Console.of(here).guest(token, used=used)
    except NotAuthenticated as error:
        raise NotSignedIn(str(error)) from None
    visit = Visit(here, request, token, guest.caller, guest.language)
    request.state.visit = visit
    return visit


Signed = Annotated[Visit, Depends(signed_in)]
Watching = Annotated[Visit, Depends(watching)]
