"""The blocks of one place: where a new row goes, and how rows move on as the place grows.

A place starts with a block of a few rows. When its blocks are full, one of twice as many rows is added, by the
engine that suits the size, and each later change moves some rows over from the smaller ones: nothing is ever
rebuilt at once and no query waits.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from faceauth.vault.index.blocks import RANK, Block, Sizes, make_engine
from faceauth.vault.index.engine import EngineChoice, Floats

ROW_BITS: Final = 24
"""A slot is a block's number and a row in one integer, for a tuple for each of a million references weighs."""


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


class Partition:
    """The rows of one place. Whoever calls holds the index's lock."""

    __slots__ = ("_choice", "_directory", "_sizes", "blocks", "count", "dimension", "people", "place")

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

    def put(self, reference_id: str, account: str, vector: Floats) -> None:
        """Take a row for a reference that has none."""
        block = next((block for block in reversed(self.blocks) if block.room), None) or self._grow(self.count + 1)
        row = block.claim(reference_id, account)
        block.engine.put(row, vector)
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
        """Make room for so many rows more, by the engine that suits them all together."""
        room = sum(block.room for block in self.blocks)
        while room < rows:
            room += self._grow(self.count + rows, at_least=rows - room).room

    def _grow(self, total: int, at_least: int = 0) -> Block:
        """Add a block for a place that will have `total` rows, and let smaller ones go over into it."""
        sizes = self._sizes
        last = self.blocks[-1].engine if self.blocks else None
        name = sizes.engine_for(total, self._choice)
        if last is not None and RANK[last.name] > RANK[name]:
            name = last.name
        capacity = min(max(2 * self.count, at_least, sizes.smallest_block), sizes.largest_block)
        for block in self.blocks:
            block.leaving |= block.engine.capacity < capacity or block.engine.name != name
        engine = make_engine(name, capacity, self.dimension)
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
