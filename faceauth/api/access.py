"""Who is calling, and how far that reaches: one dependency for each kind of caller (R53)."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import get_annotations
from typing import Annotated, Final, cast

from fastapi import Depends, Request

from faceauth.api.holding import Holding
from faceauth.api.metrics import Metrics
from faceauth.api.streams import Streams
from faceauth.api.work import Work
from faceauth.errors import NotAllowed, NotAuthenticated
from faceauth.identity.apikeys import Caller, Role
from faceauth.installation import Installation

NO_KEY: Final = "Send an API key as: Authorization: Bearer fa_…"
NO_TOKEN: Final = "Send the session's client token as: Authorization: Bearer …"  # noqa: S105  a hint, no secret


def installation_of(request: Request) -> Installation:
    """Return the installation that this app serves."""
    return cast("Installation", request.app.state.installation)


def work_of(request: Request) -> Work:
    """Return the queue in front of the networks."""
    return cast("Work", request.app.state.work)


def streams_of(request: Request) -> Streams:
    """Return the sessions that are streamed."""
    return cast("Streams", request.app.state.streams)


def holding_of(request: Request) -> Holding:
    """Return what holds denials until they are due."""
    return cast("Holding", request.app.state.holding)


def metrics_of(request: Request) -> Metrics:
    """Return the app's counters."""
    return cast("Metrics", request.app.state.metrics)


def address_of(request: Request) -> str | None:
    """Return the address that a connection comes from; no header is read for it."""
    return request.client.host if request.client else None


def bearer(request: Request, hint: str) -> str:
    """Return the credential in the Authorization header.

    Raises:
        NotAuthenticated: there is none.
    """
    kind, _, credential = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not credential.strip():
        raise NotAuthenticated(hint)
    return credential.strip()


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Lets some roles in, as a dependency of a route; the console asks the same object."""

    roles: tuple[Role, ...]

    def __call__(self, request: Request) -> Caller:
        """Return who holds the key that a request came with.

        Raises:
            NotAuthenticated: there is no key, or it is not valid.
            NotAllowed: it is another role's.
        """
        installation = installation_of(request)
        secret = bearer(request, NO_KEY)
        with installation.data.read() as conn:
            return self.check(installation.apikeys.authenticate(conn, secret))

    def check(self, caller: Caller) -> Caller:
        """Return a caller who is one of these.

        Raises:
            NotAllowed: the role is another.
        """
        if caller.role not in self.roles:
            wanted = " or ".join(self.roles)
            raise NotAllowed(f"This needs a key with the role {wanted}; yours is {caller.role}.")
        return caller


def caller_with(*roles: Role) -> RoleRule:
    """Return a dependency that lets these roles in and gives the caller to the route."""
    return RoleRule(roles)


def rule_of(route: Callable[..., object]) -> RoleRule:
    """Return the rule of who may call a route, from the route itself.

    Raises:
        LookupError: it has no `caller`, so it is no route of an API key.
    """
    noted = getattr(get_annotations(route).get("caller"), "__metadata__", ())
    for one in noted:
        rule = getattr(one, "dependency", None)
        if isinstance(rule, RoleRule):
            return rule
    raise LookupError(f"{route.__name__} asks for no role.")


def client_token(request: Request) -> str:
    """Return the device's token, unchecked: the session it belongs to will tell."""
    return bearer(request, NO_TOKEN)


def actor(caller: Caller) -> str:
    """Return how the audit log names a caller."""
    return caller.actor


Here = Annotated[Installation, Depends(installation_of)]
Application = Annotated[Caller, Depends(caller_with("application"))]
Operator = Annotated[Caller, Depends(caller_with("operator"))]
PrivacyOfficer = Annotated[Caller, Depends(caller_with("privacy"))]
Auditor = Annotated[Caller, Depends(caller_with("auditor"))]
ClientToken = Annotated[str, Depends(client_token)]
