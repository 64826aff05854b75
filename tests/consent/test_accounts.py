"""Accounts carry the application's names and the few facts that consent needs."""

from datetime import date
from typing import Any

import pytest

from faceauth.consent.accounts import AccountStore
from faceauth.consent.ages import age
from faceauth.errors import InvalidRequest, UnknownAccount
from tests.consent.story import ANN, START, TENANT, Story
from tests.databases import Databases


@pytest.fixture
def store(database: Databases) -> AccountStore:
    """Ann is there."""
    with database.data.begin() as conn:
        Story().open(conn)
    return AccountStore()


def test_ensuring_twice_keeps_what_is_not_said_again(database: Databases, store: AccountStore) -> None:
    with database.data.begin() as conn:
        facts: dict[str, Any] = {"locale": "zh-Hans", "birth_date": date(1990, 5, 1), "contact": "ann@example.org"}
        store.ensure(conn, tenant=TENANT, account=ANN, **facts, now=START)
        again = store.ensure(conn, tenant=TENANT, account=ANN, guardian={"name": "Eve"}, now=START)
    assert (again.locale, again.birth_date, again.contact) == tuple(facts.values())
    assert again.guardian == {"name": "Eve"}
    assert "1990" not in repr(again)
    with database.data.read() as conn:
        assert store.get(conn, TENANT, ANN) == again


def test_tenants_do_not_see_each_other(database: Databases, store: AccountStore) -> None:
    with database.data.read() as conn:
        assert store.exists(conn, TENANT, ANN)
        assert not store.exists(conn, "other", ANN)
        with pytest.raises(UnknownAccount):
            store.get(conn, "other", ANN)


@pytest.mark.parametrize(
    "facts",
    [
        {"account": ""},
        {"account": "x" * 201},
        {"account": "a b"},
        {"account": "a/b"},
        {"account": "änn"},
        {"account": "ann\n"},
        {"locale": "english, please"},
        {"birth_date": date(2026, 3, 2)},
        {"birth_date": date(1875, 1, 1)},
        {"contact": " "},
        {"contact": "x" * 321},
        {"contact": "two\nlines"},
        {"guardian": {}},
        {"guardian": {"name": " "}},
        {"guardian": {"name": "x" * 2000}},
        {"guardian": {"name": "Eve", "since": date(2026, 1, 1)}},
    ],
)
def test_malformed_facts_are_refused(sqlite_database: Databases, facts: dict[str, Any]) -> None:
    with sqlite_database.data.begin() as conn:
        Story().open(conn)
        facts = {"account": ANN} | facts
        with pytest.raises(InvalidRequest):
            AccountStore().ensure(conn, tenant=TENANT, now=START, **facts)


@pytest.mark.parametrize("account", ["a", "x" * 200, "user:42", "ann@example.org", "+49.1-2_3"])
def test_these_names_are_taken(sqlite_database: Databases, account: str) -> None:
    with sqlite_database.data.begin() as conn:
        Story().open(conn)
        AccountStore().ensure(conn, tenant=TENANT, account=account, now=START)


def test_age_counts_whole_years() -> None:
    """R35 hangs on the very day."""
    born = date(2012, 2, 29)
    assert age(born, date(2026, 2, 28)) == 13
    assert age(born, date(2026, 3, 1)) == 14
    assert age(date(2012, 3, 1), date(2026, 3, 1)) == 14
