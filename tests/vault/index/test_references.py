"""The index finds what a comparison with every row finds, and forgets what is removed (R42, R47)."""

import sys
import tracemalloc
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.errors import InvalidRequest
from faceauth.types import Reference
from faceauth.vault.index import Candidate, ReferenceIndex
from tests.vault.index.faces import MODEL, OTHER_MODEL, add, blocks, reference, vectors


def memory(index: ReferenceIndex) -> bytes:
    """Every byte of every row of an exact index."""
    return b"".join(block.engine._rows.tobytes() for block in blocks(index))


def test_a_removed_vector_leaves_no_copy() -> None:
    """R42: its bytes are overwritten in place."""
    index, faces = ReferenceIndex(), vectors(300, 1)
    for number, face in enumerate(faces):
        add(index, reference(f"r{number}", face))
    needles = [face.tobytes()[offset : offset + 16] for face in faces[:200] for offset in (0, 16, 32)]
    assert all(needle in memory(index) for needle in needles)
    for number in range(200):
        index.remove(f"r{number}")
        found = index.search("shop", "login", MODEL, faces[number], 300)
        assert f"r{number}" not in [candidate.reference_id for candidate in found]
    left = memory(index)
    assert not any(needle in left for needle in needles)
    assert all(face.tobytes() in left for face in faces[200:])


def test_a_replaced_vector_leaves_no_copy() -> None:
    """R42."""
    index, faces = ReferenceIndex(), vectors(2, 2)
    for face in faces:
        add(index, reference("r", face))
    assert faces[0].tobytes() not in memory(index)
    assert len(index) == 1


def test_a_late_add_does_not_undo_a_removal() -> None:
    """R42: a reader opens a reference, its erasure runs through, and only then the index is told of it."""
    index, face = ReferenceIndex(), vectors(1, 3)[0]
    with index.adding() as adding:
        index.remove("r")
        assert not adding.add(reference("r", face))
    assert blocks(index) == []


def test_what_was_removed_is_forgotten_with_the_last_who_could_bring_it_back() -> None:
    index, face = ReferenceIndex(), vectors(1, 3)[0]
    with index.adding() as first:
        index.remove("r1")
        with index.adding() as second:
            index.remove("r2")
            assert not second.add(reference("r2", face))
        assert not first.add(reference("r1", face))
        assert not first.add(reference("r2", face))
        assert len(index._removals) == 2
    assert len(index._removals) == 0
    index.remove("r3")
    assert len(index._removals) == 0


def test_a_later_reader_keeps_no_older_removals() -> None:
    """Readers that overlap for ever, one begun before the other ended, do not let the memory of removals grow."""
    index = ReferenceIndex()
    with ExitStack() as outer:
        outer.enter_context(index.adding())
        for number in range(100):
            fresh = ExitStack()
            fresh.enter_context(index.adding())
            index.remove(f"r{number}")
            outer.close()
            outer.push(fresh)
        assert len(index._removals) <= 2
    assert len(index._removals) == 0


@pytest.mark.parametrize("other", [{"tenant": "bank"}, {"scenario": "door"}, {"model": OTHER_MODEL}])
def test_searches_stay_in_their_place(other: dict[str, Any]) -> None:
    """R23: another tenant's, scenario's or model's references are never compared."""
    index, face = ReferenceIndex(), vectors(1, 4)[0]
    add(index, reference("here", face))
    add(index, reference("there", face, **other))
    assert [found.reference_id for found in index.search("shop", "login", MODEL, face, 10)] == ["here"]
    assert index.count("shop", "login", MODEL) == index.people("shop", "login", MODEL) == 1
    assert index.search("nobody", "login", MODEL, face, 10) == []


def test_rows_are_used_again() -> None:
    index, faces = ReferenceIndex(), vectors(64, 6)
    add(index, reference("stays", faces[0]))
    for turn in range(5):
        for number, face in enumerate(faces):
            add(index, reference(f"{turn}.{number}", face))
        for number in range(64):
            index.remove(f"{turn}.{number}")
    assert sum(block.engine.capacity for block in blocks(index)) <= 256
    assert memory(index).replace(faces[0].tobytes(), b"").strip(b"\0") == b""


def test_a_tenant_of_a_few_people_costs_little_more_than_their_rows() -> None:
    """Thousands of tenants with five references each: 8 rows of 512 bytes, and no FAISS index."""
    index, faces = ReferenceIndex("codes"), vectors(5, 11, 128)
    add(index, reference("first", faces[0], tenant="first"))
    # The interpreter's own table of interned strings grows by megabytes at once, at some string or other.
    kept = [sys.intern(f"account of {tenant}.{number}") for tenant in range(200) for number in range(5)]
    tracemalloc.start()
    try:
        for tenant in range(200):
            for number, face in enumerate(faces):
                add(index, reference(f"{tenant}.{number}", face, tenant=f"tenant {tenant}"))
        traced = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    # Only what the index and this test took: threads that other tests left behind take memory meanwhile, too.
    filters = [tracemalloc.Filter(True, f"*/{folder}/*.py") for folder in ("vault/index", "numpy/*")]
    lines = traced.filter_traces(filters).statistics("lineno")
    assert sum(line.size for line in lines) / 200 < 8 * 512 + 5_000, lines[:3]
    assert len(kept) == len(index) - 1
    assert {block.engine.name for block in blocks(index)} == {"exact"}


def test_a_place_nobody_is_left_in_is_dropped() -> None:
    index, face = ReferenceIndex(), vectors(1, 6)[0]
    add(index, reference("r", face))
    index.remove("r")
    assert (index._partitions, index._directory.blocks) == ({}, {})


def test_fill_counts_and_reports() -> None:
    told: list[tuple[int, int]] = []
    index = ReferenceIndex()
    references = (reference(f"r{number}", face) for number, face in enumerate(vectors(2500, 8)))
    with index.adding() as adding:
        assert adding.fill(references, lambda *counts: told.append(counts), total=2500) == 2500
    assert told == [(1000, 2500), (2000, 2500), (2500, 2500)]


def test_counts_people_not_references() -> None:
    """R8: the gallery's size is the number of accounts."""
    index = ReferenceIndex()
    for number, face in enumerate(vectors(6, 10)):
        add(index, Reference(f"r{number}", "shop", f"a{number // 3}", "login", "consent", MODEL, face))
    assert index.people("shop", "login", MODEL) == 2
    for number in range(3):
        index.remove(f"r{number}")
    assert index.people("shop", "login", MODEL) == 1
    assert "r0" not in index
    assert "r3" in index


def test_scores_do_not_show() -> None:
    """R24."""
    assert "0.5" not in repr(Candidate("r", 0.5))


@pytest.mark.parametrize(
    "vector", [np.zeros((2, 16)), np.full(16, np.nan), np.full(16, np.inf), np.zeros(0), np.ones(15)]
)
def test_refuses_what_is_no_embedding(vector: NDArray[np.float64], tmp_path: Path) -> None:
    index = ReferenceIndex()
    add(index, reference("r", vectors(1, 9)[0]))
    with pytest.raises(InvalidRequest):
        add(index, reference("s", vector.astype(np.float32)))
    with pytest.raises(InvalidRequest):
        index.search("shop", "login", MODEL, vector.astype(np.float32), 1)
    assert len(index) == 1
