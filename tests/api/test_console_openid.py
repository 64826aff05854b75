"""Signing in to the console through another OpenID provider, a double on this machine."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey

from faceauth.console_openid import subject_of
from faceauth.identity.console_logins import LASTS
from faceauth.settings import Settings
from tests.api.conftest import Service
from tests.api.test_console import ADMIN, Browser, browser, events
from tests.clocks import HandClock
from tests.openid_double import Provider
from tests.web.conftest import listening

__all__ = ["browser"]

ROLES = {"privacy-office": "privacy", "operators": "operator"}


@pytest.fixture
def provider(clock: HandClock) -> Iterator[Provider]:
    made = Provider(clock)
    with listening(made.app) as address:
        made.issuer = address
        yield made


@pytest.fixture
def settings(settings: Settings, provider: Provider) -> Settings:
    openid = {"issuer": provider.issuer, "client_id": "faceauth", "client_secret": "hush", "roles": ROLES}
    return Settings.model_validate({"data_dir": settings.data_dir, "console": {"openid": openid}})


def sent(browser: Browser) -> dict[str, str]:
    """Begin; return what the provider is asked."""
    answer = browser.get("/openid")
    assert answer.status_code == 303
    assert {"HttpOnly", "SameSite=lax", "Path=/ui/admin"} <= set(answer.headers["set-cookie"].split("; "))
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in asked.items()}


def back(browser: Browser, provider: Provider, **claims: Any) -> Any:
    """Go there and come back, with what the provider says."""
    provider.claims = claims
    return browser.get(provider.answer_to(sent(browser)).partition(ADMIN)[2])


def test_who_is_named_with_a_role_is_in(service: Service, browser: Browser, provider: Provider) -> None:
    """With PKCE, state and nonce; the audit log names the person as the provider does."""
    asked = sent(browser)
    assert asked["redirect_uri"] == f"{service.installation.settings.issuer}{ADMIN}/openid/back"
    assert asked["scope"] == "openid"
    assert "Sign in with your organisation" in browser.get("/sign-in").text
    assert back(browser, provider).status_code == 200
    shown = browser.get().text
    assert "<b>privacy officer</b>" in shown
    assert "<code>ann</code>" in shown
    assert ("operator:console:opened", "openid:ann") in events(service)
    assert browser.get("/scenarios").status_code == 200
    assert browser.post("/sign-out").status_code == 303
    assert ("operator:console:closed", "openid:ann") in events(service)
    assert service.http.get("/ui/cookies").text.count("faceauth-console") == 2


def test_what_is_not_valid_lets_nobody_in(browser: Browser, provider: Provider, clock: HandClock) -> None:
    now = int(clock().timestamp())
    for wrong in (
        {"iss": "https://elsewhere.example"},
        {"aud": "another"},
        {"aud": ["faceauth", "another"]},
        {"azp": "another"},
        {"exp": now - 61},
        {"iat": now + 61},
        {"nonce": "0" * 64},
        {"sub": ""},
        {"exp": "soon"},
    ):
        assert back(browser, provider, **wrong).status_code == 401, wrong
    assert back(browser, provider, groups=["staff"]).status_code == 403
    assert back(browser, provider, groups=None).status_code == 403
    provider.published = ECKey.generate_key("P-256", {"kid": "k1"})
    assert back(browser, provider).status_code == 401
    assert browser.get().status_code == 303


def test_a_sign_in_is_one_browser_s_and_counts_once(
    browser: Browser, provider: Provider, clock: HandClock
) -> None:
    """State is bound to the browser that began, used once, and over after ten minutes."""
    answer = provider.answer_to(sent(browser)).partition(ADMIN)[2]
    kept = dict(browser.http.cookies)
    browser.http.cookies.clear()
    assert browser.get(answer).status_code == 401
    browser.http.cookies.update(kept)
    assert browser.get(answer).status_code == 200
    assert browser.get(answer).status_code == 401
    answer = provider.answer_to(sent(browser)).partition(ADMIN)[2]
    clock.forward(LASTS.total_seconds())
    assert browser.get(answer).status_code == 401
    assert browser.get("/openid/back?error=access_denied&state=x").status_code == 401


def test_a_role_that_is_taken_back_ends_the_session(
    service: Service, browser: Browser, provider: Provider
) -> None:
    assert back(browser, provider).status_code == 200
    service.installation.settings.console.openid.roles.clear()
    assert browser.get().status_code == 303


def test_a_provider_that_is_not_there_or_is_another(
    service: Service, browser: Browser, provider: Provider
) -> None:
    openid = service.installation.settings.console.openid
    for issuer in ("http://127.0.0.1:9", "http://shop.example", f"{provider.issuer}/"):
        openid.issuer = issuer
        assert browser.get("/openid").status_code == 401
    openid.issuer = ""
    assert browser.get("/openid").status_code == 401
    assert "organisation" not in browser.get("/sign-in").text


def test_names_that_are_no_plain_words_are_digests() -> None:
    assert subject_of("ann.b-1") == "ann.b-1"
    for odd in ("ann@example.com", "a b", "", "x" * 61, "é"):
        assert re.fullmatch(r"sha256-[0-9a-f]{32}", subject_of(odd))
