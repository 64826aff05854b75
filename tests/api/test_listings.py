"""The pages that list what is kept and what is put into browsers: made from the code, read without a login."""

import ast
from pathlib import Path

import pytest

import faceauth
from faceauth.api.routes.listings import COOKIES, INVENTORY, RETENTION, cookies
from faceauth.db.schema import KEY_METADATA, METADATA
from faceauth.schedule import schedule
from tests.api.conftest import Service

PACKAGE = Path(faceauth.__file__).parent


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_inventory_names_every_field(service: Service, language: str) -> None:
    shown = service.http.get("/ui/inventory", headers={"Accept-Language": language})
    assert shown.status_code == 200
    assert f'<html lang="{language}">' in shown.text
    for metadata in (METADATA, KEY_METADATA):
        for table in metadata.tables.values():
            assert f">{table.name}<" in shown.text
            assert all(column.name in shown.text for column in table.columns)


def test_the_language_can_be_chosen(service: Service) -> None:
    chinese = service.http.get("/ui/cookies?lang=zh", headers={"Accept-Language": "en"}).text
    assert COOKIES["zh"]["title"] in chinese
    assert COOKIES["zh"]["other"] in chinese
    assert service.http.get("/ui/cookies?lang=xx").status_code == 422


@pytest.mark.parametrize(("language", "term"), [("en", "90 days"), ("zh", "90 天")])
def test_how_long_what_is_kept_is_told_in_the_readers_language(service: Service, language: str, term: str) -> None:
    """R39: from the settings, for everybody."""
    shown = service.http.get("/ui/retention", headers={"Accept-Language": language}).text
    assert str(RETENTION[language]["title"]) in shown
    assert term in shown
    both = [schedule(service.installation, one) for one in ("en", "zh")]
    assert len(both[0]) == len(both[1])
    assert not any(word in term.what + term.how_long for term in both[1] for word in ("days", "account", "{"))


def test_both_languages_say_the_same_things() -> None:
    for texts in (INVENTORY, RETENTION, COOKIES):
        assert texts["en"].keys() == texts["zh"].keys()
        assert len(texts["en"]["headings"]) == len(texts["zh"]["headings"])


def test_the_page_tells_the_cookies_that_are_set(service: Service) -> None:
    """Issue 6, item 9: strictly necessary, HttpOnly, SameSite, and Secure where there is TLS; listed on a page."""
    settings = service.installation.settings
    login, console = cookies(service.installation)
    assert login.seconds == settings.openid.login_s
    assert console.seconds == settings.console.longest_hours * 3600
    shown = service.http.get("/ui/cookies").text
    for one, site in ((login, "Lax"), (console, "Strict")):
        assert {"HttpOnly", f"SameSite={site}"} <= set(one.protection.split(", "))
        assert ("Secure" in one.protection) is settings.issuer.startswith("https://")
        for told in (one.name, one.protection, f"{one.seconds / 60:g} minutes"):
            assert told in shown


def test_no_other_cookie_is_set_anywhere() -> None:
    """What the page says is all there is: one call for each in the whole package makes it."""
    calls = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "set_cookie"
    ]
    assert sorted(calls) == ["api/browser.py", "api/console/cookie.py"]
