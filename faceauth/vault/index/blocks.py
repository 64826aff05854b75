"""A block: an engine, and what its rows are of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Final

from faceauth.vault.index.codebook import Codebook
from faceauth.vault.index.codes import DEPTH, CodedRows
from faceauth.vault.index.engine import Engine, EngineChoice, EngineName
from faceauth.vault.index.exact import ExactRows
from faceauth.vault.index.scalar import HalfRows, Int8Rows

RANK: Final[dict[EngineName, int]] = {"exact": 0, "fp16": 1, "int8": 1, "codes": 2}
"""Rows only ever move to an engine of a higher rank, or to a larger block of the same."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows make which engine worth while; measured in docs/index-engines.md.

    Up to `small` rows nothing is gained by another engine than the exact one, so none is made whatever is set.
    Codes are learned from `learned_from` rows. `smallest_block` is the first block of a place; every next one is
    twice what is there, up to `largest_block`, or `largest_codes` for codes. `moved_per_change` rows leave a block
    that is too small with each change. `depth` rows are nominated by codes where the first leave a doubt.
    """

    small: int = 4_096
    exact_below: int = 20_000
    half_below: int = 50_000
    learned_from: int = 16_384
    smallest_block: int = 8
    largest_block: int = 65_536
    largest_codes: int = 1_048_576
    moved_per_change: int = 2
    depth: int = DEPTH

    def engine_for(self, rows: int, choice: EngineChoice) -> EngineName:
        """Return the engine for a place of so many rows."""
        if rows <= self.small or choice == "exact":
            return "exact"
        if choice != "auto":
            return choice
        if rows <= self.exact_below:
            return "exact"
        return "fp16" if rows <= self.half_below else "codes"


def make_engine(name: EngineName, capacity: int, dimension: int, codebook: Codebook | None, depth: int) -> Engine:
    """Return an empty block of the engine of this name; codes need a codebook."""
    if codebook is not None and name == "codes":
        return CodedRows(capacity, dimension, codebook, depth=depth)
    if name == "exact":
        return ExactRows(capacity, dimension)
    return Int8Rows(capacity, dimension) if name == "int8" else HalfRows(capacity, dimension)


class Block:
    """Rows of one engine, with their references' ids and accounts.

    A block that is `leaving` takes no new rows; its rows move on, and with the last one it is dropped. The id of a
    row that moved stays where it was, so that a search on its way still finds whom it saw there.
    """

    def __init__(self, number: int, engine: Engine) -> None:
        self.number = number
        self.engine = engine
        self.ids: list[str | None] = []
        self.accounts: list[str | None] = []
        self.used = 0
        self.leaving = False
        self._holes: list[int] = []
        self._next_to_leave = 0

    @property
    def room(self) -> int:
        """How many rows can still be taken."""
        return 0 if self.leaving else self.engine.capacity - self.used

    @property
    def unbroken_room(self) -> int:
        """How many rows in a line, from the first never used, can be taken."""
        return 0 if self.leaving else self.engine.capacity - len(self.ids)

    def claim(self, reference_id: str, account: str) -> int:
        """Take an empty row and return it."""
        if not self._holes:
            return self.claim_line((reference_id,), (account,))
        self.used += 1
        row = self._holes.pop()
        self.ids[row], self.accounts[row] = reference_id, intern(account)
        return row

    def claim_line(self, ids: Sequence[str], accounts: Sequence[str]) -> int:
        """Take rows never used, in a line, and return the first."""
        first = len(self.ids)
        self.ids.extend(ids)
        # One string for all references of an account.
        self.accounts.extend(map(intern, accounts))
        self.used += len(ids)
        return first

    def whose(self, row: int) -> tuple[str, str]:
        """Return the id and the account of a row in use."""
        reference_id, account = self.ids[row], self.accounts[row]
        if reference_id is None or account is None:
            raise LookupError(row)
        return reference_id, account

    def whose_now(self, rows: Iterable[int]) -> tuple[dict[int, str], list[str]]:
        """Return the ids of the rows in use, by row, and the ids of those that moved on; -1 is no row."""
        here, moved = {}, []
        for row in rows:
            reference_id = self.ids[row] if row >= 0 else None
            if reference_id is None:
                continue
            if self.accounts[row] is None:
                moved.append(reference_id)
            else:
                here[row] = reference_id
        return here, moved

    def release(self, row: int, *, moved: bool = False) -> str:
        """Overwrite a row in use, and return the account it was of."""
        _, account = self.whose(row)
        self.engine.clear(row)
        self.accounts[row] = None
        self.used -= 1
        if not moved:
            self.ids[row] = None
        if not self.leaving:
            self._holes.append(row)
        return account

    def next_to_leave(self) -> int | None:
        """Return a row in use of a block that is leaving, each one once; nothing at the end."""
        for row in range(self._next_to_leave, len(self.ids)):
            if self.accounts[row] is not None:
                self._next_to_leave = row + 1
                return row
        self._next_to_leave = len(self.ids)
        return None
