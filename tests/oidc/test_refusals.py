"""What the authorization endpoint refuses, and whom it tells. Docstrings name the conformance suite's checks."""

import pytest
from starlette.testclient import WebSocketDenialResponse

from faceauth.api.browser import cookie_name
from tests.oidc.conftest import CALLBACK, CHALLENGE, Party, parameters


def told(party: Party, **more: str | None) -> dict[str, str]:
    """What the client is told at its address."""
    answer = party.authorize(**more)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(CALLBACK + "?")
    return parameters(answer.headers["location"])


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"redirect_uri": "https://shop.example/other"}, id="oidcc-ensure-registered-redirect-uri"),
        pytest.param({"redirect_uri": CALLBACK + "?added=1"}, id="oidcc-redirect-uri-query-added"),
        pytest.param({"redirect_uri": None}, id="oidcc-ensure-redirect-uri-in-authorization-request"),
        pytest.param({"client_id": "oc_0000000000000000"}, id="no such client"),
        pytest.param({"client_id": None}, id="no client"),
        pytest.param({"redirect_uri": "javascript:alert(1)"}, id="a script"),
        pytest.param({"redirect_uri": 'https://evil.example/"<x>'}, id="quotes"),
        pytest.param({"client_id": 'x"y'}, id="quotes in the client"),
        pytest.param({"state": "x\x00y"}, id="a zero byte"),
        pytest.param({"state": "x" * 4001}, id="too long"),
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(party: Party, more: dict[str, str | None]) -> None:
    """An open redirector would lend its name to whoever asks (RFC 9700, 4.11)."""
    answer = party.authorize(**more)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "evil" not in answer.text
    assert "This login cannot go on" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_parameter_comes_once(party: Party) -> None:
    """RFC 6749, 3.1."""
    pairs = [*party.ask().items(), ("state", "s-2")]
    assert party.http.get("/oauth2/authorize", params=pairs).status_code == 400


@pytest.mark.parametrize(
    ("more", "error"),
    [
        pytest.param({"code_challenge": None}, "invalid_request", id="no PKCE"),
        pytest.param({"code_challenge_method": None}, "invalid_request", id="no method, which means plain"),
        pytest.param({"code_challenge_method": "plain"}, "invalid_request", id="plain"),
        pytest.param({"code_challenge": "short"}, "invalid_request", id="a short challenge"),
        pytest.param({"code_challenge": CHALLENGE + "="}, "invalid_request", id="a padded challenge"),
        pytest.param({"response_type": None}, "unsupported_response_type", id="oidcc-response-type-missing"),
        pytest.param({"response_type": "token"}, "unsupported_response_type", id="implicit"),
        pytest.param({"response_type": "code id_token"}, "unsupported_response_type", id="hybrid"),
        pytest.param({"response_type": 'x"\\'}, "unsupported_response_type", id="quotes"),
        pytest.param({"response_mode": "fragment"}, "invalid_request", id="another response mode"),
        pytest.param({"scope": "profile"}, "invalid_scope", id="no openid"),
        pytest.param({"scope": None}, "invalid_scope", id="no scope"),
        pytest.param({"prompt": "none"}, "login_required", id="oidcc-prompt-none-not-logged-in"),
        pytest.param({"prompt": "none login"}, "invalid_request", id="none and something"),
        pytest.param({"max_age": "-1"}, "invalid_request", id="a negative age"),
        pytest.param({"max_age": "soon"}, "invalid_request", id="no age"),
        pytest.param(
            {"request": "eyJhbGciOiJub25lIn0.e30."},
            "request_not_supported",
            id="oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
        ),
        pytest.param(
            {"request_uri": "https://shop.example/request"}, "request_uri_not_supported", id="a request elsewhere"
        ),
        pytest.param({"registration": "{}"}, "registration_not_supported", id="a registration"),
        pytest.param({"id_token_hint": "a.b.c"}, "invalid_request", id="a hint that is no token"),
        pytest.param({"nonce": "n" * 501}, "invalid_request", id="a long nonce"),
    ],
)
def test_the_client_is_told_at_its_own_address(party: Party, more: dict[str, str | None], error: str) -> None:
    """R18; with its state, and with who says so (RFC 9207). Nothing was begun."""
    found = told(party, **more)
    assert (found["error"], found["state"]) == (error, "s-1")
    assert found["iss"] == party.service.installation.settings.issuer
    assert "code" not in found


def test_a_public_client_needs_a_nonce(party: Party) -> None:
    page = party.as_client(public=True)
    assert told(page, nonce=None)["error"] == "invalid_request"
    page.log_in()


def test_a_hint_for_another_client_is_none(party: Party) -> None:
    hint = party.as_client(name="Another").tokens()["id_token"]
    assert told(party, id_token_hint=hint)["error"] == "invalid_request"


def test_a_session_s_own_token_is_no_hint(party: Party) -> None:
    """R18: its audience is the tenant, no client."""
    opened = party.service.open("verify")
    assert party.service.post(opened).state == "accepted"
    view = party.service.installation.desk.view(tenant="default", session_id=opened.session_id)
    assert view.id_token is not None
    assert told(party, id_token_hint=view.id_token)["error"] == "invalid_request"


def test_a_retired_scenario_is_nobody_s_fault(party: Party) -> None:
    party.service.installation.lifecycle.retire(tenant="default", scenario="login", actor="test")
    assert told(party)["error"] == "temporarily_unavailable"


def test_a_revoked_client_is_none(party: Party) -> None:
    begun = party.begin()
    party.show(begun)
    with party.service.installation.data.begin() as conn:
        party.provider.clients.revoke(conn, "default", party.client_id)
    assert party.http.get(begun.back).status_code == 400
    assert party.authorize().status_code == 400


def test_there_is_no_dynamic_registration(party: Party) -> None:
    found = party.http.get("/.well-known/openid-configuration").json()
    assert "registration_endpoint" not in found
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["issuer"] == party.service.installation.settings.issuer


# --- the browser ------------------------------------------------------------------------------------------------


def test_only_the_browser_that_began_a_login_ends_it(party: Party) -> None:
    """R19: a link to somebody else's login leads nowhere, with another cookie or with none."""
    begun = party.begin()
    assert party.show(begun) == "accepted"
    kept = dict(party.http.cookies)
    party.http.cookies.clear()
    assert party.http.get(begun.back).status_code == 400
    party.http.cookies.set("faceauth-login", "0" * 64)
    assert party.http.get(begun.back).status_code == 400
    party.http.cookies.clear()
    for name, value in kept.items():
        party.http.cookies.set(name, value)
    assert "code" in party.finish(begun)


def test_a_login_ends_once(party: Party) -> None:
    begun = party.begin()
    party.show(begun)
    assert "code" in party.finish(begun)
    assert party.http.get(begun.back).status_code == 400


def test_a_login_has_its_time(party: Party) -> None:
    begun = party.begin()
    party.show(begun)
    party.service.clock.forward(601)
    assert party.http.get(begun.back).status_code == 400


def test_two_windows_of_one_browser_do_not_disturb_each_other(party: Party) -> None:
    first, second = party.begin(), party.begin(state="s-2")
    assert party.show(first) == party.show(second) == "accepted"
    assert party.finish(second)["state"] == "s-2"
    assert party.finish(first)["state"] == "s-1"


def test_a_request_is_answered_with_one_camera(party: Party) -> None:
    page = party.authorize(login_hint=None)
    request = page.text.split('name="request" value="')[1].split('"')[0]
    form = {"request": request, "account": "anna"}
    party.before_camera(party.http.post("/oauth2/answer", data=form))
    assert party.http.post("/oauth2/answer", data=form).status_code == 400


def test_a_form_from_elsewhere_brings_no_cookie(party: Party) -> None:
    """R19: SameSite=Lax keeps the cookie from a form that another site posts."""
    page = party.authorize(login_hint=None)
    request = page.text.split('name="request" value="')[1].split('"')[0]
    party.http.cookies.clear()
    assert party.http.post("/oauth2/answer", data={"request": request, "account": "anna"}).status_code == 400


def test_the_cookie_keeps_to_its_host_where_there_is_tls() -> None:
    assert cookie_name("https://face.example") == "__Host-faceauth-login"
    assert cookie_name("http://127.0.0.1:8000") == "faceauth-login"


@pytest.mark.parametrize("path", ["challenge", "frames", "cancel"])
def test_only_the_browser_that_began_a_login_captures_for_it(party: Party, path: str) -> None:
    """A capture's address that was passed on is of no use: else another's face would log its sender in."""
    begun = party.begin()
    url = f"/v1/sessions/{begun.session_id}/{path}"
    headers = {"Authorization": f"Bearer {begun.client_token}"}
    method = "GET" if path == "challenge" else "POST"
    kept = party.http.cookies.get("faceauth-login")
    assert party.http.request(method, url, headers=headers).status_code != 401
    for value in (None, "0" * 64):
        party.http.cookies.clear()
        if value is not None:
            party.http.cookies.set("faceauth-login", value)
        refused = party.http.request(method, url, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
    assert kept is not None


def test_nor_does_another_browser_stream_for_it(party: Party) -> None:
    begun = party.begin()
    party.http.cookies.clear()
    headers = {"Authorization": f"Bearer {begun.client_token}"}
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        party.http.websocket_connect(f"/v1/sessions/{begun.session_id}/stream", headers=headers),
    ):
        pass
    assert refused.value.status_code == 401


def test_other_sessions_know_no_browser(party: Party) -> None:
    opened = party.service.open("verify")
    headers = {"Authorization": f"Bearer {opened.client_token}"}
    assert party.http.get(f"/v1/sessions/{opened.session_id}/challenge", headers=headers).status_code == 200
