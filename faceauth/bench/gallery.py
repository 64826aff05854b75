"""All against all: enough comparisons to speak about low false match rates."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from faceauth.bench.embeddings import Embedded, Floats, Progress
from faceauth.bench.scores import BINS, Scores, counted

_BLOCK = 512
"""Rows compared at a time: 512 × 10,000 cosines are 20 MB."""

_FUSED_PICTURES = 4
"""Who has fewer takes no part in fusing: each side is to have two at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """Two disjoint means a person, of up to `size` pictures each; shapes (n, d)."""

    size: int
    people: int
    references: Floats = field(repr=False)
    probes: Floats = field(repr=False)


def all_against_all(embedded: Embedded, people: Sequence[str], *, progress: Progress) -> Scores:
    """Compare every picture that has a face with every other one, each two once."""
    rows = np.nonzero(embedded.acquired)[0]
    vectors = embedded.vectors[rows]
    labels = np.unique(np.asarray(people), return_inverse=True)[1][rows]
    mated, non_mated = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
    for start in range(0, len(rows), _BLOCK):
        stop = min(start + _BLOCK, len(rows))
        cosines = vectors[start:stop] @ vectors[start:].T
        later = np.arange(start, len(rows))[None, :] > np.arange(start, stop)[:, None]
        same = labels[start:stop, None] == labels[None, start:]
        mated += counted(cosines[later & same])
        non_mated += counted(cosines[later & ~same])
        progress("comparisons", stop, len(rows))
    return Scores(mated, non_mated)


def fuse(embedded: Embedded, people: Sequence[str], *, size: int) -> Fused:
    """Split everybody's pictures into references and probes, and take each side's mean.

    Pictures are dealt in turn, one to each side, up to `size` a side. The people are the same for every size, so
    that the sizes can be compared.
    """
    by_person: dict[str, list[int]] = {}
    for row in np.nonzero(embedded.acquired)[0].tolist():
        by_person.setdefault(people[row], []).append(row)
    rows = [found[: 2 * size] for found in by_person.values() if len(found) >= _FUSED_PICTURES]
    dimension = embedded.vectors.shape[1]
    references = [_mean(embedded.vectors[found[0::2]]) for found in rows]
    probes = [_mean(embedded.vectors[found[1::2]]) for found in rows]
    return Fused(
        size=size,
        people=len(rows),
        references=np.asarray(references, np.float32).reshape(-1, dimension),
        probes=np.asarray(probes, np.float32).reshape(-1, dimension),
    )


def compare_fused(fused: Fused) -> Scores:
    """Compare everybody's mean probe with everybody's mean reference."""
    cosines = fused.probes @ fused.references.T
    own = np.eye(fused.people, dtype=bool)
    return Scores.of(cosines[own], cosines[~own])


def _mean(vectors: Floats) -> NDArray[np.float32]:
    mean = vectors.astype(np.float64).mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)
