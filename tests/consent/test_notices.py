"""Notices: versioned, exact, readable for good (R30, R34, R38)."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from faceauth.consent.notices import Notice
from faceauth.errors import InvalidRequest, UnknownNotice, UnknownScenario
from faceauth.sections import ConsentSettings
from tests.consent.story import TENANT, Story
from tests.databases import Databases


@pytest.fixture
def story(database: Databases) -> Story:
    """The scenario `login` is installed."""
    story = Story()
    with database.data.begin() as conn:
        story.open(conn)
    return story


def _publish(story: Story, conn: Connection, text: str, **more: Any) -> Notice:
    facts: dict[str, Any] = {"scenario": "login", "notices": {"en": text}, "material": False} | more
    return story.notices.publish(conn, tenant=TENANT, now=story.now, **facts)


def test_every_version_stays_readable_at_its_hash(database: Databases, story: Story) -> None:
    """R38: the text comes back byte for byte, and the hash is over just those bytes."""
    text = "  Zwei Wörter.\r\n同意 🙂 \n"
    with database.data.begin() as conn:
        assert _publish(story, conn, text).version == 2
        assert _publish(story, conn, "Third.").version == 3
    with database.data.read() as conn:
        found = story.notices.version(conn, TENANT, "login", 2).text("en")
        assert found.text == text
        assert found.sha256 == hashlib.sha256(text.encode()).hexdigest()
        assert story.notices.version(conn, TENANT, "login", 1).locales == "en, zh"
        assert story.notices.current(conn, TENANT, "login", story.now).version == 3


def test_a_notice_comes_into_force_when_it_says(database: Databases, story: Story) -> None:
    """R34: not before its time, and never before it was published."""
    with database.data.begin() as conn:
        _publish(story, conn, "Later.", effective_at=story.now + timedelta(days=1), material=True)
        assert story.notices.current(conn, TENANT, "login", story.now).version == 1
        assert story.notices.superseded_by(conn, TENANT, "login", 1, story.now) is None
        story.later(days=1)
        assert story.notices.current(conn, TENANT, "login", story.now).version == 2
        assert story.notices.superseded_by(conn, TENANT, "login", 1, story.now) == 2
        back = _publish(story, conn, "Dated back.", effective_at=story.now - timedelta(days=9))
        assert back.effective_at == story.now
        assert story.notices.superseded_by(conn, TENANT, "login", 2, story.now) is None


@pytest.mark.parametrize("version", [0, -1, 2, 2**31, 2**70])
def test_unknown_versions_are_refused(database: Databases, story: Story, version: int) -> None:
    with database.data.read() as conn, pytest.raises(UnknownNotice):
        story.notices.version(conn, TENANT, "login", version)


def test_unknown_languages_and_scenarios_are_refused(database: Databases, story: Story) -> None:
    with database.data.begin() as conn:
        with pytest.raises(UnknownNotice, match="en, zh"):
            story.notices.current(conn, TENANT, "login", story.now).text("fr")
        with pytest.raises(UnknownNotice):
            story.notices.current(conn, TENANT, "door", story.now)
        with pytest.raises(UnknownScenario):
            _publish(story, conn, "Text.", scenario="door")
        story.scenarios.retire(conn, tenant=TENANT, scenario="login")
        with pytest.raises(UnknownScenario):
            _publish(story, conn, "Text.")


@pytest.mark.parametrize(
    "notices", [{}, {"en": ""}, {"en": " \n"}, {"en": "x" * 20_001}, {"e": "Text."}, {"en": "\0"}]
)
def test_what_nobody_can_read_is_no_notice(sqlite_database: Databases, notices: dict[str, str]) -> None:
    story = Story()
    with sqlite_database.data.begin() as conn:
        story.open(conn)
        with pytest.raises(InvalidRequest):
            _publish(story, conn, "", notices=notices)


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_the_builtin_notice_names_the_operator(sqlite_database: Databases, locale: str) -> None:
    """R28, R30: the hash is of the filled text, and no blank stays open."""
    settings = ConsentSettings(
        controller="Acme $1 Ltd", controller_contact="dpo@example.org", storage_place="Oslo", validity_days=90
    )
    story = Story(settings=settings)
    with sqlite_database.data.begin() as conn:
        story.open(conn)
        text = story.notices.current(conn, TENANT, "login", story.now).text(locale)
    assert text.sha256 == hashlib.sha256(text.text.encode()).hexdigest()
    for words in ("Acme $1 Ltd", "dpo@example.org", "Oslo", "90", "14"):
        assert words in text.text
    assert "${" not in text.text


def test_the_builtin_notice_without_settings_reads_in_one_language(sqlite_database: Databases) -> None:
    story = Story()
    with sqlite_database.data.begin() as conn:
        story.open(conn)
        notice = story.notices.current(conn, TENANT, "login", story.now)
    assert "operator of this service" in notice.text("en").text
    assert "operator" not in notice.text("zh").text
    # Both languages say the same things: one heading and the same number of paragraphs.
    assert notice.text("en").text.count("\n\n**") == notice.text("zh").text.count("\n\n**") == 10
