"""The code flow from a browser's first request to userinfo. Docstrings name the conformance suite's checks."""

from typing import Any

import pytest

from faceauth.identity.methods import FACE, FACE_DEVICE
from faceauth.oidc.claims import half_hash
from faceauth.sessions import OpenedSession
from faceauth.signing import check, keys_from_jwks
from tests.devices import RawDevice, post
from tests.oidc.conftest import CALLBACK, Begun, Party, claims_of, parameters
from tests.service import BLUE


def test_a_login_the_whole_way(party: Party) -> None:
    """oidcc-server, oidcc-idtoken-signature, oidcc-ensure-request-with-valid-pkce-succeeds."""
    begun = party.begin()
    assert party.show(begun) == "accepted"
    answer = party.http.get(begun.back)
    assert answer.headers["location"].startswith(CALLBACK + "?")
    told = parameters(answer.headers["location"])
    assert set(told) == {"code", "state", "iss"}
    assert told["state"] == "s-1"
    assert told["iss"] == party.service.installation.settings.issuer

    tokens = party.redeem(told["code"]).json()
    assert set(tokens) == {"token_type", "access_token", "expires_in", "scope", "id_token"}
    claims = claims_of(tokens["id_token"])
    keys = keys_from_jwks(party.http.get("/oauth2/jwks").json())
    assert check(tokens["id_token"], keys=keys, expected_typ="JWT") == claims
    assert claims["iss"] == told["iss"]
    assert claims["sub"] == "anna"
    assert claims["aud"] == party.client_id
    assert claims["nonce"] == "n-1"
    assert claims["exp"] > claims["iat"] >= claims["auth_time"]
    assert claims["at_hash"] == half_hash(tokens["access_token"])
    assert (claims["acr"], claims["amr"]) == (FACE, ["face"])  # R17
    assert party.userinfo(tokens["access_token"]).json() == {"sub": "anna"}


def test_userinfo_takes_the_token_in_either_place(party: Party) -> None:
    """oidcc-userinfo-get, oidcc-userinfo-post-header, oidcc-userinfo-post-body."""
    token = party.tokens()["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    assert party.http.get("/oauth2/userinfo", headers=header).json() == {"sub": "anna"}
    assert party.http.post("/oauth2/userinfo", headers=header).json() == {"sub": "anna"}
    assert party.http.post("/oauth2/userinfo", data={"access_token": token}).json() == {"sub": "anna"}


def test_userinfo_says_no_as_it_should(party: Party) -> None:
    """RFC 6750, 3."""
    refused = party.userinfo("foa_" + "0" * 64)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    without = party.http.get("/oauth2/userinfo")
    assert (without.status_code, without.headers["www-authenticate"]) == (401, "Bearer")


def test_an_access_token_has_its_time(party: Party) -> None:
    token = party.tokens()["access_token"]
    party.service.clock.forward(299)
    assert party.userinfo(token).status_code == 200
    party.service.clock.forward(2)
    assert party.userinfo(token).status_code == 401


def test_a_request_may_be_posted(party: Party) -> None:
    """oidcc-ensure-post-request-succeeds."""
    begun = party.before_camera(party.http.post("/oauth2/authorize", data=party.ask()))
    assert party.show(begun) == "accepted"
    assert "code" in party.finish(begun)


def test_what_may_be_left_out_is(party: Party) -> None:
    """oidcc-ensure-request-without-nonce-succeeds-for-code-flow; no state is sent back where none came."""
    begun = party.begin(nonce=None, state=None)
    party.show(begun)
    told = party.finish(begun)
    assert set(told) == {"code", "iss"}
    assert "nonce" not in claims_of(party.redeem(told["code"]).json()["id_token"])


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"extra": "foobar"}, id="oidcc-ensure-request-with-unknown-parameter-succeeds"),
        pytest.param({"display": "page"}, id="oidcc-display-page"),
        pytest.param({"display": "popup"}, id="oidcc-display-popup"),
        pytest.param({"ui_locales": "se"}, id="oidcc-ui-locales"),
        pytest.param({"claims_locales": "se"}, id="oidcc-claims-locales"),
        pytest.param({"acr_values": "1 2"}, id="oidcc-ensure-request-with-acr-values-succeeds"),
        pytest.param({"max_age": "10000"}, id="any max_age"),
        pytest.param({"max_age": "1"}, id="oidcc-max-age-1"),
        pytest.param({"prompt": "login"}, id="oidcc-prompt-login"),
        pytest.param({"scope": "openid profile email address phone"}, id="oidcc-scope-all"),
        pytest.param({"scope": "email openid"}, id="oidcc-ensure-other-scope-order-succeeds"),
        pytest.param({"claims": '{"userinfo":{"name":{"essential":true}}}'}, id="oidcc-claims-essential"),
    ],
)
def test_what_is_not_supported_is_passed_over(party: Party, more: dict[str, str]) -> None:
    """The ids that begin so are the suite's checks: the person comes before the camera as without it."""
    assert party.begin(**more).session_id


def test_what_is_not_ours_to_tell_is_not_granted(party: Party) -> None:
    """A login is always fresh, so every `max_age` holds."""
    before = party.service.clock()
    tokens = party.tokens(scope="email openid profile", max_age="10000", claims_locales="se")
    assert tokens["scope"] == "openid"
    assert claims_of(tokens["id_token"])["auth_time"] >= int(before.timestamp())


def test_two_logins_one_after_the_other_are_two(party: Party) -> None:
    """oidcc-prompt-login, oidcc-max-age-1: the second `auth_time` is later."""
    first = claims_of(party.tokens()["id_token"])
    party.service.clock.forward(2)
    second = claims_of(party.tokens(max_age="1")["id_token"])
    assert second["auth_time"] > first["auth_time"]
    assert (second["sub"], second["jti"] != first["jti"]) == (first["sub"], True)


def test_an_id_token_of_before_names_the_account(party: Party) -> None:
    """As oidcc-id-token-hint, but without `prompt=none`: no login is remembered. An old token will do."""
    hint = party.tokens()["id_token"]
    party.service.clock.forward(86_400)
    tokens = party.tokens(login_hint=None, id_token_hint=hint)
    assert claims_of(tokens["id_token"])["sub"] == "anna"


def test_without_a_hint_the_page_asks_for_the_name(party: Party) -> None:
    """oidcc-login-hint is the way without the page."""
    page = party.authorize(login_hint=None)
    assert page.status_code == 200
    assert "The shop asks you to log in." in page.text
    request = page.text.split('name="request" value="')[1].split('"')[0]
    again = party.http.post("/oauth2/answer", data={"request": request, "account": "no such name!"})
    assert again.status_code == 200
    assert 'name="account"' in again.text
    begun = party.before_camera(party.http.post("/oauth2/answer", data={"request": request, "account": "anna"}))
    assert party.show(begun) == "accepted"
    assert "code" in party.finish(begun)


def test_consent_may_be_asked_for(party: Party) -> None:
    """`prompt=consent`: the person sees who asks before the camera, and may leave."""
    page = party.authorize(prompt="consent")
    assert page.status_code == 200
    assert 'name="account"' not in page.text
    leave = page.text.split('href="/oauth2/continue/')[1].split('"')[0]
    told = parameters(party.http.get(f"/oauth2/continue/{leave}").headers["location"])
    assert (told["error"], told["state"]) == ("access_denied", "s-1")


def test_the_page_speaks_chinese_too(party: Party) -> None:
    assert 'lang="zh"' in party.authorize(login_hint=None, ui_locales="zh-CN").text
    answer = party.http.get(
        "/oauth2/authorize", params=party.ask(login_hint=None), headers={"Accept-Language": "fr, zh;q=0.8"}
    )
    assert 'lang="zh"' in answer.text


def test_an_identification_client_needs_no_name(party: Party) -> None:
    """R8: 1:N only in a scenario made for it, which the person agreed to on its own."""
    into = party.service.installation
    answer = party.call(
        "POST",
        "/v1/admin/scenarios",
        role="privacy",
        json={
            "scenario": "door",
            "mode": "identify",
            "title": {"en": "The door"},
            "retention_days": 30,
            "liveness_level": "motion",
            "notices": {"en": "The door knows you by your face."},
        },
    )
    assert answer.status_code == 201, answer.text
    party.service.agree(scenario="door")
    assert party.service.post(party.service.open("enrol", scenario="door")).state == "accepted"
    door = party.as_client(scenario="door", name="The door")
    tokens = door.tokens(login_hint=None)
    assert claims_of(tokens["id_token"])["sub"] == "anna"
    assert into.settings.issuer == claims_of(tokens["id_token"])["iss"]


@pytest.mark.parametrize("who", ["another face", "nobody of that name", "no consent", "not enrolled", "cancelled"])
def test_all_denials_are_one(party: Party, who: str) -> None:
    """R13, R25: to the browser and to the client, every denial is the same, from the first answer on."""
    service, name = party.service, "anna"
    if who == "nobody of that name":
        name = "nobody"
    elif who == "no consent":
        service.withdraw()
    elif who == "not enrolled":
        service.agree("ben")
        name = "ben"
    first = party.authorize(login_hint=name)
    begun = party.before_camera(first)
    if who != "cancelled":
        assert party.show(begun, BLUE) == "denied"
    told = party.finish(begun)
    assert told.pop("iss")
    assert told == {"error": "access_denied", "error_description": told["error_description"], "state": "s-1"}
    assert "denied" in told["error_description"]
    kept = {name: value for name, value in first.headers.items() if name not in {"x-request-id", "location"}}
    cookie = kept.pop("set-cookie").split("; ", 1)[1]
    assert cookie == "HttpOnly; Max-Age=600; Path=/; SameSite=lax"
    assert "content-length" not in kept or kept["content-length"] == "0"


def test_a_session_still_open_ends_with_the_request(party: Party) -> None:
    begun = party.begin()
    assert party.finish(begun)["error"] == "access_denied"
    view: Any = party.service.installation.desk.view(tenant="default", session_id=begun.session_id)
    assert view.session.state == "cancelled"


def test_step_up_asks_for_a_device_key(party: Party) -> None:
    """`acr_values`: a level of ours that was not reached is no login; one among several will do."""
    begun = party.begin(acr_values=FACE_DEVICE)
    assert party.show(begun) == "accepted"
    told = party.finish(begun)
    assert (told["error"], told["state"]) == ("unmet_authentication_requirements", "s-1")
    assert told["iss"]
    tokens = party.tokens(acr_values=f"{FACE_DEVICE} {FACE}")
    assert claims_of(tokens["id_token"])["acr"] == FACE


def told_of_keys(party: Party, begun: Begun) -> str:
    return str(party.service.installation.desk.challenge(begun.session_id, begun.client_token).device_key)


def test_step_up_asks_the_page_for_a_passkey(party: Party) -> None:
    """`acr_values`: the hosted page asks for one only where the challenge says that it is needed."""
    for hint in ("anna", "nobody"):  # R25
        assert told_of_keys(party, party.begin(acr_values=FACE_DEVICE, login_hint=hint)) == "required"
    for values in (None, FACE, f"{FACE_DEVICE} {FACE}", "urn:of:somebody:else"):
        assert told_of_keys(party, party.begin(acr_values=values)) == "preferred"
    with party.service.installation.data.begin() as conn:
        party.service.installation.scenarios.ask_device_key(
            conn, tenant="default", scenario="login", policy="none"
        )
    assert told_of_keys(party, party.begin(acr_values=FACE_DEVICE)) == "none"


def test_step_up_with_a_device_key_is_a_login(party: Party) -> None:
    """R17: the level that was asked for is reached by the key that signed this session."""
    device = RawDevice()
    device.bind(party.service)
    begun = party.begin(acr_values=FACE_DEVICE)
    challenge = party.service.installation.desk.challenge(begun.session_id, begun.client_token)
    opened = OpenedSession(begun.session_id, begun.client_token, challenge, challenge.expires_at)
    assert post(party.service, opened, device, seed=1).state == "accepted"
    claims = claims_of(party.redeem(party.finish(begun)["code"]).json()["id_token"])
    assert (claims["acr"], claims["amr"]) == (FACE_DEVICE, ["face", "swk", "mfa"])


def test_a_browser_that_searched_too_often_is_denied(party: Party) -> None:
    """R8, R10: searches are limited by the browser's own cookie; the client is told what it is told always."""
    party.service.make_door()
    door = party.as_client(scenario="door", name="The door")
    for _ in range(100):
        answer = door.authorize(login_hint=None)
        if answer.headers["location"].startswith("/oauth2/continue/"):
            break
        begun = door.before_camera(answer)
        door.show(begun, BLUE)
        assert door.finish(begun)["error"] == "access_denied"
    else:
        pytest.fail("nothing stopped it")
    told = parameters(door.http.get(answer.headers["location"]).headers["location"])
    assert (told["error"], told["state"]) == ("access_denied", "s-1")
