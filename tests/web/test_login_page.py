"""An OpenID login in a real browser: the provider's page, the cookie, the camera, and back to the client."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.openid import OpenId
from tests.web.test_flow_page import CAMERA, SHOP, Shop, agree, back_with, shop, start

__all__ = ["shop"]

pytestmark = pytest.mark.browser

Looked = Callable[[Page, str], None]
CALLBACK = f"{SHOP}/callback"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def away(shop: Shop, **more: str) -> str:
    """Where a client sends the browser."""
    with shop.service.installation.data.begin() as conn:
        made = OpenId.of(shop.service.installation).clients.create(
            conn, tenant=DEFAULT_TENANT, name="The <shop>", scenario="login", redirect_uris=[CALLBACK]
        )
    asked = {
        "response_type": "code",
        "client_id": made.client.client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "s-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return f"{shop.address}/oauth2/authorize?{urlencode(asked | more)}"


def told(page: Page) -> dict[str, str]:
    """What the client is told, once the browser is back."""
    expect(page).to_have_url(re.compile(f"^{re.escape(CALLBACK)}"), timeout=30_000)
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_a_login_from_the_client_and_back(page: Page, shop: Shop) -> None:
    """The page's policy lets the form through to the camera, and the cookie comes along the whole way."""
    # The client's address leads nowhere, and the browser's own page about that has no cameras.
    page.add_init_script(f"if (navigator.mediaDevices) {{ {CAMERA} }}")
    flow_id, link = shop.link("enrol")
    page.goto(link)
    agree(page)
    start(page)
    back_with(page, flow_id)

    page.goto(away(shop))
    page.get_by_label("The name of your account").fill("anna")
    page.get_by_role("button", name="To the camera").click()
    expect(page).to_have_url(f"{shop.address}/ui/capture")
    (cookie,) = page.context.cookies(shop.address)
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("faceauth-login", True, "Lax")
    start(page)
    found = told(page)
    assert set(found) == {"code", "state", "iss"}


def test_who_leaves_is_no_login(page: Page, shop: Shop) -> None:
    page.goto(away(shop, prompt="consent", login_hint="anna"))
    page.get_by_role("link", name="Cancel").click()
    assert told(page)["error"] == "access_denied"


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_how_it_looks(page: Page, shop: Shop, looked: Looked, locale: str) -> None:
    page.goto(away(shop, ui_locales=locale))
    expect(page.locator("html")).to_have_attribute("lang", locale)
    expect(page.locator("main")).to_contain_text("The <shop>")
    looked(page, f"login-{locale}")
    page.goto(f"{shop.address}/oauth2/continue/or_gone")
    looked(page, f"login-gone-{locale}")
    page.goto(f"{shop.address}/oauth2/logout?ui_locales={locale}")
    looked(page, f"logout-{locale}")
