"""Who is calling, and how far that reaches: one dependency for each kind of caller (R53)."""

from collections.abc import Callable
from typing import Annotated, Final, cast

from fastapi import Depends, Request

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


def metrics_of(request: Request) -> Metrics:
    """Return the app's counters."""
    return cast("Metrics", request.app.state.metrics)


def bearer(request: Request, hint: str) -> str:
    """Return the credential in the Authorization header.

    Raises:
        NotAuthenticated: there is none.
    """
    kind, _, credential = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not credential.strip():
        raise NotAuthenticated(hint)
    return credential.strip()


def caller_with(*roles: Role) -> Callable[[Request], Caller]:
    """Return a dependency that lets these roles in and gives the caller to the route."""

    def check(request: Request) -> Caller:
        installation = installation_of(request)
        secret = bearer(request, NO_KEY)
        with installation.data.read() as conn:
            caller = installation.apikeys.authenticate(conn, secret)
        if caller.role not in roles:
            raise NotAllowed(f"This needs a key with the role {' or '.join(roles)}; yours is {caller.role}.")
        return caller

    return check


def client_token(request: Request) -> str:
    """Return the device's token, unchecked: the session it belongs to will tell."""
    return bearer(request, NO_TOKEN)


def actor(caller: Caller) -> str:
    """Return how the audit log names a caller."""
    return f"apikey:{caller.key_id}"


Here = Annotated[Installation, Depends(installation_of)]
Application = Annotated[Caller, Depends(caller_with("application"))]
Operator = Annotated[Caller, Depends(caller_with("operator"))]
PrivacyOfficer = Annotated[Caller, Depends(caller_with("privacy"))]
Auditor = Annotated[Caller, Depends(caller_with("auditor"))]
ClientToken = Annotated[str, Depends(client_token)]
