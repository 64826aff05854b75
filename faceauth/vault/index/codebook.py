"""How a vector becomes a short code: turned to its main directions, cut into groups, one of 16 points a group.

Embeddings fill few of their dimensions (about 32 of 128 with `open`), so bits are given where they tell people
apart. All that is learned of the gallery is the mean and covariance of some thousands of rows: no row,
and no point near one. The points themselves are those of a normal distribution. It is kept in memory only.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

from faceauth.errors import InvalidRequest
from faceauth.vault.index.engine import Floats

POINTS: Final = 16
"""Points of a group: 4 bits, which FAISS's fast scan looks up in one register (André et al., VLDB 2015)."""

LARGEST_GROUP: Final = 8
"""Dimensions in a group; beyond, 16 points tell nothing of them any more."""

_DRAWN: Final = 8_192
_ROUNDS: Final = 20
_FLATTEST: Final = 1e-4
"""The least variance of a direction, as a share of the mean: one nobody differs in would be divided by."""

Doubles = NDArray[np.float64]


def groups_for(dimension: int) -> int:
    """Return how many groups, of 4 bits each, a code has; measured in docs/index-engines.md."""
    return int(max(min(40, 2 * dimension), dimension // 8 * 2))


class Moments:
    """Mean and covariance of rows, summed up as they come; none of the rows is kept."""

    def __init__(self, dimension: int) -> None:
        self.count = 0
        self._sum = np.zeros(dimension)
        self._products = np.zeros((dimension, dimension))

    def add(self, vectors: Floats) -> None:
        """Take rows of shape (n, d) into account."""
        self.count += len(vectors)
        self._sum += vectors.sum(axis=0)
        self._products += vectors.T @ vectors
        # BLAS keeps pieces of what it multiplied last in buffers of its own (found in the process's memory).
        nothing = np.zeros_like(vectors)
        np.matmul(nothing.T, nothing)

    def maps(self) -> tuple[Doubles, Doubles, Doubles, Doubles]:
        """Return the mean, shape (d,), variances, largest first, and the maps of vectors and of queries, (d, d).

        An error e of a row costs a query q the square of q·e: on average eᵀ S e, for queries are faces too and S
        is their second moment. So rows are mapped by the root of S, where that cost is plain distance, and then
        turned to the main directions there; queries are mapped by the root's inverse.
        """
        if not self.count:
            raise InvalidRequest("Nothing was learned of the gallery yet.")
        mean = self._sum / self.count
        second = self._products / self.count
        sizes, axes = np.linalg.eigh(second)
        roots = np.sqrt(np.maximum(sizes, max(float(sizes.mean()) * _FLATTEST, 1e-12)))
        root, inverse = (axes * roots) @ axes.T, (axes / roots) @ axes.T
        variances, turn = np.linalg.eigh(root @ (second - np.outer(mean, mean)) @ root)
        variances, turn = variances[::-1], turn[:, ::-1]
        variances = np.maximum(variances, max(float(variances.mean()) * _FLATTEST, 1e-12))
        return mean, variances, (root @ turn).T, (inverse @ turn).T


@dataclass(frozen=True, slots=True, eq=False)
class Codebook:
    """A linear map of the vectors, another of the queries, and a product quantiser between them.

    For a vector x and a query q, `(turn @ (x - mean)) · (ask @ q)` is q · (x - mean). `turn` and `ask` have shape
    (groups · width, d): a group of fewer than `width` dimensions is filled up with zeros.
    """

    mean: Floats = field(repr=False)
    turn: Floats = field(repr=False)
    ask: Floats = field(repr=False)
    centroids: Floats = field(repr=False)
    quantiser: Any = field(repr=False)

    @property
    def groups(self) -> int:
        """How many groups of 4 bits."""
        return len(self.centroids)

    @classmethod
    def fit(cls, moments: Moments, groups: int | None = None, *, seed: int = 1) -> "Codebook":
        """Make the codebook of a gallery with these moments; it takes about a second."""
        # Beside searches that are under way, not in their place.
        faiss.omp_set_num_threads(1)
        mean, variances, of_vectors, of_queries = moments.maps()
        dimension = len(mean)
        groups = groups or groups_for(dimension)
        sizes = _share_out(variances, groups)
        width = max(sizes)
        turn, ask = np.zeros((2, groups, width, dimension))
        centroids = np.zeros((groups, POINTS, width), np.float32)
        random, at = np.random.default_rng(seed), 0
        for group, size in enumerate(sizes):
            part = slice(at, at + size)
            turn[group, :size], ask[group, :size] = of_vectors[part], of_queries[part]
            centroids[group, :, :size] = _points(np.sqrt(variances[part]), random)
            at += size
        quantiser = faiss.ProductQuantizer(groups * width, groups, 4)
        faiss.copy_array_to_vector(centroids.ravel(), quantiser.centroids)
        flat = (groups * width, dimension)
        return cls(
            mean.astype(np.float32),
            turn.reshape(flat).astype(np.float32),
            ask.reshape(flat).astype(np.float32),
            centroids,
            quantiser,
        )

    def encode(self, vectors: Floats) -> NDArray[np.uint8]:
        """Return codes, shape (n, groups / 2): two groups a byte, the first in the lower half."""
        faiss.omp_set_num_threads(1)
        less = vectors - self.mean
        turned = np.empty((len(vectors), len(self.turn)), np.float32)
        if len(vectors) == 1:
            # No matrix product: BLAS would keep a copy of the vector in its buffers.
            np.einsum("ij,j->i", self.turn, less[0], out=turned[0])
        else:
            np.matmul(less, self.turn.T, out=turned)
        codes: NDArray[np.uint8] = self.quantiser.compute_codes(turned)
        less[:] = 0
        # Zeros over the turned vectors, and over what BLAS keeps in its buffers.
        np.matmul(less, self.turn.T, out=turned)
        return codes


def _share_out(costs: Doubles, groups: int) -> list[int]:
    """Return how many dimensions each group gets, in order of `costs`, so that the codes' errors cost least.

    A group of k dimensions with 4 bits has an error of about k · (geometric mean of its costs) · 2^(-8/k), as the
    rate-distortion function of a normal distribution has it; `costs` are the directions' variances. Solved
    exactly, group by group.
    """
    dimension = len(costs)
    logs = np.concatenate([[0.0], np.cumsum(np.log(costs))])
    best = np.full((groups + 1, dimension + 1), np.inf)
    chosen = np.zeros((groups + 1, dimension + 1), np.int64)
    best[0, 0] = 0
    for group in range(1, groups + 1):
        # A group may stay empty, where there are more groups than dimensions.
        best[group] = best[group - 1]
        for size in range(1, min(LARGEST_GROUP, dimension) + 1):
            error = size * np.exp((logs[size:] - logs[:-size]) / size) * 2.0 ** (-8 / size)
            total = best[group - 1, :-size] + error
            better = total < best[group, size:]
            best[group, size:][better] = total[better]
            chosen[group, size:][better] = size
    if not np.isfinite(best[groups, dimension]):
        raise InvalidRequest(f"{groups} groups of {LARGEST_GROUP} dimensions do not hold {dimension}.")
    sizes, left = [], dimension
    for group in range(groups, 0, -1):
        sizes.append(int(chosen[group, left]))
        left -= sizes[-1]
    return sizes[::-1]


def _points(deviations: Doubles, random: np.random.Generator) -> Floats:
    """Return 16 points, shape (16, k), for a normal distribution: the origin first, which empty rows get."""
    points = np.zeros((POINTS, len(deviations)), np.float32)
    if not len(deviations):
        return points
    scale = float(deviations.max())
    drawn = (random.standard_normal((_DRAWN, len(deviations))) * (deviations / scale)).astype(np.float32)
    means = faiss.Kmeans(
        len(deviations), POINTS - 1, niter=_ROUNDS, seed=1, max_points_per_centroid=_DRAWN, verbose=False
    )
    means.train(drawn)
    points[1:] = np.asarray(means.centroids) * scale
    return points
