"""The data inventory cannot lie: it is made from the tables, and a column without an annotation is a fault."""

import re

import pytest

from faceauth.db.annotations import LONG, TABLES
from faceauth.inventory import CLASSES, Language, class_of, every_column, inventory
from faceauth.settings import Settings

COLUMNS = {table: set(columns) for _, table, columns in every_column()}


@pytest.mark.parametrize("table", sorted(COLUMNS))
def test_every_column_has_its_class_and_every_class_its_column(table: str) -> None:
    """Issue 6, item 8: whoever adds a column says in faceauth/db/annotations.py what it holds about people."""
    assert table in TABLES, f"{table} has no line in faceauth/db/annotations.py"
    named = [name for names in TABLES[table].columns.values() for name in names.split()]
    assert sorted(named) == sorted(COLUMNS[table])


def test_a_column_that_nobody_described_is_a_fault() -> None:
    with pytest.raises(LookupError, match=r"accounts\.shoe_size"):
        class_of("accounts", "shoe_size")
    with pytest.raises(LookupError, match=r"shoes\.size"):
        class_of("shoes", "size")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_table_is_told_with_all_its_columns(language: Language) -> None:
    told = inventory(Settings(), language)
    assert {one.table for one in told} == set(COLUMNS)
    for one in told:
        assert {name for _, names in one.columns for name in names} == COLUMNS[one.table]
        assert one.how_long
        assert one.why
        assert not re.search(r"[{}]", one.how_long + one.why)


def test_what_says_most_about_people_comes_first() -> None:
    told = inventory(Settings(), "en")
    assert {one.table for one in told[:2]} == {"biometric_references", "seen_views"}
    assert told[-1].columns[0][0] == CLASSES["technical"][0]
    assert {one.table for one in told if one.where == "key database"} == {"data_keys", "erasures"}


def test_the_times_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEAUTH_RETENTION__INACTIVITY_DAYS", "77")
    (faces,) = [one for one in inventory(Settings(), "en") if one.table == "biometric_references"]
    assert "77 days" in faces.how_long


def test_every_phrase_is_there_in_both_languages() -> None:
    for english, chinese in [*LONG.values(), *(one.why for one in TABLES.values())]:
        assert re.search(r"[a-z]", english)
        assert re.search(r"[一-鿿]", chinese)
    assert {one.how_long for one in TABLES.values()} <= set(LONG)
    for english, chinese in LONG.values():
        assert re.findall(r"\{\w+\}", english) == re.findall(r"\{\w+\}", chinese)
