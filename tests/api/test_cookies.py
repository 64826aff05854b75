"""One cookie, while a login for an OpenID client lasts, and one for administrators; nothing else is kept there.

Both are strictly needed for what somebody asked for, so nobody has to be asked about them.
"""

import re

import pytest

from faceauth.api.routes.pages import FOLDER
from tests.api.conftest import Service


@pytest.mark.parametrize(
    "path",
    [
        "/ui/capture",
        "/ui/retention",
        "/ui/static/capture.js",
        "/ui/static/face-capture.js",
        "/v1/scenarios",
        "/healthz",
        "/nowhere",
    ],
)
def test_no_page_and_no_answer_sets_a_cookie(service: Service, path: str) -> None:
    """R19: only `/oauth2/` and `/ui/admin` have one: see `tests/api/test_oidc.py` and `test_console.py`."""
    answer = service.http.get(path, headers=service.as_role())
    assert "set-cookie" not in answer.headers


def test_the_pages_keep_nothing_in_the_browser() -> None:
    """The session's token lives in the page's memory; while the page is away, in its tab's storage alone."""
    kept = re.compile(r"cookie|localStorage|sessionStorage|indexedDB|\bcaches\b|serviceWorker", re.IGNORECASE)
    pages = [*(FOLDER / "static").glob("*.js"), *(FOLDER / "templates").glob("*.html")]
    assert len(pages) >= 2
    found = {page.name: set(kept.findall(page.read_text(encoding="utf-8"))) for page in pages}
    assert {name: words for name, words in found.items() if words} == {"away.js": {"sessionStorage"}}
