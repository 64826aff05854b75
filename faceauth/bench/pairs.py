"""LFW's protocol: 6,000 pairs in ten folds, the threshold of each chosen on the other nine."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceauth.bench.dataset import Pair
from faceauth.bench.embeddings import Embedded
from faceauth.bench.normalised import Normalised
from faceauth.bench.scores import Scores

NO_SCORE = -1.0
"""What a pair scores when a face was not found: it never matches."""


@dataclass(frozen=True, slots=True)
class FoldAccuracy:
    """Share of pairs told right, as the mean over folds with its standard error; `pairs` were compared."""

    folds: tuple[float, ...]
    pairs: int

    @property
    def mean(self) -> float:
        """The mean over the folds."""
        return float(np.mean(self.folds))

    @property
    def standard_error(self) -> float:
        """The standard deviation of the folds (n - 1) over the root of their number."""
        if len(self.folds) < 2:
            return float("nan")
        return float(np.std(self.folds, ddof=1) / np.sqrt(len(self.folds)))

    def __str__(self) -> str:
        return f"{self.mean:.4f} ± {self.standard_error:.4f} ({len(self.folds)} folds, {self.pairs:,} pairs)"


@dataclass(frozen=True, slots=True, eq=False)
class PairResult:
    """`accuracy` over the folds; `scores` of all pairs together, for rates at thresholds."""

    accuracy: FoldAccuracy
    scores: Scores
    not_acquired: int


def compare_pairs(
    embedded: Embedded, pairs: Sequence[Pair], *, normalised: Normalised | None = None
) -> PairResult:
    """Compare the pairs. One with a picture without a face counts as wrong, mated or not."""
    first = np.asarray([pair.first for pair in pairs])
    second = np.asarray([pair.second for pair in pairs])
    mated = np.asarray([pair.mated for pair in pairs])
    fold = np.asarray([pair.fold for pair in pairs])
    there = embedded.acquired[first] & embedded.acquired[second]
    cosines = np.einsum("nd,nd->n", embedded.vectors[first], embedded.vectors[second])
    if normalised is not None:
        offsets = normalised.offsets(embedded.vectors, normalised.group)
        cosines = cosines - (offsets[first] + offsets[second]) / 2
    scores = np.where(there, cosines, NO_SCORE)
    names = sorted(set(fold.tolist()))
    folds = []
    for name in names:
        held = fold == name
        threshold = best_threshold(scores[~held & there], mated[~held & there]) if len(names) > 1 else 0.0
        right = ((scores[held] >= threshold) == mated[held]) & there[held]
        folds.append(float(right.mean()))
    return PairResult(
        accuracy=FoldAccuracy(tuple(folds), len(pairs)),
        scores=Scores.of(scores[mated], scores[~mated & there]),
        not_acquired=int((~there).sum()),
    )


def best_threshold(scores: NDArray[np.floating], mated: NDArray[np.bool_]) -> float:
    """Return the threshold that tells most pairs right, half way between the two scores it lies between."""
    if not len(scores):
        return 0.0
    order = np.argsort(scores)
    ordered, truth = scores[order].astype(np.float64), mated[order]
    # right[k]: pairs told right when the k lowest are called non-mated.
    right = np.concatenate([[0], np.cumsum(~truth)]) + truth.sum() - np.concatenate([[0], np.cumsum(truth)])
    edges = np.concatenate([[ordered[0]], (ordered[:-1] + ordered[1:]) / 2, [np.nextafter(ordered[-1], 2)]])
    return float(edges[int(right.argmax())])
