"""Scenarios: one purpose each."""

from typing import Any

import pytest

from faceauth.errors import AlreadyExists, InvalidRequest, UnknownScenario
from faceauth.sections import ConsentSettings
from tests.consent.story import TENANT, Story
from tests.databases import Databases

DOOR: dict[str, Any] = {
    "tenant": TENANT,
    "scenario": "door",
    "mode": "identify",
    "titles": {"en": "The door", "zh": "门禁"},
    "retention_days": 30,
    "liveness_profile": "motion",
    "notices": {"en": "May we open the door by your face?"},
}


def test_the_builtin_one_is_made_once(database: Databases) -> None:
    story = Story(settings=ConsentSettings(validity_days=5000))
    with database.data.begin() as conn:
        first = story.scenarios.install_builtin(conn, tenant=TENANT, now=story.now)
        story.later(days=1)
        assert story.scenarios.install_builtin(conn, tenant=TENANT, now=story.now) == first
        assert story.notices.current(conn, TENANT, "login", story.now).version == 1
    assert (first.mode, first.state, first.liveness_profile) == ("verify", "active", "motion+flash")
    assert first.retention_days == 1095  # however long the settings say, R39's longest


def test_one_can_be_added_and_retired(database: Databases) -> None:
    """R34: it is there with its first notice; retired, it stays readable (R38)."""
    story = Story()
    with database.data.begin() as conn:
        story.open(conn)
        door = story.scenarios.create(conn, **DOOR, now=story.now)
        assert story.notices.current(conn, TENANT, "door", story.now).material
        assert [s.scenario for s in story.scenarios.list(conn, TENANT)] == ["door", "login"]
        with pytest.raises(AlreadyExists):
            story.scenarios.create(conn, **DOOR, now=story.now)
        for _ in range(2):
            assert story.scenarios.retire(conn, tenant=TENANT, scenario="door").state == "retired"
        assert story.scenarios.get(conn, TENANT, "door").titles == door.titles
        assert story.notices.version(conn, TENANT, "door", 1).text("en").text == DOOR["notices"]["en"]
        with pytest.raises(AlreadyExists):
            story.scenarios.create(conn, **DOOR, now=story.now)
        with pytest.raises(UnknownScenario):
            story.scenarios.retire(conn, tenant=TENANT, scenario="nothing")
        with pytest.raises(UnknownScenario):
            story.scenarios.get(conn, "other", "door")


@pytest.mark.parametrize(
    "change",
    [
        {"scenario": "Door"},
        {"scenario": ""},
        {"scenario": "x" * 65},
        {"scenario": "a/b"},
        {"mode": "watch"},
        {"retention_days": 0},
        {"retention_days": 1096},
        {"titles": {}},
        {"titles": {"en": " "}},
        {"titles": {"1": "Door"}},
        {"notices": {}},
    ],
)
def test_malformed_ones_leave_nothing(sqlite_database: Databases, change: dict[str, Any]) -> None:
    story = Story()
    with sqlite_database.data.begin() as conn:
        story.open(conn)
    with pytest.raises(InvalidRequest), sqlite_database.data.begin() as conn:
        story.scenarios.create(conn, **(DOOR | change), now=story.now)
    with sqlite_database.data.read() as conn:
        assert len(story.scenarios.list(conn, TENANT)) == 1
