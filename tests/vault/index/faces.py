"""Made-up embeddings and references, and small sizes that let every engine be met within a hundred rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceauth.types import Reference
from faceauth.vault.index import Candidate, EngineChoice, ReferenceIndex, Sizes

MODEL, OTHER_MODEL = b"m" * 32, b"n" * 32
DIMENSION = 16
SMALL = Sizes(
    small=4,
    exact_below=16,
    half_below=48,
    learned_from=24,
    smallest_block=2,
    largest_block=32,
    largest_codes=64,
)
ENGINES: tuple[EngineChoice, ...] = ("auto", "exact", "fp16", "int8", "codes")
OFF_BY: dict[EngineChoice, float] = {"auto": 2e-3, "exact": 1e-5, "fp16": 2e-3, "int8": 3e-2, "codes": 2e-3}
"""How far the score of a kept row may be from that of the vector, in 16 dimensions."""


def vectors(count: int, seed: int, dimension: int = DIMENSION) -> NDArray[np.float32]:
    """Rows of unit length."""
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def reference(
    name: str, vector: NDArray[np.float32], *, tenant: str = "shop", scenario: str = "login", model: bytes = MODEL
) -> Reference:
    """A reference whose account is its own."""
    return Reference(name, tenant, f"account of {name}", scenario, "consent", model, vector)


def add(index: ReferenceIndex, one: Reference) -> bool:
    """Add one that was just read."""
    with index.adding() as adding:
        return adding.add(one)


def search(index: ReferenceIndex, probe: NDArray[np.float32], k: int) -> list[Candidate]:
    """Search the place that `reference` puts into."""
    return index.search("shop", "login", MODEL, probe, k)


def blocks(index: ReferenceIndex) -> list[Any]:
    """All blocks there are."""
    return [block for partition in index._partitions.values() for block in partition.blocks]
