"""The OpenAPI document: complete, with examples, and a service that keeps to it whatever it is sent (R58)."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema_rs import validator_for
from schemathesis import GenerationMode

from tests.api.conftest import Service

# It comes with schemathesis, without type stubs.
requests: Any = pytest.importorskip("requests")

ROUTES = {
    ("get", "/v1/scenarios"),
    ("get", "/v1/scenarios/{scenario}/notices/{version}"),
    ("put", "/v1/accounts/{account_id}"),
    ("get", "/v1/accounts/{account_id}"),
    ("delete", "/v1/accounts/{account_id}"),
    ("get", "/v1/accounts/{account_id}/export"),
    ("get", "/v1/accounts/{account_id}/activity"),
    ("post", "/v1/accounts/{account_id}/consents"),
    ("get", "/v1/accounts/{account_id}/consents"),
    ("delete", "/v1/accounts/{account_id}/consents/{scenario}"),
    ("get", "/v1/accounts/{account_id}/references"),
    ("delete", "/v1/accounts/{account_id}/references/{reference_id}"),
    ("get", "/v1/accounts/{account_id}/devices"),
    ("post", "/v1/accounts/{account_id}/devices"),
    ("post", "/v1/accounts/{account_id}/devices/challenge"),
    ("put", "/v1/accounts/{account_id}/devices/{device_id}"),
    ("delete", "/v1/accounts/{account_id}/devices/{device_id}"),
    ("post", "/v1/accounts/{account_id}/attempts/restore"),
    ("post", "/v1/tokens/introspect"),
    ("post", "/v1/tokens/revoke"),
    ("post", "/v1/sessions"),
    ("get", "/v1/sessions/{session_id}"),
    ("post", "/v1/sessions/{session_id}/frames"),
    ("get", "/v1/sessions/{session_id}/challenge"),
    ("post", "/v1/sessions/{session_id}/challenge"),
    ("post", "/v1/sessions/{session_id}/cancel"),
    ("post", "/v1/flows"),
    ("get", "/v1/flows/{flow_id}"),
    ("post", "/v1/flows/{flow_id}/begin"),
    ("post", "/v1/flows/{flow_id}/answer"),
    ("post", "/v1/flows/{flow_id}/session"),
    ("post", "/v1/accounts/{account_id}/privacy-link"),
    ("post", "/v1/privacy/begin"),
    ("get", "/v1/privacy"),
    ("post", "/v1/privacy/answers"),
    ("post", "/v1/privacy/withdraw"),
    ("put", "/v1/privacy/restriction"),
    ("get", "/v1/privacy/export"),
    ("get", "/v1/privacy/receipts"),
    ("put", "/v1/privacy/devices/{device_id}"),
    ("delete", "/v1/privacy/devices/{device_id}"),
    ("post", "/v1/privacy/close"),
    ("put", "/v1/accounts/{account_id}/restriction"),
    ("get", "/v1/accounts/{account_id}/receipts"),
    ("get", "/v1/admin/drafts"),
    ("post", "/v1/admin/drafts"),
    ("put", "/v1/admin/drafts/{draft_id}"),
    ("delete", "/v1/admin/drafts/{draft_id}"),
    ("post", "/v1/admin/drafts/{draft_id}/publish"),
    ("get", "/v1/admin/scenarios/{scenario}/notices"),
    ("get", "/v1/admin/scenarios"),
    ("post", "/v1/admin/scenarios"),
    ("patch", "/v1/admin/scenarios/{scenario}"),
    ("post", "/v1/admin/scenarios/{scenario}/notices"),
    ("post", "/v1/admin/scenarios/{scenario}/retire"),
    ("get", "/v1/admin/accounts"),
    ("post", "/v1/admin/accounts/search"),
    ("get", "/v1/admin/accounts/{mark}"),
    ("delete", "/v1/admin/accounts/{mark}"),
    ("put", "/v1/admin/accounts/{mark}/restriction"),
    ("post", "/v1/admin/accounts/{mark}/attempts/restore"),
    ("get", "/v1/admin/attempts"),
    ("get", "/v1/admin/models"),
    ("get", "/v1/admin/keys"),
    ("get", "/v1/admin/apikeys"),
    ("post", "/v1/admin/apikeys"),
    ("post", "/v1/admin/apikeys/{key_id}/rotate"),
    ("delete", "/v1/admin/apikeys/{key_id}"),
    ("post", "/v1/admin/keys/rotate"),
    ("post", "/v1/admin/keys/destroy"),
    ("get", "/v1/admin/approvals"),
    ("post", "/v1/admin/approvals/{approval_id}"),
    ("post", "/v1/admin/campaigns"),
    ("post", "/v1/admin/campaigns/preview"),
    ("get", "/v1/admin/campaigns"),
    ("get", "/v1/admin/campaigns/{campaign_id}"),
    ("post", "/v1/admin/campaigns/{campaign_id}/cancel"),
    ("get", "/v1/admin/statistics"),
    ("get", "/v1/admin/health"),
    ("post", "/v1/admin/incidents"),
    ("get", "/v1/admin/incidents"),
    ("get", "/v1/admin/incidents/{incident_id}"),
    ("patch", "/v1/admin/incidents/{incident_id}"),
    ("get", "/v1/admin/incidents/{incident_id}/affected"),
    ("post", "/v1/admin/incidents/{incident_id}/notices"),
    ("post", "/v1/admin/incidents/{incident_id}/recipients"),
    ("post", "/v1/admin/incidents/{incident_id}/close"),
    ("get", "/v1/admin/audit"),
    ("get", "/v1/admin/audit/checkpoint"),
    ("get", "/v1/admin/audit/proof"),
    ("get", "/v1/admin/audit/check"),
    ("post", "/v1/admin/audit/check"),
    ("get", "/v1/accounts/{account_id}/links"),
    ("get", "/v1/accounts/{account_id}/links/{provider}"),
    ("put", "/v1/accounts/{account_id}/links/{provider}"),
    ("delete", "/v1/accounts/{account_id}/links/{provider}"),
    ("get", "/v1/admin/clients"),
    ("post", "/v1/admin/clients"),
    ("post", "/v1/admin/clients/{client_id}/rotate"),
    ("delete", "/v1/admin/clients/{client_id}"),
    ("get", "/.well-known/openid-configuration"),
    ("post", "/oauth2/token"),
    ("post", "/oauth2/revoke"),
    ("get", "/oauth2/userinfo"),
    ("post", "/oauth2/userinfo"),
    ("get", "/oauth2/jwks"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
}
"""The contract, written out: nothing goes missing or appears unnoticed."""


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


@pytest.fixture
def document(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = service.http.get("/openapi.json").json()
    return found


def test_every_route_of_the_contract_is_there(document: dict[str, Any]) -> None:
    assert {(method, path) for method, path, _ in operations(document)} == ROUTES


def test_every_request_and_answer_has_an_example_that_fits(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for body in [*bodies, *operation["responses"].values()]:
            for kind, content in body["content"].items():
                assert "example" in content, f"{method} {path} {kind}"
                if kind.endswith("json"):
                    schema = content["schema"] | {"components": document["components"]}
                    validator_for(schema).validate(content["example"])


def test_every_route_says_what_it_is_for_and_who_may_call(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        assert operation["description"], f"{method} {path}"
        if path.startswith("/v1/"):
            assert operation["security"], f"{method} {path}"
        assert "default" in operation["responses"]


def test_no_answer_has_room_for_a_score(document: dict[str, Any]) -> None:
    """R24."""
    # What an event is called is a word of a closed list: there is no room for a value in it.
    schemas = {name: one for name, one in document["components"]["schemas"].items() if name != "Event"}
    names = json.dumps(schemas).lower()
    for word in ("score", "distance", "similarity", "embedding", "confidence", "threshold"):
        assert word not in names


KNOWN = {"account_id": "anna", "scenario": "login", "version": 1, "reference_id": "ref_none"}
AIMED = {*KNOWN, "session_id"}
"""What an aimed path names rightly."""


@pytest.mark.parametrize(
    ("mode", "aimed"),
    [
        pytest.param(GenerationMode.POSITIVE, True, id="what the document allows"),
        pytest.param(GenerationMode.NEGATIVE, True, id="what it does not"),
        pytest.param(GenerationMode.NEGATIVE, False, id="odd paths too"),
    ],
)
@pytest.mark.parametrize("examples", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_the_service_keeps_to_its_document_whatever_it_is_sent(
    service: Service, document: dict[str, Any], mode: GenerationMode, aimed: bool, examples: int
) -> None:
    """R58: a bounded, repeatable campaign; every answer is one of the document's, none an unhandled error."""
    asked = 0
    opened: dict[str, Any] = {}
    schema: Any = schemathesis.openapi.from_dict(document)
    every = [found.ok() for found in schema.get_all_operations()]
    # A retired scenario allows nothing any more, to no call after it.
    for operation in sorted(every, key=lambda one: one.path.endswith("/retire")):
        names = {parameter.name for parameter in operation.path_parameters}
        if not aimed and not names & AIMED:
            continue  # these cases are the very ones of the aimed campaign
        if not opened:
            # Nor does an account that was suspended by the call before.
            service.call("PUT", "/v1/accounts/anna/restriction", json={"restricted": False})
            opened = service.session()
        known = {name: value for name, value in KNOWN.items() if name in names}
        if "session_id" in names:
            known["session_id"] = opened["session_id"]
        told = {"path_parameters": known} if aimed and known else {}
        act = partial(send, service, document, opened)
        asked += campaign(operation.as_strategy(generation_mode=mode, **told), act, examples)
        if operation.method.lower() != "get":
            opened = {}
    assert asked > 30, f"only {asked} were asked"


def campaign(cases: Any, act: Callable[[Any], None], examples: int) -> int:
    """Act on a few generated cases, the same ones every time; return how many."""
    asked = 0

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def run(case: Any) -> None:
        nonlocal asked
        asked += 1
        act(case)

    with suppress(Unsatisfiable):  # nothing can be wrong about a route that takes nothing
        run()
    return asked


def send(service: Service, document: dict[str, Any], opened: dict[str, Any], case: Any) -> None:
    """Send one generated case with the credential it needs, and hold the answer against the document."""
    wanted = operation_of(document, case)
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    headers = {name: value for name, value in sent.headers.items() if name.lower() != "authorization"}
    secret = opened["client_token"] if wanted.get("tags") == ["device"] else service.secrets[role_for(case.path)]
    headers["Authorization"] = f"Bearer {secret}"
    answer = service.http.request(sent.method, sent.url, content=sent.body, headers=headers)
    assert answer.status_code < 500, answer.text
    response = wanted["responses"].get(str(answer.status_code), wanted["responses"]["default"])
    kind = answer.headers["content-type"].partition(";")[0]
    assert kind in response["content"], f"{case.method} {case.path}: {answer.status_code} {kind}"
    if kind.endswith("json"):
        schema = response["content"][kind]["schema"] | {"components": document["components"]}
        validator_for(schema).validate(answer.json())


def operation_of(document: dict[str, Any], case: Any) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][case.path].get(case.method.lower(), {})
    # A method the route does not have is answered as the default says.
    return found or next(iter(document["paths"][case.path].values()))


def role_for(path: str) -> str:
    if path.startswith("/v1/admin/clients"):
        return "operator"
    if path.startswith("/v1/admin/keys"):
        return "operator"
    return "privacy" if path.startswith("/v1/admin") else "application"
