"""The policy's clauses lead to code and tests that are there; the assessment names whatever is kept."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from faceauth.audit.events import Event
from faceauth.db.schema import KEY_METADATA, METADATA

ROOT = Path(__file__).resolve().parent.parent
POLICY = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
ASSESSMENT = (ROOT / "docs" / "dpia.md").read_text(encoding="utf-8")
WORDS_IN_A_ROW = 10
"""So many words in a row that are also in the policy we grew out of are no words of our own."""


def rows(page: str) -> list[list[str]]:
    """Return the cells of each row of each table, without headings."""
    lines = [line.strip("| ").split(" | ") for line in page.splitlines() if re.match(r"\| (?!---)", line)]
    return [[cell.strip() for cell in line] for line in lines if line[0] != "clause"]


CLAUSES = rows(POLICY)


@cache
def functions_in(path: str) -> frozenset[str]:
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def problems(clause: list[str]) -> list[str]:
    """Say what is wrong with a clause's row, if anything."""
    text = " ".join(clause)
    code = re.findall(r"`(faceauth/[\w./]+)`", text)
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    wrong = [path for path in code if not (ROOT / path).is_file()]
    wrong += [f"{path}::{name}" for path, name in tests if name not in functions_in(path)]
    set_aside = re.search(r"\*(outside|not built)\*", text, re.IGNORECASE)
    if bool(code) != bool(tests) or not (set_aside or tests):
        wrong.append("names code without a test, a test without code, or neither")
    return wrong


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause[0][:40])
def test_each_clause_names_code_and_tests_that_are_there_or_says_why_not(clause: list[str]) -> None:
    assert problems(clause) == []


@pytest.mark.parametrize(
    "clause",
    [
        ["1", "asks", "`faceauth/consent/mercy.py`", "`tests/test_policy.py::rows`"],
        ["1", "asks", "`faceauth/types.py`", "`tests/test_policy.py::test_that_nobody_wrote`"],
        ["1", "asks", "`faceauth/types.py`", ""],
        ["1", "asks nothing that anybody keeps"],
    ],
)
def test_a_clause_that_leads_nowhere_is_noticed(clause: list[str]) -> None:
    assert problems(clause) != []


def test_every_part_of_the_policy_is_there() -> None:
    assert re.findall(r"^## Parts? ([IV]+)(?: and ([IV]+))?", POLICY, re.MULTILINE) == [
        ("I", ""),
        ("II", ""),
        ("III", ""),
        ("IV", ""),
        ("V", "VI"),
    ]
    assert len(CLAUSES) > 40


def test_no_sentence_of_the_policy_is_copied(shared: Path) -> None:
    """The words are our own, here and in every other page."""
    theirs = _runs((shared / "privacy-policy.txt").read_text(encoding="utf-8"))
    for page in [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "faceauth/consent/texts").glob("*.md"),
    ]:
        assert not theirs & _runs(page.read_text(encoding="utf-8")), page.name


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z']+", text.lower())
    return {tuple(words[at : at + WORDS_IN_A_ROW]) for at in range(len(words) - WORDS_IN_A_ROW + 1)}


def test_the_assessment_names_every_table() -> None:
    named = set(re.findall(r"`(\w+)`", "\n".join(row[0] for row in rows(ASSESSMENT))))
    assert {
        table.name for metadata in (METADATA, KEY_METADATA) for table in metadata.tables.values()
    } - named == set()


@pytest.mark.parametrize("page", [POLICY, ASSESSMENT], ids=["policy", "dpia"])
def test_the_events_that_are_named_exist(page: str) -> None:
    assert set(re.findall(r"`(\w+:\w+:\w+)`", page)) <= set(Event)
