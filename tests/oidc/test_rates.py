"""Too many requests are told so, before anything else is done for them (R59)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from faceauth import openid as openid_module
from faceauth.identity.limits import LIMITS
from faceauth.identity.rates import RateLimits
from tests.oidc.conftest import Party

FEW = RateLimits(network=2, client=3)


@pytest.fixture
def few(party: Party, monkeypatch: pytest.MonkeyPatch) -> Party:
    """The limits of the installation's profile, much lower. The test client's connection names no network."""
    profile = replace(LIMITS["nist-63b-4"].requests, authorize=FEW, token=FEW)
    changed = {**LIMITS, "nist-63b-4": replace(LIMITS["nist-63b-4"], requests=profile)}
    monkeypatch.setattr(openid_module, "LIMITS", changed)
    return party


def statuses(ask: Callable[[], Any], count: int = 5) -> list[int]:
    return [ask().status_code for _ in range(count)]


def test_a_client_begins_so_many_logins_in_a_minute(few: Party) -> None:
    assert statuses(few.authorize) == [303, 303, 303, 429, 429]
    told = few.authorize()
    assert told.headers["retry-after"] == "60"
    assert "Wait a minute" in told.text
    assert "location" not in told.headers
    assert few.as_client().authorize().status_code == 303
    few.service.clock.forward(60)
    assert few.authorize().status_code == 303


def test_who_names_no_client_uses_up_nobodys_limit(few: Party) -> None:
    assert statuses(lambda: few.authorize(client_id="oc_0000000000000000")) == [400] * 5
    assert few.authorize().status_code == 303


def test_the_token_route_has_a_limit_of_its_own(few: Party) -> None:
    """In the client's name, whether its secret is right or not."""
    form = {"grant_type": "authorization_code", "code": "foc_" + "0" * 64}
    named = {**form, "client_id": few.client_id, "client_secret": "x"}
    wrong: list[Callable[[], Any]] = [
        lambda: few.redeem(form["code"]),
        lambda: few.http.post("/oauth2/token", data=named),
        lambda: few.http.post("/oauth2/token", data=form, auth=(few.client_id, "x")),
    ]
    assert [ask().status_code for ask in wrong] == [400, 401, 401]
    told = few.redeem(form["code"])
    assert (told.status_code, told.json()["error"]) == (429, "temporarily_unavailable")
    assert told.headers["retry-after"] == "60"
    assert told.headers["cache-control"] == "no-store"
    assert few.authorize().status_code == 303


@pytest.mark.parametrize("credentials", ["Basic /////w==", "Basic \xff", "Basic", "Basic a", "Bearer x", ""])
def test_credentials_that_are_no_text_are_refused(party: Party, credentials: str) -> None:
    answer = party.http.post(
        "/oauth2/token",
        data={"grant_type": "authorization_code", "code": "foc_x"},
        headers=[(b"authorization", credentials.encode("latin-1"))],
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
