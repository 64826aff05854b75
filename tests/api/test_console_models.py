"""The console's page about models: what serves, what was measured, who is enrolled, how far a change is."""

import re
from typing import Any
from unittest.mock import MagicMock

import pytest

from faceauth import packs
from faceauth.embed.manifest import load_manifest
from faceauth.packs import Packs
from faceauth.vault.enrolled import Enrolled
from tests.api.conftest import Service
from tests.api.test_console import Browser, browser

__all__ = ["browser"]

OPEN = load_manifest().packs["open"]
OLD = b"o" * 32


@pytest.fixture
def enrolled(monkeypatch: pytest.MonkeyPatch) -> dict[bytes, tuple[Enrolled, ...]]:
    """Who is enrolled with which model, as the database would tell; a test fills it."""
    found: dict[bytes, tuple[Enrolled, ...]] = {}
    monkeypatch.setattr(packs, "models_enrolled", lambda _: tuple(found))
    monkeypatch.setattr(packs, "count_enrolled", lambda _, model_digest: found[model_digest])
    return found


@pytest.fixture
def serving(service: Service) -> Service:
    """The service with the pack `open`, as its manifest describes it."""
    stand_in: Any = service.installation.pack
    stand_in.name = "open"
    return service


def test_every_pack_with_its_licence_digest_and_points(serving: Service, browser: Browser) -> None:
    """R3, R24: each point with n and interval, and no threshold."""
    browser.sign_in("auditor")
    shown = browser.get("/models").text
    assert 'open <span class="badge good">in use' in shown
    for spec in load_manifest().all.values():
        assert spec.licence in shown.replace("&#39;", "'").replace("&amp;", "&")
    assert OPEN.pack_digest().hex() in shown
    for name, point in OPEN.operating_points.items():
        assert name in shown
        assert f"n = {point.comparisons:,}" in shown
        assert f"n = {point.mated:,}" in shown
        assert str(point.threshold) not in shown
    assert "Nobody is enrolled with it." in shown


def test_who_is_enrolled_is_told_where_it_is_not_few(
    serving: Service, browser: Browser, enrolled: dict[bytes, tuple[Enrolled, ...]]
) -> None:
    """No number of fewer people than a group that may be told of; another tenant's are not counted."""
    enrolled[OPEN.model_digest()] = (
        Enrolled("default", "login", 1204, 3612),
        Enrolled("default", "door", 9, 27),
        Enrolled("other", "login", 5000, 9000),
    )
    enrolled[OLD] = (Enrolled("default", "login", 11, 33),)
    browser.sign_in("operator")
    shown = browser.get("/models").text
    assert re.search(r"login</th><td[^>]*>1,204</td><td[^>]*>3,612</td>", shown)
    assert re.search(r"door</th><td[^>]*>fewer than 10</td><td[^>]*>fewer than 10</td>", shown)
    assert "5,000" not in shown
    assert OLD.hex() in shown


def test_how_far_a_change_of_model_is(serving: Service, enrolled: dict[bytes, tuple[Enrolled, ...]]) -> None:
    """The progress by scenario: who was moved to the new model, and who is left."""
    here: Any = MagicMock(wraps=serving.installation)
    here.settings, here.passive, here.data = (
        serving.installation.settings,
        None,
        serving.installation.data,
    )
    here.pack.name, here.pack.embedder.model_digest = "open", OPEN.model_digest()
    here.before.name, here.before.embedder.model_digest = "retail", OLD
    enrolled[OPEN.model_digest()] = (Enrolled("default", "login", 90, 270), Enrolled("default", "door", 20, 60))
    enrolled[OLD] = (Enrolled("default", "login", 10, 30), Enrolled("default", "gate", 3, 9))
    found = Packs.of(here).in_use(tenant="default")
    assert [(one.scenario, one.moved, one.left) for one in found.moving] == [
        ("door", 20, 0),
        ("gate", 0, None),
        ("login", 90, 10),
    ]
    assert {one.name: one.serves for one in found.packs if one.serves} == {"open": "now", "retail": "before"}
