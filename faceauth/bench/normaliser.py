"""Training a score normaliser: a cohort's word on every face, fitted by a polynomial; no cohort is kept.

The offset of a face is what adaptive s-norm takes off its scores: the mean cosine to the people nearest to it,
with a part of how far they stand out from a wider neighbourhood. Only the coefficients are written down.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from faceauth.embed.normaliser import QuadraticNormaliser
from faceauth.errors import InvalidRequest

Matrix = NDArray[np.float64]
Floats = NDArray[np.float32]

NEAR = 0.01
"""Share of the people who are the near neighbourhood."""

WIDE = 0.14
"""Share of the people who are the wider one."""

EDGE = 0.5
"""How much the difference of the two means counts: 0 is plain s-norm by the mean."""

RANK = 50
"""How many of the embeddings' principal directions have second-degree terms."""

RIDGE = 1.0
"""Of the fit, with first-degree terms scaled by 3 and second-degree ones by 9."""

FEWEST = 1_000
"""People needed: a fit to few could be read back as their faces."""

_LOW, _HIGH, _BEYOND = 1.0, 99.9, 0.02
"""Percentiles of the offsets seen that limit later ones, and what is added to the upper limit."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A normaliser as it is written down: `matrix` of shape (d + 1, d + 1), its limits, how many people it saw."""

    matrix: Floats = field(repr=False)
    low: float
    high: float
    people: int

    def normaliser(self, strength: float = 1.0) -> QuadraticNormaliser:
        """Return the normaliser, ready to use; see `QuadraticNormaliser` for its strength."""
        return QuadraticNormaliser(self.matrix, low=self.low, high=self.high, strength=strength)


def train(vectors: Floats, people: Sequence[str], *, edge: float = EDGE, fewest: int = FEWEST) -> Trained:
    """Fit a normaliser.

    Args:
        vectors: Embeddings of unit length, shape (n, d).
        people: Whose each is.
        edge: See `EDGE`.
        fewest: See `FEWEST`.

    Returns:
        The normaliser; the median offset of the pictures it was fitted to is 0.

    Raises:
        InvalidRequest: There are too few people.
    """
    labels = np.unique(np.asarray(people), return_inverse=True)[1]
    count = int(labels.max()) + 1 if len(labels) else 0
    if count < fewest:
        raise InvalidRequest(f"A normaliser is fitted to {fewest:,} people or more, not to {count:,}.")
    exact = vectors.astype(np.float64)
    wanted = _wanted(exact, labels, count, edge)
    pictures = np.bincount(labels)[labels]
    matrix = _fit(exact, wanted, 1 / np.sqrt(pictures))
    extended = np.concatenate([exact, np.ones((len(exact), 1))], axis=1)
    matrix[-1, -1] -= np.median(np.einsum("nd,nd->n", extended @ matrix, extended))
    rounded = matrix.astype(np.float32)
    offsets = np.einsum("nd,nd->n", extended @ rounded.astype(np.float64), extended)
    low, high = np.percentile(offsets, [_LOW, _HIGH])
    return Trained(rounded, round(float(low), 4), round(float(high) + _BEYOND, 4), count)


def as_file(trained: Trained) -> bytes:
    """Return what is written down: the matrix as NumPy's .npy, the same bytes every time."""
    buffer = io.BytesIO()
    np.save(buffer, trained.matrix, allow_pickle=False)
    return buffer.getvalue()


def as_toml(pack: str, name: str, content: bytes, trained: Trained) -> str:
    """Return the entry of the model manifest."""
    return (
        f"[packs.{pack}.normaliser]\n"
        f'file = "{name}"\n'
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\n'
        f"low = {trained.low}\n"
        f"high = {trained.high}"
    )


def _wanted(vectors: Matrix, labels: NDArray[np.intp], count: int, edge: float) -> Matrix:
    """Return what the cohort says of each picture; its own person is not part of the cohort."""
    means = np.zeros((count, vectors.shape[1]))
    np.add.at(means, labels, vectors)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    near, wide = max(1, round(NEAR * count)), max(1, round(WIDE * count))
    cosines = vectors @ means.T
    cosines[np.arange(len(vectors)), labels] = -1
    nearest = -np.sort(-cosines, axis=1)[:, :wide]
    close = nearest[:, :near].mean(axis=1)
    return np.asarray(close + edge * (close - nearest.mean(axis=1)), np.float64)


def _fit(vectors: Matrix, wanted: Matrix, weights: Matrix) -> Matrix:
    """Return the symmetric matrix M whose hᵀMh comes nearest to what is wanted, h being (x, 1)."""
    dimension = vectors.shape[1]
    rank = min(RANK, dimension)
    middle = vectors.mean(axis=0)
    centred = vectors - middle
    directions = np.linalg.eigh(np.cov(centred.T))[1][:, ::-1][:, :rank]
    rows, columns = np.triu_indices(rank)
    coordinates = centred @ directions * 3
    features = np.concatenate(
        [np.ones((len(vectors), 1)), centred * 3, coordinates[:, rows] * coordinates[:, columns]], axis=1
    )
    ridge = np.full(features.shape[1], RIDGE)
    ridge[0] = 0.0
    weighed = features * weights[:, None]
    found = np.linalg.solve(weighed.T @ features + np.diag(ridge), weighed.T @ wanted)
    square = np.zeros((rank, rank))
    square[rows, columns] = found[1 + dimension :] * 9
    second = directions @ ((square + square.T) / 2) @ directions.T
    first = found[1 : 1 + dimension] * 3
    matrix = np.empty((dimension + 1, dimension + 1))
    matrix[:-1, :-1] = second
    matrix[:-1, -1] = matrix[-1, :-1] = first / 2 - second @ middle
    matrix[-1, -1] = found[0] - first @ middle + middle @ second @ middle
    return (matrix + matrix.T) / 2
