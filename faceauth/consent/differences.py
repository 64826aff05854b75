"""What changed between two versions of a notice: its words, by line and within lines, and what it promises."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, Literal

Kind = Literal["same", "gone", "new"]

WORDS: Final = 2_000
"""Words of one line that are compared one by one; longer lines count as changed whole. Own figure: no line that
people read is so long, and the time to compare grows with the square."""

ALIKE: Final = 0.5
"""Share of the words that two lines have in common from which on one is told as the other changed. Own figure."""

_WORD: Final = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+|\s+|[^\w\s]")
"""A word, a Chinese character, a space or a mark."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words that stayed, went or came."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of either text; of a line that was changed, `pieces` say what in it."""

    kind: Kind
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """A part of the substance that changed; None where a version did not write it down."""

    name: str
    before: Any
    after: Any


def between(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[Line, ...]]:
    """Return what changed in the texts of two versions, by language; one that only one has came or went whole."""
    return {
        locale: lines(before.get(locale, ""), after.get(locale, ""))
        for locale in sorted(before.keys() | after.keys())
    }


def promises(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[Promise, ...]:
    """Return the parts of the substance that differ, as `Substance.as_json` names them."""
    old, new = before or {}, after or {}
    return tuple(
        Promise(name, old.get(name), new.get(name)) for name in old or new if old.get(name) != new.get(name)
    )


def lines(before: str, after: str) -> tuple[Line, ...]:
    """Return every line of both texts in order: what stayed once, what changed as it was and as it is."""
    return tuple(_lines(before.splitlines(), after.splitlines()))


def _lines(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    for kind, start, end, begin, stop in SequenceMatcher(None, old, new).get_opcodes():
        gone, came = old[start:end], new[begin:stop]
        if kind == "equal":
            yield from (Line("same", (Piece("same", text),)) for text in gone)
            continue
        both = min(len(gone), len(came))
        for was, now in zip(gone, came, strict=False):
            yield from _changed(was, now)
        yield from (Line("gone", (Piece("gone", text),)) for text in gone[both:])
        yield from (Line("new", (Piece("new", text),)) for text in came[both:])


def _changed(was: str, now: str) -> Iterator[Line]:
    old, new = _WORD.findall(was), _WORD.findall(now)
    match = SequenceMatcher(None, old, new, autojunk=False)
    if max(len(old), len(new)) > WORDS or match.ratio() < ALIKE:
        yield Line("gone", (Piece("gone", was),))
        yield Line("new", (Piece("new", now),))
        return
    steps = match.get_opcodes()
    yield Line("gone", _pieces("gone", [(kind, old[start:end]) for kind, start, end, _, _ in steps]))
    yield Line("new", _pieces("new", [(kind, new[begin:stop]) for kind, _, _, begin, stop in steps]))


def _pieces(changed: Kind, steps: Sequence[tuple[str, Sequence[str]]]) -> tuple[Piece, ...]:
    return tuple(Piece("same" if kind == "equal" else changed, "".join(words)) for kind, words in steps if words)
