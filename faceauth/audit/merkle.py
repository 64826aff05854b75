"""The Merkle tree of RFC 9162, section 2.1: roots, and proofs that anybody can check.

A tree is given by the hashes of its complete subtrees: `subtree(level, index)` is the hash over the leaves from
index · 2^level on, 2^level of them. So whoever keeps some of them computes the rest from few.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from faceauth.errors import InvalidRequest

Subtree = Callable[[int, int], bytes]
"""Returns the 32 bytes of the complete subtree of 2^level leaves that begins at leaf index · 2^level."""

EMPTY: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry; its prefix keeps a leaf from passing for a node."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two neighbours."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the hash over a complete subtree's nodes of one level, 2^n of them."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def root(subtree: Subtree, size: int) -> bytes:
    """Return the root of the tree of the first `size` leaves."""
    return EMPTY if size == 0 else _hash(subtree, 0, size)


def inclusion_proof(subtree: Subtree, leaf: int, size: int) -> list[bytes]:
    """Return the path that proves that leaf number `leaf`, from 0, is in the tree of the first `size` leaves.

    Raises:
        InvalidRequest: there is no such leaf in it.
    """
    if not 0 <= leaf < size:
        raise InvalidRequest("The record is not among those this checkpoint covers.")
    low, high = 0, size
    path = []
    while high - low > 1:
        middle = low + _split(high - low)
        if leaf < middle:
            path.append(_hash(subtree, middle, high))
            high = middle
        else:
            path.append(_hash(subtree, low, middle))
            low = middle
    return path[::-1]


def consistency_proof(subtree: Subtree, first: int, second: int) -> list[bytes]:
    """Return the hashes that prove that the tree of `first` leaves is the beginning of that of `second`.

    Raises:
        InvalidRequest: the first is empty or larger than the second.
    """
    if not 1 <= first <= second:
        raise InvalidRequest("A proof goes from a smaller checkpoint, not an empty one, to a larger one.")
    low, high = 0, second
    path = []
    whole = True  # the part looked at is the first tree itself, whose root the verifier knows
    while first != high:
        middle = low + _split(high - low)
        if first <= middle:
            path.append(_hash(subtree, middle, high))
            high = middle
        else:
            path.append(_hash(subtree, low, middle))
            low, whole = middle, False
    if not whole:
        path.append(_hash(subtree, low, high))
    return path[::-1]


def is_included(entry: bytes, leaf: int, size: int, path: Sequence[bytes], tree_root: bytes) -> bool:
    """Return whether the path proves that `entry` is leaf number `leaf` of the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= leaf < size:
        return False
    number, last, found = leaf, size - 1, leaf_hash(entry)
    for one in path:
        if last == 0:
            return False
        if number & 1 or number == last:
            found = node_hash(one, found)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            found = node_hash(found, one)
        number, last = number >> 1, last >> 1
    return last == 0 and found == tree_root


def is_consistent(first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Return whether the path proves that the second tree goes on from the first (RFC 9162, 2.1.4.2)."""
    if not 1 <= first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    hashes = [first_root, *path] if first & (first - 1) == 0 else list(path)
    if not hashes:
        return False
    number, last = first - 1, second - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    old = new = hashes[0]
    for one in hashes[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            old, new = node_hash(one, old), node_hash(one, new)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            new = node_hash(new, one)
        number, last = number >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


class GrowingTree:
    """A tree to which leaves are added one by one, with its root at any time: what a walk over a log needs."""

    def __init__(self) -> None:
        self.size = 0
        # The complete subtrees that the leaves make up, the largest first, and their levels.
        self._peaks: list[tuple[int, bytes]] = []

    def add(self, entry: bytes) -> list[tuple[int, int, bytes]]:
        """Add an entry; return the subtrees it completes as (level, index, hash), the leaf first."""
        level, found = 0, leaf_hash(entry)
        made = [(0, self.size, found)]
        while self._peaks and self._peaks[-1][0] == level:
            found = node_hash(self._peaks.pop()[1], found)
            level += 1
            made.append((level, self.size >> level, found))
        self._peaks.append((level, found))
        self.size += 1
        return made

    def root(self) -> bytes:
        """Return the root of all leaves so far."""
        if not self._peaks:
            return EMPTY
        found = self._peaks[-1][1]
        for _, peak in self._peaks[-2::-1]:
            found = node_hash(peak, found)
        return found


def _hash(subtree: Subtree, low: int, high: int) -> bytes:
    """Return the hash over the leaves from low to before high; low is a multiple of the part's size."""
    length = high - low
    level = length.bit_length() - 1
    if length == 1 << level:
        return subtree(level, low >> level)
    middle = low + _split(length)
    return node_hash(_hash(subtree, low, middle), _hash(subtree, middle, high))


def _split(length: int) -> int:
    """Return the largest power of two below `length`."""
    return 1 << ((length - 1).bit_length() - 1)
