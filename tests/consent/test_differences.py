"""What changed between two notices: nothing is lost, and what stayed is not marked."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from faceauth.consent.differences import WORDS, Line, lines, promises
from faceauth.consent.substance import Substance


def side(found: tuple[Line, ...], wanted: str) -> list[str]:
    """One of the two texts, put together again from its lines."""
    return ["".join(piece.text for piece in line.pieces) for line in found if line.kind in {"same", wanted}]


@given(st.text("ab 面\n,", max_size=80), st.text("ab 面\n,", max_size=80))
def test_both_texts_can_be_put_together_again(before: str, after: str) -> None:
    found = lines(before, after)
    assert side(found, "gone") == before.splitlines()
    assert side(found, "new") == after.splitlines()


def marked(found: tuple[Line, ...]) -> list[tuple[str, str]]:
    return [(piece.kind, piece.text) for line in found for piece in line.pieces if piece.kind != "same"]


def test_a_changed_word_is_marked_alone() -> None:
    assert marked(lines("# A\nKept 90 days.\nEnd", "# A\nKept 180 days.\nEnd")) == [("gone", "90"), ("new", "180")]
    assert marked(lines("保存九十天", "保存三十天")) == [("gone", "九"), ("new", "三")]
    assert marked(lines("Who asks: a shop", "Kept here")) == [("gone", "Who asks: a shop"), ("new", "Kept here")]
    assert marked(lines("same\ntext", "same\ntext")) == []
    assert marked(lines("", "a new line")) == [("new", "a new line")]


def test_an_overlong_line_changes_whole() -> None:
    long = "a " * WORDS
    assert [line.kind for line in lines(long, long + "b")] == ["gone", "new"]


def test_what_is_promised_otherwise_is_named() -> None:
    before = of("Shop", (), {"en": "Login"}, "face recognition, verify", 90, "Here")
    after = of("Shop", ("A bank",), {"en": "Login"}, "face recognition, verify", 180, "Here")
    assert [one.name for one in promises(before, after)] == ["recipients", "retention_days"]
    assert promises(before, before) == ()
    assert {one.before for one in promises(None, before) if one.name != "purpose"} == {None}


def of(*values: Any) -> dict[str, object]:
    return Substance(*values).as_json()
