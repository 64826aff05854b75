"""Galleries of any size with the shape of real embeddings: where a pack puts faces, and how alike it finds them.

A shape is a summary of a data set: mean, main directions and quantiles of scores, no embedding of anybody. People
are drawn from a normal distribution with that mean and covariance. How close a probe is to its reference is
drawn from the measured mated scores, whose lower end decides who is found. What the drawing makes of the non-mated
scores is told beside the measured ones.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from faceauth.errors import InvalidRequest

Floats = NDArray[np.float32]

FOLDER: Final = Path(__file__).parent / "shapes"
QUANTILES: Final = (0.0, 0.001, 0.01, *(round(0.05 * step, 2) for step in range(1, 20)), 0.99, 0.999, 0.9999, 1.0)
_PAIRS: Final = 2_000_000
_ROWS_AT_ONCE: Final = 100_000
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What a pack makes of faces.

    `mean` and `spread`, the standard deviation, have one number for each main direction of embeddings of unit
    length; `mated` and `non_mated` are the scores at `QUANTILES`.
    """

    source: str
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    mated: tuple[float, ...]
    non_mated: tuple[float, ...]

    @property
    def dimension(self) -> int:
        """Numbers in an embedding."""
        return len(self.mean)

    def in_dimension(self, dimension: int) -> "Shape":
        """Return the same scores in another dimension, where people differ in all directions alike."""
        spread = (1 / dimension**0.5,) * dimension
        source = f"{self.source}; directions alike in {dimension} dimensions"
        return Shape(source, (0.0,) * dimension, spread, self.mated, self.non_mated)


def measure_shape(vectors: Floats, people: list[str], *, source: str, seed: int = 1) -> Shape:
    """Summarise embeddings of unit length, shape (n, d), of the people named, one for each row.

    Raises:
        InvalidRequest: Nobody has two pictures, or there are fewer rows than dimensions.
    """
    if len(vectors) <= vectors.shape[1]:
        raise InvalidRequest("A shape needs more pictures than an embedding has numbers.")
    random = np.random.default_rng(seed)
    whose = np.unique(people, return_inverse=True)[1]
    centre = vectors.mean(axis=0, dtype=np.float64)
    variances, directions = np.linalg.eigh(np.cov(vectors.T.astype(np.float64)))
    order = np.argsort(variances)[::-1]
    first, second = random.integers(0, len(vectors), (2, _PAIRS))
    apart = whose[first] != whose[second]
    non_mated = np.concatenate(
        [
            np.einsum("nd,nd->n", vectors[first[part]], vectors[second[part]])
            for part in np.array_split(np.nonzero(apart)[0], 20)
        ]
    )
    mated = []
    for one in np.nonzero(np.bincount(whose) > 1)[0]:
        own = vectors[whose == one]
        # One pair a person, or those with many pictures would decide what a mated score is.
        left, right = random.choice(len(own), 2, replace=False)
        mated.append(float(own[left] @ own[right]))
    if not mated:
        raise InvalidRequest("A shape needs people with two pictures.")
    return Shape(
        source,
        _rounded((centre @ directions)[order]),
        _rounded(np.sqrt(np.maximum(variances[order], 0))),
        _rounded(np.quantile(mated, QUANTILES)),
        _rounded(np.quantile(non_mated, QUANTILES)),
    )


def load_shape(pack: str) -> Shape:
    """Return the shape that was measured for a pack.

    Raises:
        InvalidRequest: None was.
    """
    file = FOLDER / f"{pack}.json"
    if not file.is_file():
        known = ", ".join(sorted(one.stem for one in FOLDER.glob("*.json")))
        raise InvalidRequest(f"There is no shape of {pack}, only of {known}. Measure one with --data.")
    found = json.loads(file.read_text(encoding="utf-8"))
    return Shape(found["source"], *(tuple(found[name]) for name in ("mean", "spread", "mated", "non_mated")))


def shape_json(shape: Shape) -> dict[str, Any]:
    """Return the shape as its file holds it."""
    return {"quantiles": QUANTILES, **asdict(shape)}


class Population:
    """People of a shape, and what their probes look like.

    Args:
        shape: What they have in common.
        seed: Who they are.
    """

    def __init__(self, shape: Shape, *, seed: int = 1) -> None:
        self._shape = shape
        self._random = np.random.default_rng(seed)
        # The main directions of real embeddings are no axes, and some engines cut vectors into pieces by axes.
        turn = np.linalg.qr(self._random.standard_normal((shape.dimension, shape.dimension)))[0]
        self._centre = np.asarray(turn @ np.asarray(shape.mean), np.float32)
        self._directions = np.asarray((turn * np.asarray(shape.spread)).T, np.float32)

    def gallery(self, size: int) -> Floats:
        """Draw references, shape (size, d), of unit length, one a person."""
        rows = np.empty((size, self._shape.dimension), np.float32)
        for start in range(0, size, _ROWS_AT_ONCE):
            part = rows[start : start + _ROWS_AT_ONCE]
            np.matmul(self._drawn(part.shape), self._directions, out=part)
            part += self._centre
            part /= np.linalg.norm(part, axis=1, keepdims=True)
        return rows

    def probes(self, references: Floats) -> tuple[Floats, NDArray[np.float64]]:
        """Draw a probe for each reference, shape (n, d), of unit length; return them and their scores."""
        scores = np.interp(self._random.random(len(references)), QUANTILES, self._shape.mated)
        aside = self._drawn(references.shape) @ self._directions
        aside -= np.einsum("nd,nd->n", aside, references)[:, None] * references
        aside /= np.linalg.norm(aside, axis=1, keepdims=True)
        probes = scores[:, None] * references + np.sqrt(1 - scores**2)[:, None] * aside
        return np.ascontiguousarray(probes, np.float32), scores

    def _drawn(self, shape: tuple[int, ...]) -> Floats:
        return self._random.standard_normal(shape, dtype=np.float32)


def non_mated_quantiles(rows: Floats, *, seed: int = 2) -> tuple[float, ...]:
    """Return the scores of different rows at `QUANTILES`, to be compared with the shape's."""
    first, second = np.random.default_rng(seed).integers(0, len(rows), (2, min(_PAIRS, 20 * len(rows))))
    apart = first != second
    return _rounded(np.quantile(np.einsum("nd,nd->n", rows[first[apart]], rows[second[apart]]), QUANTILES))


def _rounded(values: Any) -> tuple[float, ...]:
    return tuple(round(float(value), _DIGITS) for value in values)
