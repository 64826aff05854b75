"""Codes and tokens: each good for one client, one time, once; and never longer than the consent (R18)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.oidc.conftest import CALLBACK, VERIFIER, Party, claims_of


def error(answer: Any) -> str:
    """The error of a refused request, as OAuth words it."""
    assert answer.status_code in {400, 401}, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: str = answer.json()["error"]
    return found


@pytest.fixture
def offline(party: Party) -> Party:
    """A client that may refresh."""
    return party.as_client(offline=True)


def refreshable(party: Party) -> dict[str, Any]:
    return party.tokens(scope="openid offline_access")


# --- codes ------------------------------------------------------------------------------------------------------


def test_a_code_is_good_once_and_its_second_use_ends_what_it_brought(party: Party) -> None:
    """oidcc-codereuse: RFC 6749, 4.1.2."""
    code = party.log_in()
    tokens = party.redeem(code).json()
    assert party.userinfo(tokens["access_token"]).status_code == 200
    assert error(party.redeem(code)) == "invalid_grant"
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert error(party.redeem(code)) == "invalid_grant"
    assert party.events().count("service:login:reused") == 1


def test_a_code_has_a_minute(party: Party) -> None:
    """oidcc-codereuse-30seconds, with our minute."""
    code = party.log_in()
    party.service.clock.forward(60)
    assert error(party.redeem(code)) == "invalid_grant"


@pytest.mark.parametrize(
    "more",
    [
        {"code_verifier": None},
        {"code_verifier": "x" * 43},
        {"code_verifier": VERIFIER[:-1]},
        {"redirect_uri": CALLBACK + "?x=1"},
        {"redirect_uri": None},
    ],
    ids=["no verifier", "another verifier", "a short verifier", "another address", "no address"],
)
def test_a_code_that_was_brought_wrongly_is_used_up(party: Party, more: dict[str, str | None]) -> None:
    """R18: whoever stole a code has one guess, and the owner's own try then shows the theft."""
    code = party.log_in()
    assert error(party.redeem(code, **more)) in {"invalid_grant", "invalid_request"}
    assert error(party.redeem(code)) == "invalid_grant"


def test_a_verifier_does_not_open_another_login_s_code(party: Party) -> None:
    """R18: a reused PKCE verifier is no use without its code."""
    first, second = party.log_in(), party.log_in(code_challenge="b" * 43)
    assert error(party.redeem(second)) == "invalid_grant"
    assert party.redeem(first).status_code == 200


def test_a_code_is_its_client_s_alone(party: Party) -> None:
    code = party.log_in()
    assert error(party.as_client(name="Another").redeem(code)) == "invalid_grant"
    assert party.redeem(code).status_code == 200


def test_of_many_at_once_one_gets_tokens_at_most(party: Party) -> None:
    code = party.log_in()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: party.redeem(code), range(8)))
    good = [answer for answer in answers if answer.status_code == 200]
    assert len(good) == 1
    assert party.userinfo(good[0].json()["access_token"]).status_code == 401


# --- clients ----------------------------------------------------------------------------------------------------


def test_a_confidential_client_proves_itself_in_either_way(party: Party) -> None:
    """oidcc-server-client-secret-post, and -basic everywhere else."""
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    named = {"client_id": party.client_id, "client_secret": party.made.secret}
    answer = party.http.post("/oauth2/token", data={**form, **named, "code": party.log_in()})
    assert answer.status_code == 200


def test_who_does_not_prove_itself_gets_nothing(party: Party) -> None:
    code = party.log_in()
    form = {
        "grant_type": "authorization_code",
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "code": code,
    }
    for auth in ((party.client_id, "wrong"), ("oc_0000000000000000", party.made.secret or "")):
        answer = party.http.post("/oauth2/token", data=form, auth=auth)
        assert (answer.status_code, error(answer)) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")
    assert error(party.http.post("/oauth2/token", data={**form, "client_id": party.client_id})) == "invalid_client"
    assert party.redeem(code).status_code == 200  # the code was not touched


def test_a_public_client_proves_nothing_but_pkce(party: Party) -> None:
    page = party.as_client(public=True)
    assert page.made.secret is None
    code = page.log_in()
    form = {
        "grant_type": "authorization_code",
        "redirect_uri": CALLBACK,
        "code": code,
        "client_id": page.client_id,
    }
    refused = page.http.post("/oauth2/token", data={**form, "code_verifier": VERIFIER, "client_secret": "x"})
    assert error(refused) == "invalid_client"
    assert page.redeem(code).status_code == 200


def test_a_rotated_secret_is_worthless_at_once(party: Party) -> None:
    with party.service.installation.data.begin() as conn:
        made = party.provider.clients.rotate(conn, "default", party.client_id)
    code = party.log_in()
    assert error(party.redeem(code)) == "invalid_client"
    party.made = made
    assert party.redeem(code).status_code == 200


@pytest.mark.parametrize("kind", ["password", "client_credentials", "implicit", 'x"y'])
def test_no_other_grants(party: Party, kind: str) -> None:
    assert error(party.post("/oauth2/token", grant_type=kind)) == "unsupported_grant_type"


def test_a_body_that_is_no_form(party: Party) -> None:
    assert error(party.http.post("/oauth2/token", json={})) == "invalid_request"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"code=1&code=2", b"code=\xff", b"code=%00", b"&".join(b"a%d=1" % n for n in range(60))):
        assert error(party.http.post("/oauth2/token", content=body, headers=headers)) == "invalid_request"


# --- refresh ----------------------------------------------------------------------------------------------------


def test_a_refresh_token_takes_both_asking_and_leave(party: Party, offline: Party) -> None:
    """oidcc-refresh-token: only with offline_access, and only for a client that may."""
    assert "refresh_token" not in refreshable(party)
    assert "refresh_token" not in offline.tokens()
    tokens = refreshable(offline)
    assert tokens["scope"] == "openid offline_access"
    assert error(party.refresh(tokens["refresh_token"])) == "unauthorized_client"
    assert error(party.as_client(offline=True).refresh(tokens["refresh_token"])) == "invalid_grant"

    again = offline.refresh(tokens["refresh_token"]).json()
    assert "id_token" not in again  # a refresh shows no face
    assert offline.userinfo(again["access_token"]).json() == {"sub": "anna"}
    assert again["refresh_token"] != tokens["refresh_token"]


def test_a_refresh_token_used_twice_ends_the_whole_login(offline: Party) -> None:
    """RFC 9700, 4.14.2."""
    first = refreshable(offline)
    second = offline.refresh(first["refresh_token"]).json()
    third = offline.refresh(second["refresh_token"]).json()
    assert error(offline.refresh(first["refresh_token"])) == "invalid_grant"
    assert error(offline.refresh(third["refresh_token"])) == "invalid_grant"
    assert offline.userinfo(third["access_token"]).status_code == 401
    assert offline.events()[-1] == "service:login:reused"


def test_refreshing_gives_less_if_asked_and_never_more(offline: Party) -> None:
    tokens = refreshable(offline)
    assert error(offline.refresh(tokens["refresh_token"], scope="openid email")) == "invalid_scope"
    less = offline.refresh(tokens["refresh_token"], scope="offline_access").json()
    assert offline.userinfo(less["access_token"]).status_code == 401
    assert offline.refresh(less["refresh_token"]).json()["scope"] == "openid offline_access"


def test_a_login_is_not_refreshed_for_ever(offline: Party) -> None:
    tokens = refreshable(offline)
    for _ in range(29):
        offline.service.clock.forward(86_400)
        tokens = offline.refresh(tokens["refresh_token"]).json()
    offline.service.clock.forward(86_400)
    assert error(offline.refresh(tokens["refresh_token"])) == "invalid_grant"


# --- the end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["withdrawn", "closed", "retired", "revoked by the client", "client revoked"])
def test_what_ends_a_login_ends_its_tokens_at_once(offline: Party, end: str) -> None:
    """Withdrawal and closing take tokens along, and so does whoever else may end a login."""
    tokens, code = refreshable(offline), offline.log_in()
    into = offline.service.installation
    if end == "withdrawn":
        offline.service.withdraw()
    elif end == "closed":
        into.lifecycle.close_account(tenant="default", account="anna", actor="test")
    elif end == "retired":
        into.lifecycle.retire(tenant="default", scenario="login", actor="test")
    elif end == "revoked by the client":
        assert offline.post("/oauth2/revoke", token=tokens["refresh_token"]).status_code == 200
    else:
        with into.data.begin() as conn:
            offline.provider.clients.revoke(conn, "default", offline.client_id)
    assert offline.userinfo(tokens["access_token"]).status_code == 401
    assert error(offline.refresh(tokens["refresh_token"])) in {"invalid_grant", "invalid_client"}
    if end != "revoked by the client":  # that was one login of two
        assert error(offline.redeem(code)) in {"invalid_grant", "invalid_client"}


def test_agreeing_again_brings_nothing_back(offline: Party) -> None:
    """R33: what was granted under a consent ends with that consent."""
    tokens = refreshable(offline)
    begun = offline.begin()
    assert offline.show(begun) == "accepted"
    offline.service.withdraw()
    offline.service.clock.forward(1)
    offline.service.agree()
    assert offline.userinfo(tokens["access_token"]).status_code == 401
    assert error(offline.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert offline.finish(begun)["error"] == "access_denied"


def test_an_access_token_can_be_given_back_alone(offline: Party) -> None:
    """RFC 7009; a token that is none is revoked as well as any."""
    tokens = refreshable(offline)
    assert offline.post("/oauth2/revoke", token=tokens["access_token"]).status_code == 200
    assert offline.userinfo(tokens["access_token"]).status_code == 401
    assert offline.refresh(tokens["refresh_token"]).status_code == 200
    assert offline.post("/oauth2/revoke", token="foa_none").status_code == 200
    assert error(offline.post("/oauth2/revoke")) == "invalid_request"


def test_another_client_revokes_nothing(party: Party, offline: Party) -> None:
    tokens = refreshable(offline)
    assert error(party.post("/oauth2/revoke", token=tokens["refresh_token"])) == "invalid_grant"
    assert offline.userinfo(tokens["access_token"]).status_code == 200


# --- logout -----------------------------------------------------------------------------------------------------


def test_a_logout_ends_the_login_and_sends_the_browser_on(offline: Party) -> None:
    """RP-Initiated Logout; oidcc-rp-initiated-logout, -bad-post-logout-redirect-uri, -modified-id-token-hint."""
    party = offline.as_client(offline=True, post_logout_redirect_uris=["https://shop.example/bye"])
    tokens = refreshable(party)
    asked = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": "https://shop.example/bye",
        "state": "b-1",
    }
    for wrong in (
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"id_token_hint": tokens["id_token"][:-8] + "AAAAAAAA"},
        {"client_id": offline.client_id},
    ):
        answer = party.http.get("/oauth2/logout", params=asked | wrong)
        assert (answer.status_code, "location" in answer.headers) == (400, False)
    shown = party.http.get("/oauth2/logout", params={"id_token_hint": tokens["id_token"]})
    assert (shown.status_code, "has no login of yours" in shown.text) == (200, True)
    tokens = refreshable(party)
    party.service.clock.forward(3600)  # an old ID Token still says whose login it was
    answer = party.http.get("/oauth2/logout", params=asked | {"id_token_hint": tokens["id_token"]})
    assert answer.headers["location"] == "https://shop.example/bye?state=b-1"
    assert error(party.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert party.events()[-1] == "person:login:ended"


def test_a_logout_without_anything_says_so(party: Party) -> None:
    """oidcc-rp-initiated-logout-no-params, -no-id-token-hint, -no-post-logout-redirect-uri; posted too."""
    for answer in (party.http.get("/oauth2/logout"), party.http.post("/oauth2/logout", data={"x": "1"})):
        assert answer.status_code == 200
        assert "nothing to end here" in answer.text
    asked = {"client_id": party.client_id, "post_logout_redirect_uri": "https://shop.example/bye"}
    assert party.http.get("/oauth2/logout", params=asked).headers["location"] == "https://shop.example/bye"
    assert party.http.get("/oauth2/logout", params=asked | {"client_id": "oc_none"}).status_code == 400


def test_nothing_of_a_token_is_kept_but_its_digest(offline: Party) -> None:
    code = offline.log_in(scope="openid offline_access")
    tokens = offline.redeem(code).json()
    data = offline.service.installation.data
    data.truncate_wal()
    assert data.path is not None
    kept = b"".join(path.read_bytes() for path in data.path.parent.iterdir() if path.is_file())
    for secret in (code, tokens["access_token"], tokens["refresh_token"], offline.made.secret or ""):
        assert secret.encode() not in kept
        assert secret.partition("_")[2].encode() not in kept
    assert claims_of(tokens["id_token"])["sid"].encode() in kept  # the search finds what is there
