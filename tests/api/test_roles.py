"""Every role against every route: each can do its own and nothing else (R53)."""

import re
from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import APIRoute

from faceauth.identity.apikeys import ROLES
from tests.api.conftest import Service

READ, ANY = {"GET"}, {"GET", "POST", "PUT", "PATCH", "DELETE"}

RULES: tuple[tuple[set[str], str, set[str]], ...] = (
    (ANY, "/v1/admin/audit", {"auditor"}),
    (READ, "/v1/admin/incidents", {"privacy", "auditor"}),
    (ANY, "/v1/admin/incidents", {"privacy"}),
    (ANY, "/v1/admin/scenarios", {"privacy"}),
    (ANY, "/v1/admin/drafts", {"privacy"}),
    (ANY, "/v1/admin/campaigns", {"privacy"}),
    (ANY, "/v1/admin/health", {"operator"}),
    (ANY, "/v1/admin/statistics", {"operator", "privacy"}),
    (ANY, "/v1/admin/approvals", {"operator", "privacy"}),
    ({"PUT", "DELETE"}, "/v1/admin/accounts", {"privacy"}),
    (ANY, "/v1/admin/accounts", {"operator", "privacy"}),
    (ANY, "/v1/admin/attempts", {"operator", "privacy"}),
    (ANY, "/v1/admin/models", {"operator", "privacy", "auditor"}),
    (ANY, "/v1/admin/keys", {"operator"}),
    (ANY, "/v1/admin/apikeys", {"operator"}),
    (ANY, "/v1/admin/clients", {"operator"}),
    (ANY, "/v1/admin/webhooks", {"operator"}),
    (ANY, "/v1/scenarios", {"application"}),
    (ANY, "/v1/accounts", {"application"}),
    (ANY, "/v1/tokens", {"application"}),
    (ANY, "/v1/sessions", {"application"}),
    (ANY, "/v1/flows", {"application"}),
)
"""Methods, the beginning of a path, and who may; the first that fits counts. A route that none fits is a fault."""

OWN_CREDENTIAL = re.compile(r"/v1/sessions/\{\w+\}/\w+|/v1/flows/\{\w+\}/\w+|/v1/privacy(/.*)?")
"""Routes of a device or a person's own page: the token of a session or a link opens them, and no API key does."""

OPEN = re.compile(r"/healthz|/readyz|/metrics|/ui/.*|/oauth2/.*|/\.well-known/.*|/openapi\.json")
"""Routes without an API key: what machines ask of the service itself, pages, and OpenID's own ways."""


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield every method and path that takes an API key or a token."""
    document = app.openapi()["paths"]
    known = {(method.upper(), path) for path, methods in document.items() for method in methods}
    known |= {
        (method, route.path)
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        if method in ANY
    }
    yield from sorted(one for one in known if not OPEN.fullmatch(one[1]))


def allowed(method: str, path: str) -> set[str]:
    if OWN_CREDENTIAL.fullmatch(path):
        return set()
    found = [roles for methods, start, roles in RULES if method in methods and re.match(rf"{start}(/|$)", path)]
    assert found, f"{method} {path} is in no rule: say in RULES who may call it."
    return found[0]


def outcome(service: Service, method: str, path: str, role: str | None, session_id: str) -> str:
    """Call a route with nothing in it; return why it was refused, if it was for who called."""
    place = re.sub(r"\{\w+\}", "nothing", path.replace("{session_id}", session_id))
    headers = {} if role is None else service.as_role(role)
    answer = service.http.request(method, place, headers=headers, json={} if method != "GET" else None)
    assert answer.status_code < 500, (method, path, role, answer.text)
    if OWN_CREDENTIAL.fullmatch(path) and answer.status_code >= 400:
        # A malformed body, or a link that is not there, is told before a token is looked at.
        return "not_authenticated"
    told = str(answer.json().get("code", "")) if answer.content else ""
    return told if told in {"not_allowed", "not_authenticated"} else "let in"


def test_every_role_against_every_route(service: Service) -> None:
    """R53: the whole table. Whoever is let in may still be told that there is nothing of that name."""
    session_id = service.session()["session_id"]
    wrong = []
    seen = 0
    for method, path in routes(service.app):
        may = allowed(method, path)
        refusal = "not_authenticated" if OWN_CREDENTIAL.fullmatch(path) else "not_allowed"
        for role in ROLES:
            expected = "let in" if role in may else refusal
            if (found := outcome(service, method, path, role, session_id)) != expected:
                wrong.append(f"{method} {path} as {role}: {found}, not {expected}")
        if (found := outcome(service, method, path, None, session_id)) != "not_authenticated":
            wrong.append(f"{method} {path} without a credential: {found}")
        seen += 1
    assert wrong == []
    assert seen > 50


def test_every_role_has_something_to_do_and_none_has_all(service: Service) -> None:
    table = {one: allowed(*one) for one in routes(service.app)}
    for role in ROLES:
        mine = [one for one, roles in table.items() if role in roles]
        assert 0 < len(mine) < len(table)
    assert not [one for one, roles in table.items() if "application" in roles and one[1].startswith("/v1/admin")]
