"""Comparison scores, counted: how many mated and non-mated ones lie where on the cosine."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from faceauth.bench.rates import Rate
from faceauth.errors import InvalidRequest

BINS = 400_000
"""Of the cosine, -1 to 1: thresholds are exact to 5e-6, and billions of comparisons need no more room than few."""

Counts: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Counts of mated and non-mated scores, each of shape (BINS,)."""

    mated: Counts = field(repr=False)
    non_mated: Counts = field(repr=False)

    @classmethod
    def of(cls, mated: NDArray[np.floating], non_mated: NDArray[np.floating]) -> "Scores":
        """Count two arrays of cosines."""
        return cls(counted(mated), counted(non_mated))

    @property
    def comparisons(self) -> int:
        """How many non-mated comparisons were made."""
        return int(self.non_mated.sum())

    def require_both(self) -> None:
        """Return if there are mated and non-mated scores.

        Raises:
            InvalidRequest: There are none of one kind, so no rate of it can be told.
        """
        if not (self.comparisons and self.mated.sum()):
            raise InvalidRequest(
                "A report needs mated and non-mated comparisons: two people, one with two pictures, with a face."
            )

    def threshold_for(self, fmr: float) -> float:
        """Return the lowest threshold at which no more than the share `fmr` of non-mated scores match.

        A score matches when it is at or above the threshold.
        """
        allowed = int(fmr * self.comparisons * (1 + 1e-12))  # 0.001 · 3000 is 3, not 2.9999…
        above = np.cumsum(self.non_mated[::-1])[::-1]
        fits = np.nonzero(above <= allowed)[0]
        return edge(int(fits[0]) if len(fits) else BINS)

    def fmr(self, threshold: float) -> Rate:
        """Return the false match rate at a threshold."""
        return Rate(int(self.non_mated[_first_bin(threshold) :].sum()), self.comparisons)

    def fnmr(self, threshold: float) -> Rate:
        """Return the false non-match rate at a threshold."""
        return Rate(int(self.mated[: _first_bin(threshold)].sum()), int(self.mated.sum()))


def counted(scores: NDArray[np.floating]) -> Counts:
    """Count cosines into the bins."""
    bins = np.clip(np.floor((scores.astype(np.float64) + 1) * (BINS / 2)), 0, BINS - 1).astype(np.int64)
    return np.bincount(bins.ravel(), minlength=BINS)


def edge(number: int) -> float:
    """Return the lower edge of a bin."""
    return round(number * 2 / BINS - 1, 6)


def _first_bin(threshold: float) -> int:
    return round((threshold + 1) * (BINS / 2))
