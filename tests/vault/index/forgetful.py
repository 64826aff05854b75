"""A process of its own that fills an index of every engine and removes half of it, for its memory to be read.

It says when it is ready, and goes on when it is told: `added`, then `removed`. The vectors are made in place, from
a seed, so that nothing in here but the index has a copy of them once the source is overwritten.
"""

import sys

import numpy as np
from numpy.typing import NDArray

from faceauth.types import Reference
from faceauth.vault.index import Place, ReferenceBatch, ReferenceIndex, Sizes
from tests.vault.index.faces import ENGINES, MODEL, SMALL

DIMENSION = 64
ROWS = 120
BATCH = 2_048
REMOVED = range(0, ROWS, 2)
REPLACED = range(1, 20, 2)
"""Put there again with the vector of the row that many further on."""


def faces(seed: int, into: NDArray[np.float32]) -> None:
    """Fill `into` with the unit vectors of this seed, and leave no other copy."""
    np.random.default_rng(seed).standard_normal(out=into, dtype=np.float32)
    into /= np.sqrt(np.einsum("ij,ij->i", into, into))[:, None]


def learn_and_forget() -> ReferenceIndex:
    """Learn codes from a large batch and remove it: matrix products leave pieces in BLAS's own buffers."""
    source = np.zeros((BATCH, DIMENSION), np.float32)
    faces(BATCH, source)
    names = [f"learned.{number}" for number in range(BATCH)]
    index, place = ReferenceIndex("codes", sizes=Sizes(small=16, learned_from=512)), Place("shop", "login", MODEL)
    with index.adding() as adding:
        adding.expect(place, DIMENSION, BATCH)
        adding.add_many(ReferenceBatch(place, names, names, source))
    assert index._partitions[place]._codebook is not None
    source[:] = 0
    for one in names[1:]:
        index.remove(one)
    return index


def name(engine: str, number: int) -> str:
    return f"{engine}.{number}"


def main() -> None:
    """Add, wait, remove and replace, wait."""
    source = np.zeros((ROWS, DIMENSION), np.float32)
    indexes = {}
    for seed, engine in enumerate(ENGINES):
        faces(seed, source)
        index = indexes[engine] = ReferenceIndex(engine, sizes=SMALL)
        place = Place("shop", "login", MODEL)
        with index.adding() as adding:
            first = [name(engine, number) for number in range(40)]
            adding.add_many(ReferenceBatch(place, first, first, source[:40]))
            for number in range(40, ROWS):
                one = name(engine, number)
                adding.add(Reference(one, "shop", one, "login", "consent", MODEL, source[number]))
        index.search_many("shop", "login", MODEL, np.ones((3, DIMENSION), np.float32), 10)
    source[:] = 0
    large = learn_and_forget()
    wait("added")
    assert len(large) == 1
    for seed, (engine, index) in enumerate(indexes.items()):
        faces(100 + seed, source)
        for number in REMOVED:
            index.remove(name(engine, number))
        for number in REPLACED:
            one = name(engine, number)
            with index.adding() as adding:
                adding.add(Reference(one, "shop", one, "login", "consent", MODEL, source[number]))
    source[:] = 0
    wait("removed")
    assert all(len(index) == ROWS - len(REMOVED) for index in indexes.values())


def wait(said: str) -> None:
    """Say how far it is, and wait for a line."""
    print(said, flush=True)  # noqa: T201  the other process reads it
    sys.stdin.readline()


if __name__ == "__main__":
    main()
