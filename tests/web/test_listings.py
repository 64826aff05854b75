"""Every page in Chromium: nothing is asked of anybody else; the lists can be read on a phone and on a desktop."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from faceauth.api.routes.pages import FOLDER

pytestmark = pytest.mark.browser

PAGES = ("/ui/capture", "/ui/retention", "/ui/privacy", "/ui/inventory", "/ui/cookies", "/oauth2/authorize")
"""Every page there is; what the templates make beyond these stands below."""

ELSEWHERE = {
    "export.html": "a person's own copy, saved as a file",
    "login_told.html": "a refusal at /oauth2/authorize",
}


@pytest.mark.parametrize("path", PAGES)
def test_no_page_asks_anybody_else(page: Page, address: str, path: str) -> None:
    """Issue 6, item 9: no beacon and no request to a third party, as the browser itself counts its requests."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}{path}")
    page.wait_for_load_state("networkidle")
    assert asked
    hosts = {urlsplit(url).netloc for url in asked if urlsplit(url).scheme not in {"data", "blob"}}
    assert hosts == {urlsplit(address).netloc}


def test_every_template_is_one_of_these_pages() -> None:
    """A new page has to stand in `PAGES`, so that it is looked at too."""
    known = {"capture.html", "privacy.html", "listing.html", "login.html", *ELSEWHERE}
    assert {one.name for one in (FOLDER / "templates").glob("*.html")} - known == set()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["inventory", "retention", "cookies"])
def test_the_lists_can_be_read(
    page: Page, address: str, looked: Callable[[Page, str], None], name: str, language: str
) -> None:
    page.goto(f"{address}/ui/{name}?lang={language}")
    expect(page.locator("h1")).to_be_visible()
    looked(page, f"{name}-{language}")
    page.locator("main a").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "zh" if language == "en" else "en")
