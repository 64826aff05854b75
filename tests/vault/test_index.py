"""The index finds what a comparison with every row finds, and forgets what is removed (R42, R47)."""

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from faceauth.errors import InvalidRequest
from faceauth.types import Reference
from faceauth.vault.index import LARGEST_SHARD, Candidate, ReferenceIndex

MODEL, OTHER_MODEL = b"m" * 32, b"n" * 32
DIMENSION = 16


def vectors(count: int, seed: int, dimension: int = DIMENSION) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def reference(
    name: str, vector: NDArray[np.float32], *, tenant: str = "shop", scenario: str = "login", model: bytes = MODEL
) -> Reference:
    return Reference(name, tenant, f"account of {name}", scenario, "consent", model, vector)


def memory(index: ReferenceIndex) -> bytes:
    """Every byte of every shard, as FAISS holds them."""
    return b"".join(shard.rows.tobytes() for partition in index._partitions.values() for shard in partition.shards)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["add", "again", "remove"]), st.integers(0, 150)), max_size=200),
    st.integers(0, 1000),
    st.integers(1, 20),
)
def test_agrees_with_comparing_every_row(steps: list[tuple[str, int]], seed: int, k: int) -> None:
    faces, probe = vectors(151, seed), vectors(1, seed + 5000)[0]
    index, model, gone = ReferenceIndex(), dict[str, NDArray[np.float32]](), set[str]()
    for step, number in steps:
        name = f"r{number}"
        if step == "remove":
            index.remove(name)
            model.pop(name, None)
            gone.add(name)
        else:
            face = faces[number] if step == "add" else faces[(number + 1) % 151]
            assert index.add(reference(name, face)) == (name not in gone)
            if name not in gone:
                model[name] = face
    assert len(index) == len(model)
    scores = sorted(((float(face @ probe), name) for name, face in model.items()), reverse=True)
    expected = [(score, name) for score, name in scores if score > 0][:k]
    found = index.search("shop", "login", MODEL, probe, k)
    assert [round(candidate.score, 5) for candidate in found] == [round(score, 5) for score, _ in expected]
    for candidate in found:
        assert candidate.score == pytest.approx(float(model[candidate.reference_id] @ probe), abs=1e-5)


def test_a_removed_vector_leaves_no_copy() -> None:
    """R42: its bytes are overwritten in place."""
    index, faces = ReferenceIndex(), vectors(300, 1)
    for number, face in enumerate(faces):
        index.add(reference(f"r{number}", face))
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
        index.add(reference("r", face))
    assert faces[0].tobytes() not in memory(index)
    assert len(index) == 1


def test_a_late_add_does_not_undo_a_removal() -> None:
    """R42: enrolment commits, the erasure runs through, and only then the index is told."""
    index, face = ReferenceIndex(), vectors(1, 3)[0]
    index.remove("r")
    assert not index.add(reference("r", face))
    assert face.tobytes() not in memory(index)


@pytest.mark.parametrize("other", [{"tenant": "bank"}, {"scenario": "door"}, {"model": OTHER_MODEL}])
def test_searches_stay_in_their_place(other: dict[str, str]) -> None:
    """R23: another tenant's, scenario's or model's references are never compared."""
    index, face = ReferenceIndex(), vectors(1, 4)[0]
    index.add(reference("here", face))
    index.add(reference("there", face, **other))  # type: ignore[arg-type]  # one case changes the model, which is bytes
    assert [found.reference_id for found in index.search("shop", "login", MODEL, face, 10)] == ["here"]
    assert index.count("shop", "login", MODEL) == index.people("shop", "login", MODEL) == 1
    assert index.search("nobody", "login", MODEL, face, 10) == []


def test_small_tenants_take_little_memory_and_large_ones_fixed_shards() -> None:
    index, face = ReferenceIndex(), vectors(1, 5, 2)[0]
    index.add(reference("r", face))
    assert len(memory(index)) == 64 * 2 * 4
    for number in range(140_000):
        index.add(reference(f"r{number}", face))
    (partition,) = index._partitions.values()
    sizes = [len(shard.ids) for shard in partition.shards]
    assert sizes[:4] == [64, 64, 128, 256]
    assert max(sizes) == LARGEST_SHARD
    assert sum(sizes) < 2 * 140_000


def test_rows_are_used_again() -> None:
    index, faces = ReferenceIndex(), vectors(64, 6)
    for turn in range(5):
        for number, face in enumerate(faces):
            index.add(reference(f"{turn}.{number}", face))
        for number in range(64):
            index.remove(f"{turn}.{number}")
    assert len(memory(index)) == 64 * DIMENSION * 4
    assert memory(index) == bytes(64 * DIMENSION * 4)


def test_scores_and_ids_belong_together_while_rows_change() -> None:
    """Threads add and remove while others search: every answer is a row that was there with that score."""
    index, faces = ReferenceIndex(), vectors(400, 7)
    known = {f"r{number}": face for number, face in enumerate(faces)}
    wrong: list[Candidate] = []
    done = threading.Event()

    def change(part: int) -> None:
        for number in range(part, 400, 2):
            index.add(reference(f"r{number}", faces[number]))
            if number >= 40:
                index.remove(f"r{number - 40}")

    def look() -> None:
        while not done.is_set():
            found = index.search("shop", "login", MODEL, faces[0], 10)
            wrong.extend(c for c in found if abs(c.score - float(known[c.reference_id] @ faces[0])) > 1e-5)

    changers = [threading.Thread(target=change, args=(part,)) for part in range(2)]
    lookers = [threading.Thread(target=look) for _ in range(2)]
    for thread in (*changers, *lookers):
        thread.start()
    for thread in changers:
        thread.join()
    done.set()
    for thread in lookers:
        thread.join()
    assert wrong == []
    assert len(index) == 40


def test_fill_counts_and_reports() -> None:
    told: list[tuple[int, int]] = []
    index = ReferenceIndex()
    references = (reference(f"r{number}", face) for number, face in enumerate(vectors(2500, 8)))
    assert index.fill(references, lambda *counts: told.append(counts), total=2500) == 2500
    assert told == [(1000, 2500), (2000, 2500), (2500, 2500)]


def test_counts_people_not_references() -> None:
    """R8: the gallery's size is the number of accounts."""
    index = ReferenceIndex()
    for number, face in enumerate(vectors(6, 10)):
        index.add(Reference(f"r{number}", "shop", f"a{number // 3}", "login", "consent", MODEL, face))
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
    index.add(reference("r", vectors(1, 9)[0]))
    with pytest.raises(InvalidRequest):
        index.add(reference("s", vector.astype(np.float32)))
    with pytest.raises(InvalidRequest):
        index.search("shop", "login", MODEL, vector.astype(np.float32), 1)
    assert len(index) == 1
