"""Names from outside that no database should ever see (R58): each is unknown or refused, none is a failure."""

import dataclasses

import pytest

from faceauth.consent.notices import NoticeStore
from faceauth.errors import ConsentInvalid, ConsentRequired, InvalidRequest, UnknownAccount, UnknownNotice
from faceauth.errors import UnknownScenario as Unknown
from tests.consent.story import ANN, START, TENANT, Story
from tests.databases import Databases

ODD = ["", "a\x00b", "\ud800", "x" * 70_000, "'; DROP TABLE accounts; --", "a/../b"]


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_simply_unknown(database: Databases, name: str) -> None:
    story = Story()
    with database.data.begin() as conn:
        story.open(conn)
        request = story.request(conn)
        with pytest.raises(UnknownAccount):
            story.accounts.get(conn, TENANT, name)
        assert not story.accounts.exists(conn, TENANT, name)
        with pytest.raises(Unknown):
            story.scenarios.get(conn, TENANT, name)
        with pytest.raises(UnknownNotice):
            NoticeStore().version(conn, TENANT, name, 1)
        with pytest.raises(UnknownNotice):
            NoticeStore().current(conn, TENANT, name, START)
        with pytest.raises(Unknown):
            story.gate.ask(conn, tenant=TENANT, account=ANN, scenario=name)
        with pytest.raises(ConsentRequired):
            story.gate.ask(conn, tenant=TENANT, account=name, scenario="login")
        with pytest.raises(UnknownAccount):
            story.ledger.record(conn, tenant=TENANT, account=name, request=request)
        with pytest.raises(Unknown):
            story.ledger.record(
                conn, tenant=TENANT, account=ANN, request=dataclasses.replace(request, scenario=name)
            )
        assert story.ledger.history(conn, TENANT, name) == ()
        for account, scenario in ((ANN, name), (name, "login")):
            assert story.ledger.withdraw(conn, tenant=TENANT, account=account, scenario=scenario) is None
            assert story.ledger.state(conn, TENANT, account, scenario) is None


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_odd_texts_are_refused(database: Databases, text: str) -> None:
    story = Story()
    with database.data.begin() as conn:
        story.open(conn)
        request = story.request(conn)
        affirmation = dataclasses.replace(request.affirmation, text=text)
        for change in ({"affirmation": affirmation}, {"locale": text}, {"notice_sha256": text}):
            with pytest.raises(ConsentInvalid):
                story.ledger.record(
                    conn, tenant=TENANT, account=ANN, request=dataclasses.replace(request, **change)
                )
        with pytest.raises(InvalidRequest):
            story.accounts.ensure(conn, tenant=TENANT, account=ANN, contact=text, now=START)
        with pytest.raises(InvalidRequest):
            story.notices.publish(
                conn, tenant=TENANT, scenario="login", notices={"en": text}, material=False, now=START
            )


def test_what_still_reaches_the_database_is_a_bad_request(database: Databases) -> None:
    """R58: the last net: what a column cannot hold is the sender's error, not the storage's."""
    with pytest.raises(InvalidRequest, match="cannot be stored"), database.data.begin() as conn:
        NoticeStore().current(conn, "\ud800", "login", START)
