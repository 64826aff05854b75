"""The blocks of one place: where a new row goes, and how rows move on as the place grows.

A place starts with a block of a few rows. When its blocks are full, one of twice as many rows is added, by the
engine that suits the size, and each later change moves some rows over from the smaller ones: nothing is ever
rebuilt at once and no query waits.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from faceauth.vault.index.blocks import RANK, Block, Sizes, make_engine
from faceauth.vault.index.codebook import Codebook, Moments
from faceauth.vault.index.engine import Engine, EngineChoice, EngineName, Floats

ROW_BITS: Final = 24
"""A slot is a block's number and a row in one integer, for a tuple for each of a million references weighs."""

_WORTH_MAKING_BEFORE: Final = 4_096
"""Rows from which on a block is made without the lock: its memory has to be written once."""


class Place(NamedTuple):
    """What shares a search: references of another tenant, scenario or model are never compared (R23)."""

    tenant: str
    scenario: str
    model_digest: bytes


class Directory:
    """Where each reference is: the slot by its id, and the blocks and partitions by the blocks' numbers."""

    def __init__(self) -> None:
        self.slots: dict[str, int] = {}
        self.blocks: dict[int, tuple[Partition, Block]] = {}
        self._numbers = 0

    def number(self) -> int:
        """Return a number no block had before."""
        self._numbers += 1
        return self._numbers

    def find(self, reference_id: str) -> tuple["Partition", Block, int] | None:
        """Return where the reference is."""
        slot = self.slots.get(reference_id)
        if slot is None:
            return None
        partition, block = self.blocks[slot >> ROW_BITS]
        return partition, block, slot & ((1 << ROW_BITS) - 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """The next block: its engine, and for how many rows."""

    name: EngineName
    capacity: int


class Partition:
    """The rows of one place. Whoever calls holds the index's lock."""

    __slots__ = (
        *("_choice", "_codebook", "_directory", "_expected", "_moments", "_sizes", "_spare"),
        *("blocks", "count", "dimension", "people", "place"),
    )

    def __init__(
        self, place: Place, dimension: int, directory: Directory, sizes: Sizes, choice: EngineChoice
    ) -> None:
        self.place = place
        self.dimension = dimension
        self.blocks: list[Block] = []
        self.people: Counter[str] = Counter()
        self.count = 0
        self._directory = directory
        self._sizes = sizes
        self._choice = choice
        self._expected = 0
        self._moments: Moments | None = None
        self._codebook: Codebook | None = None
        self._spare: Engine | None = None

    def put(self, reference_id: str, account: str, vector: Floats) -> None:
        """Take a row for a reference that has none."""
        block = next((block for block in reversed(self.blocks) if block.room), None) or self._grow(self.count + 1)
        row = block.claim(reference_id, account)
        block.engine.put(row, vector)
        self._learn(vector[None])
        self._note(reference_id, account, block, row)
        self.move_on()

    def put_many(self, ids: Sequence[str], accounts: Sequence[str], vectors: Floats) -> None:
        """Take rows in a line for references that have none."""
        done = 0
        while done < len(ids):
            block = next((block for block in reversed(self.blocks) if block.unbroken_room), None)
            block = block or self._grow(self.count + len(ids) - done)
            end = min(len(ids), done + block.unbroken_room)
            first = block.claim_line(ids[done:end], accounts[done:end])
            block.engine.put_many(first, vectors[done:end])
            self._learn(vectors[done:end])
            for row, at in enumerate(range(done, end), first):
                self._note(ids[at], accounts[at], block, row)
            done = end
        self.move_on(len(ids))

    def _note(self, reference_id: str, account: str, block: Block, row: int) -> None:
        self._directory.slots[reference_id] = block.number << ROW_BITS | row
        self.people[account] += 1
        self.count += 1

    def take_out(self, reference_id: str, block: Block, row: int) -> None:
        """Overwrite and forget the reference."""
        account = block.release(row)
        del self._directory.slots[reference_id]
        self.count -= 1
        self.people[account] -= 1
        if not self.people[account]:
            del self.people[account]
        self._drop_if_left(block)
        self.move_on()

    def close(self) -> None:
        """Give up the blocks of an empty place."""
        for block in self.blocks:
            del self._directory.blocks[block.number]
        self.blocks.clear()

    def expect(self, rows: int) -> None:
        """Plan for so many rows more, so that the engine that suits them all is chosen from the start."""
        self._expected = self.count + rows

    def due(self, coming: int) -> Callable[[], Codebook | Engine] | None:
        """Return what makes something that `coming` rows more will need, for `accept`.

        It takes long, so it is to be called without the lock.
        """
        sizes = self._sizes
        if self._codebook is None and self._moments is not None and self._moments.count >= sizes.learned_from:
            return partial(Codebook.fit, self._moments)
        plan = self._plan(self.count + coming)
        if plan.capacity < _WORTH_MAKING_BEFORE or sum(block.room for block in self.blocks) >= coming:
            return None
        if self._spare_for(plan) is not None:
            return None
        return partial(make_engine, plan.name, plan.capacity, self.dimension, self._codebook, sizes.depth)

    def accept(self, made: Codebook | Engine) -> None:
        """Keep what `due` asked for, unless another thread was faster."""
        if isinstance(made, Codebook):
            self._codebook = self._codebook or made
            # Sums over people are not kept for longer than needed either.
            self._moments = None
        else:
            self._spare = made

    def _learn(self, vectors: Floats) -> None:
        """Sum up what codes are learned from, once the place is about to be large enough for them."""
        sizes = self._sizes
        if self._codebook is not None or self._choice not in {"auto", "codes"}:
            return
        if self._moments is None:
            from_here = sizes.small if self._choice == "codes" else sizes.exact_below
            if max(self.count, self._expected) < from_here:
                return
            self._moments = Moments(self.dimension)
        if self._moments.count < sizes.learned_from:
            self._moments.add(vectors)

    def _plan(self, total: int) -> Plan:
        """Return the next block for a place that will have `total` rows. Neither rank nor size ever falls."""
        sizes = self._sizes
        total = max(total, self._expected)
        name = sizes.engine_for(total, self._choice)
        largest = sizes.largest_codes if name == "codes" else sizes.largest_block
        if name == "codes" and self._codebook is None:
            # Only until enough was learned for codes.
            name, largest = "fp16", min(sizes.largest_block, sizes.learned_from)
        last = self.blocks[-1].engine.name if self.blocks else name
        if RANK[last] > RANK[name]:
            name = last
        # Twice what is there, or what is told to come and an eighth; small blocks will go over into it.
        wanted = max(2 * self.count, sizes.smallest_block, self._expected + self._expected // 8)
        return Plan(name, min(wanted, largest))

    def _spare_for(self, plan: Plan) -> Engine | None:
        """Return the spare block if it serves the plan, which may have grown a little since."""
        spare = self._spare
        fits = spare is not None and spare.name == plan.name and 2 * spare.capacity >= plan.capacity
        return spare if fits else None

    def _grow(self, total: int) -> Block:
        """Add a block, and let smaller ones and those of a lower engine go over into it."""
        plan = self._plan(total)
        engine = self._spare_for(plan) or make_engine(
            plan.name, plan.capacity, self.dimension, self._codebook, self._sizes.depth
        )
        self._spare = None
        for block in self.blocks:
            block.leaving |= 2 * block.engine.capacity <= engine.capacity or block.engine.name != engine.name
        block = Block(self._directory.number(), engine)
        self.blocks.append(block)
        self._directory.blocks[block.number] = (self, block)
        for old in list(self.blocks):
            self._drop_if_left(old)
        return block

    def move_on(self, changes: int = 1) -> None:
        """Move some rows from a block that is leaving into the newest.

        Only into the newest: a search goes through the blocks in the order they were made, so it meets a row that
        moves meanwhile in the old block or in the new one, or in both.
        """
        leaving = next((block for block in self.blocks if block.leaving), None)
        if leaving is None:
            return
        target, scratch = self.blocks[-1], np.zeros(self.dimension, np.float32)
        for _ in range(changes * self._sizes.moved_per_change):
            if not target.room or (row := leaving.next_to_leave()) is None:
                break
            reference_id, account = leaving.whose(row)
            leaving.engine.read(row, scratch)
            new = target.claim(reference_id, account)
            target.engine.put(new, scratch)
            self._directory.slots[reference_id] = target.number << ROW_BITS | new
            leaving.release(row, moved=True)
        # The vector is nobody's business any more once its row is overwritten.
        scratch[:] = 0
        self._drop_if_left(leaving)

    def _drop_if_left(self, block: Block) -> None:
        if block.leaving and not block.used:
            self.blocks.remove(block)
            del self._directory.blocks[block.number]
