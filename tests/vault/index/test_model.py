"""Every engine against a dictionary that compares each vector, whatever is added, replaced and removed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from numpy.typing import NDArray

from faceauth.vault.index import Candidate, EngineChoice, Place, ReferenceBatch, ReferenceIndex
from tests.vault.index.faces import (
    DIMENSION,
    ENGINES,
    MODEL,
    OFF_BY,
    SMALL,
    add,
    blocks,
    reference,
    search,
    vectors,
)

FACES = vectors(300, 1)
NAMES = st.integers(0, 149)


class Machine(RuleBasedStateMachine):
    """Adds one and many, replaces and removes; every search agrees with the model."""

    engine: EngineChoice

    def __init__(self) -> None:
        super().__init__()
        self.index = ReferenceIndex(self.engine, sizes=SMALL)
        self.model: dict[str, NDArray[np.float32]] = {}
        self.off_by = OFF_BY[self.engine]

    @initialize(count=st.integers(0, 120))
    def fill(self, count: int) -> None:
        self.add_many(0, count)

    @rule(first=NAMES, count=st.integers(1, 40))
    def add_many(self, first: int, count: int) -> None:
        names = [f"r{number % 150}" for number in range(first, first + count)]
        place = Place("shop", "login", MODEL)
        faces = FACES[[number % 150 for number in range(first, first + count)]]
        with self.index.adding() as adding:
            assert adding.add_many(ReferenceBatch(place, names, [f"of {name}" for name in names], faces)) == count
        self.model.update(zip(names, faces, strict=True))

    @rule(number=NAMES)
    def replace(self, number: int) -> None:
        self.model[f"r{number}"] = FACES[number + 150]
        assert add(self.index, reference(f"r{number}", FACES[number + 150]))

    @rule(first=NAMES, count=st.integers(1, 60))
    def remove(self, first: int, count: int) -> None:
        for number in range(first, first + count):
            self.index.remove(f"r{number}")
            self.model.pop(f"r{number}", None)

    @rule(seed=st.integers(0, 1000), k=st.integers(1, 20))
    def search(self, seed: int, k: int) -> None:
        probe = vectors(1, 5000 + seed)[0]
        expected = sorted((float(face @ probe) for face in self.model.values()), reverse=True)
        found = search(self.index, probe, k)
        # A score of about 0 is on either side of it.
        sure = [score for score in expected if score > self.off_by][:k]
        assert len(sure) <= len(found) <= min(k, len(expected))
        for candidate, score in zip(found, expected, strict=False):
            assert candidate.score == pytest.approx(score, abs=self.off_by)
            true = float(self.model[candidate.reference_id] @ probe)
            assert candidate.score == pytest.approx(true, abs=self.off_by)
        assert [candidate.score for candidate in found] == sorted((one.score for one in found), reverse=True)

    @invariant()
    def counts(self) -> None:
        assert len(self.index) == len(self.model) == self.index.count("shop", "login", MODEL)
        assert self.index.people("shop", "login", MODEL) == len(self.model)
        assert sum(block.used for block in blocks(self.index)) == len(self.model)


@pytest.mark.parametrize("engine", ENGINES)
def test_agrees_with_comparing_every_vector(engine: EngineChoice) -> None:
    machine = type(f"Machine{engine}", (Machine,), {"engine": engine})
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=20, deadline=None))


def test_every_engine_was_met() -> None:
    """What the model is compared with above is what it is named after."""
    met = {}
    for engine in ENGINES:
        index = ReferenceIndex(engine, sizes=SMALL)
        for number in range(150):
            add(index, reference(f"r{number}", FACES[number]))
        met[engine] = {block.engine.name for block in blocks(index) if not block.leaving}
    assert met == {"auto": {"codes"}, "exact": {"exact"}, "fp16": {"fp16"}, "int8": {"int8"}, "codes": {"codes"}}


@pytest.mark.parametrize("engine", ENGINES)
def test_what_stays_is_found_while_everything_else_changes(engine: EngineChoice) -> None:
    """Threads add, replace and remove, and rows move to other blocks; those nobody touches are never missed."""
    index, known = ReferenceIndex(engine, sizes=SMALL), {f"r{n}": face for n, face in enumerate(FACES)}
    stays = [f"r{number}" for number in range(0, 300, 30)]
    for name in stays:
        add(index, reference(name, known[name]))
    wrong: list[object] = []
    rest = [name for name in known if name not in stays]

    def change(part: int) -> None:
        for turn in range(3):
            for name in rest[part::2]:
                add(index, reference(name, known[name]))
            for name in rest[part + 2 * turn :: 4]:
                index.remove(name)

    def look(_: int) -> None:
        while not all(one.done() for one in changing):
            for name in stays:
                wrong.extend(_wrong(search(index, known[name], 3), name, known, OFF_BY[engine]))

    with ThreadPoolExecutor(4) as threads:
        changing = [threads.submit(change, part) for part in range(2)]
        list(threads.map(look, range(2)))
    assert [one.result() for one in changing] == [None, None]
    assert wrong == []


def _wrong(
    found: list[Candidate], expected: str, known: dict[str, NDArray[np.float32]], off_by: float
) -> Iterator[object]:
    """Yield what is missing, and every id with the score of another."""
    if expected not in [one.reference_id for one in found]:
        yield expected
    yield from (one for one in found if abs(one.score - float(known[one.reference_id] @ known[expected])) > off_by)


def test_several_probes_at_once_find_what_each_finds_alone() -> None:
    for engine in ENGINES:
        index = ReferenceIndex(engine, sizes=SMALL)
        for number in range(150):
            add(index, reference(f"r{number}", FACES[number]))
        together = index.search_many("shop", "login", MODEL, FACES[:40], 5)
        assert together == [search(index, face, 5) for face in FACES[:40]]
        assert index.search_many("shop", "login", MODEL, FACES[:0], 5) == []
    assert FACES.shape[1] == DIMENSION
