"""The tree of RFC 9162: roots and proofs against its definition, and against figures that others publish (R51)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceauth.audit.merkle import (
    EMPTY,
    GrowingTree,
    consistency_proof,
    fold,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root,
)
from faceauth.errors import InvalidRequest

ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
KNOWN = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
"""Roots over the first entries, as implementations of Certificate Transparency test themselves with."""

SIZES = st.integers(min_value=1, max_value=70)


def entry(number: int) -> bytes:
    return number.to_bytes(4, "big")


def subtree(level: int, index: int) -> bytes:
    return fold([leaf_hash(entry(number)) for number in range(index << level, (index + 1) << level)])


def by_definition(entries: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word."""
    if not entries:
        return EMPTY
    if len(entries) == 1:
        return leaf_hash(entries[0])
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return node_hash(by_definition(entries[:split]), by_definition(entries[split:]))


@pytest.mark.parametrize("size", KNOWN)
def test_roots_that_others_publish(size: int) -> None:
    assert by_definition(ENTRIES[:size]).hex() == KNOWN[size]
    tree = GrowingTree()
    for one in ENTRIES[:size]:
        tree.add(one)
    assert tree.root().hex() == KNOWN[size]


@given(st.integers(min_value=0, max_value=200))
def test_every_way_to_a_root_is_the_definition(size: int) -> None:
    wanted = by_definition([entry(number) for number in range(size)])
    tree = GrowingTree()
    made: dict[tuple[int, int], bytes] = {}
    for number in range(size):
        made |= {(level, index): found for level, index, found in tree.add(entry(number))}
    assert root(subtree, size) == tree.root() == wanted
    assert all(subtree(*place) == found for place, found in made.items())


@given(size=SIZES, data=st.data())
def test_a_record_is_proved_and_no_other(size: int, data: st.DataObject) -> None:
    leaf = data.draw(st.integers(min_value=0, max_value=size - 1))
    path, top = inclusion_proof(subtree, leaf, size), root(subtree, size)
    assert is_included(entry(leaf), leaf, size, path, top)
    other = data.draw(st.integers(min_value=0, max_value=size))
    if other != leaf:
        assert not is_included(entry(other), leaf, size, path, top)
        assert not is_included(entry(leaf), other, size, path, top)
    assert not is_included(entry(leaf), leaf, size, [*path, top], top)
    for place in range(len(path)):
        assert not is_included(entry(leaf), leaf, size, path[:place] + path[place + 1 :], top)
        assert not is_included(entry(leaf), leaf, size, [*path[:place], bytes(32), *path[place + 1 :]], top)


@given(first=SIZES, more=st.integers(min_value=0, max_value=70), data=st.data())
def test_a_tree_that_goes_on_is_proved_and_a_fork_is_not(first: int, more: int, data: st.DataObject) -> None:
    """R51: a fork."""
    second = first + more
    path = consistency_proof(subtree, first, second)
    old, new = root(subtree, first), root(subtree, second)
    assert is_consistent(first, old, second, new, path)
    forked = [entry(number) for number in range(first)]
    forked[data.draw(st.integers(min_value=0, max_value=first - 1))] = b"other"
    assert not is_consistent(first, by_definition(forked), second, new, path)
    assert not is_consistent(first, old, second, bytes(32), path)
    assert not is_consistent(first, old, second, new, [*path, old])
    for place in range(len(path)):
        assert not is_consistent(first, old, second, new, path[:place] + path[place + 1 :])


@pytest.mark.parametrize(("leaf", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_there_is_no_proof_of_what_is_not_there(leaf: int, size: int) -> None:
    with pytest.raises(InvalidRequest, match="not among"):
        inclusion_proof(subtree, leaf, size)
    assert not is_included(entry(0), leaf, size, [], root(subtree, max(size, 0)))


@pytest.mark.parametrize(("first", "second"), [(0, 4), (5, 4)])
def test_a_proof_goes_forward(first: int, second: int) -> None:
    with pytest.raises(InvalidRequest, match="smaller"):
        consistency_proof(subtree, first, second)
    assert not is_consistent(first, EMPTY, second, root(subtree, second), [])
