"""Small bar charts for the console: the geometry is made here, a template draws it, and no script is needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

WIDTH: Final = 360
"""About as many units as a phone has CSS pixels, so that words are drawn at their own size there."""

HEIGHT: Final = 150
_LEFT: Final = 40
_FOOT: Final = 20
_TOP: Final = 10
_LABELS: Final = 8
"""How many labels stand below a chart at most: more would run into each other on a phone (own figure)."""


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a bar, in the drawing's own units; `kind` is a style class."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A word at a place of the drawing."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn: blocks, the words below them, and the words and lines of the scale."""

    blocks: tuple[Block, ...]
    labels: tuple[Mark, ...]
    scale: tuple[Mark, ...]
    kinds: tuple[str, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT


def bars(columns: Sequence[tuple[str, Sequence[int]]], kinds: Sequence[str]) -> Chart:
    """Return a chart of columns, each with what stands on top of each other in it, from the bottom.

    Args:
        columns: A label and one number for each kind.
        kinds: The style class of each number.
    """
    most = round_up(max((sum(values) for _, values in columns), default=0))
    floor, tall = HEIGHT - _FOOT, HEIGHT - _FOOT - _TOP
    step = (WIDTH - _LEFT) / max(1, len(columns))
    blocks, labels = [], []
    every = ceil(len(columns) / _LABELS)
    for number, (label, values) in enumerate(columns):
        x, y = _LEFT + number * step, float(floor)
        for kind, value in zip(kinds, values, strict=True):
            height = tall * value / most
            y -= height
            if value:
                blocks.append(
                    Block(kind, round(x + step * 0.1, 1), round(y, 1), round(step * 0.8, 1), round(height, 1))
                )
        if number % every == 0:
            labels.append(Mark(label, round(x + step / 2, 1), HEIGHT - 6))
    scale = tuple(Mark(f"{most * part // 2:,}", _LEFT - 6, floor - tall * part / 2) for part in (0, 1, 2))
    return Chart(tuple(blocks), tuple(labels), scale, tuple(kinds))


def round_up(most: int) -> int:
    """Return the end of a scale: 2, or the next of 2, 4, 6, 8, 10, 20, 40 … that is as large as `most`."""
    size: int = 10 ** (len(str(max(1, most))) - 1)
    ends = (2 * size, 4 * size, 6 * size, 8 * size, 10 * size)
    return next(end for end in ends if end >= most)
