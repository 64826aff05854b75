"""The conformance suite's plans for basic, config and logout, module by module: each has a test or a reason.

What is not here is in the other files of this folder, under the same names.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

import pytest

from tests.conftest import ROOT
from tests.oidc.conftest import CALLBACK, Party, parameters

BASIC: Final = """
    server response-type-missing idtoken-signature userinfo-get userinfo-post-header userinfo-post-body
    ensure-request-without-nonce-succeeds-for-code-flow scope-profile scope-email scope-address scope-phone
    scope-all
    ensure-other-scope-order-succeeds display-page display-popup prompt-login prompt-none-not-logged-in
    prompt-none-logged-in max-age-1 max-age-10000 ensure-request-with-unknown-parameter-succeeds id-token-hint
    login-hint ui-locales claims-locales ensure-request-with-acr-values-succeeds codereuse codereuse-30seconds
    ensure-registered-redirect-uri ensure-post-request-succeeds server-client-secret-post
    request-uri-unsigned-supported-correctly-or-rejected-as-unsupported
    unsigned-request-object-supported-correctly-or-rejected-as-unsupported claims-essential
    ensure-request-object-with-redirect-uri refresh-token ensure-request-with-valid-pkce-succeeds
"""
OTHERS: Final = """
    discovery-endpoint-verification redirect-uri-query-OK redirect-uri-query-mismatch redirect-uri-query-added
    ensure-redirect-uri-in-authorization-request idtoken-unsigned idtoken-rs256 server-rotate-keys
    rp-initiated-logout rp-initiated-logout-discovery-endpoint-verification
    rp-initiated-logout-bad-post-logout-redirect-uri rp-initiated-logout-modified-id-token-hint
    rp-initiated-logout-bad-id-token-hint rp-initiated-logout-no-id-token-hint rp-initiated-logout-no-params
    rp-initiated-logout-no-post-logout-redirect-uri rp-initiated-logout-no-state rp-initiated-logout-only-state
    rp-initiated-logout-query-added-to-post-logout-redirect-uri
"""
"""The config and the logout plan, and what of the dynamic plan does not want dynamic registration."""


def in_the_docs() -> tuple[set[str], set[str]]:
    """Return the modules that docs/openid.md calls held, and those that it gives a reason for instead."""
    page = (ROOT / "docs" / "openid.md").read_text(encoding="utf-8")
    part = page.partition("## Against the conformance suite")[2].partition("\n## ")[0]
    found: list[set[str]] = []
    for item in re.split(r"\n- ", part)[1:]:
        prefix, names = "", set()
        for name in re.findall(r"`(oidcc-[\w-]+|-[\w-]+)`", item):
            if name.startswith("oidcc-"):
                prefix = "rp-initiated-logout" if name == "oidcc-rp-initiated-logout" else ""
                names.add(name.removeprefix("oidcc-"))
            else:
                names.add(f"{prefix}{name}" if prefix else name.removeprefix("-"))
        found.append(names)
    return found[0] | found[1], set.union(*found[2:])


def test_every_module_is_held_or_has_a_reason() -> None:
    held, reasoned = in_the_docs()
    assert held | reasoned == {*BASIC.split(), *OTHERS.split()}
    assert not held & reasoned
    files = [*(ROOT / "tests" / "oidc").glob("test_*.py"), ROOT / "tests" / "vault" / "test_signing_rotation.py"]
    tests = "".join(file.read_text(encoding="utf-8") for file in files)
    named = set(re.findall(r"oidcc-([\w-]+)", tests)) | {
        f"rp-initiated-logout{end}" for end in re.findall(r"[ ,](-[a-z-]+)", tests)
    }
    assert held <= named, held - named


def test_what_it_says_about_itself(party: Party) -> None:
    """oidcc-discovery-endpoint-verification, oidcc-rp-initiated-logout-discovery-endpoint-verification.

    OpenID Connect Discovery, 3, but for RS256: ES256 alone signs here.
    """
    answer = party.http.get("/.well-known/openid-configuration")
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    issuer = party.service.installation.settings.issuer
    assert told["issuer"] == issuer
    for name, path in {
        "authorization_endpoint": "/oauth2/authorize",
        "token_endpoint": "/oauth2/token",
        "userinfo_endpoint": "/oauth2/userinfo",
        "revocation_endpoint": "/oauth2/revoke",
        "end_session_endpoint": "/oauth2/logout",
        "jwks_uri": "/oauth2/jwks",
    }.items():
        assert told[name] == issuer.rstrip("/") + path
    for name in ("scopes", "response_types", "response_modes", "grant_types", "subject_types", "claims"):
        assert told[f"{name}_supported"]
        assert all(isinstance(one, str) for one in told[f"{name}_supported"])
    assert "openid" in told["scopes_supported"]
    assert {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr"} <= set(told["claims_supported"])
    assert told["id_token_signing_alg_values_supported"] == ["ES256"]
    assert not any(told[name] for name in told if name.startswith("request_"))
    for key in party.http.get("/oauth2/jwks").json()["keys"]:
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")
        assert "d" not in key
        assert key["kid"]


def test_an_unsigned_token_is_never_made_or_believed(party: Party) -> None:
    """oidcc-idtoken-unsigned: `none` is no algorithm here (RFC 8725, 3.1)."""
    head, body, _ = party.tokens()["id_token"].split(".")
    assert json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))["alg"] == "ES256"
    none = urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    told = parameters(party.authorize(id_token_hint=f"{none}.{body}.").headers["location"])
    assert told["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        pytest.param(
            {"request_uri": "https://shop.example/request.jwt"},
            "request_uri_not_supported",
            id="oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
        ),
        pytest.param(
            {"request": "eyJhbGciOiJub25lIn0.e30."},
            "request_not_supported",
            id="oidcc-ensure-request-object-with-redirect-uri",
        ),
    ],
)
def test_request_objects_are_refused_by_name(party: Party, more: dict[str, str], error: str) -> None:
    """And what is in them is never read, nor fetched."""
    told = parameters(party.authorize(**more).headers["location"])
    assert (told["error"], told["state"]) == (error, "s-1")


def test_an_address_with_a_query_keeps_it(party: Party) -> None:
    """oidcc-redirect-uri-query-OK."""
    other = party.as_client(redirect_uris=[CALLBACK + "?from=face"])
    begun = other.begin(redirect_uri=CALLBACK + "?from=face")
    assert other.show(begun) == "accepted"
    told = other.finish(begun)
    assert told["from"] == "face"
    assert set(told) == {"from", "code", "state", "iss"}
    assert other.redeem(told["code"], redirect_uri=CALLBACK + "?from=face").status_code == 200


BYE: Final = "https://shop.example/bye"


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"id_token_hint": "a.b.c"}, id="oidcc-rp-initiated-logout-bad-id-token-hint"),
        pytest.param({"post_logout_redirect_uri": BYE}, id="oidcc-rp-initiated-logout-no-id-token-hint"),
        pytest.param(
            {"post_logout_redirect_uri": BYE + "?foo=bar", "client_id": ""},
            id="oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri",
        ),
    ],
)
def test_a_logout_that_sends_nobody_anywhere(party: Party, asked: dict[str, str]) -> None:
    if "client_id" in asked:
        asked = asked | {"client_id": party.client_id, "id_token_hint": party.tokens()["id_token"]}
    answer = party.http.get("/oauth2/logout", params={"state": "b-1", **asked})
    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_a_logout_takes_state_along_only_where_it_leads(party: Party) -> None:
    """oidcc-rp-initiated-logout-no-state, oidcc-rp-initiated-logout-only-state."""
    hint = {"id_token_hint": party.tokens()["id_token"]}
    answer = party.http.get("/oauth2/logout", params={**hint, "post_logout_redirect_uri": BYE})
    assert answer.headers["location"] == BYE
    answer = party.http.get("/oauth2/logout", params={"state": "b-1"})
    assert (answer.status_code, "location" in answer.headers) == (200, False)
    assert "b-1" not in answer.text
