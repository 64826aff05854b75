"""All against all: enough comparisons to speak about low false match rates."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from faceauth.bench.embeddings import Embedded, Floats, Progress
from faceauth.bench.normalised import Groups, Normalised, as_shipped
from faceauth.bench.scores import BINS, Scores, counted

Offsets = NDArray[np.float64]

_BLOCK = 512
"""Rows compared at a time: 512 × 10,000 cosines are 20 MB."""

_FUSED_PICTURES = 4
"""Who has fewer takes no part in fusing: each side is to have two at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """Two disjoint means a person, of up to `size` pictures each; shapes (n, d) and (n,)."""

    size: int
    people: int
    references: Floats = field(repr=False)
    probes: Floats = field(repr=False)
    reference_offsets: Offsets = field(repr=False)
    probe_offsets: Offsets = field(repr=False)
    group: Groups = field(repr=False)


def all_against_all(
    embedded: Embedded, people: Sequence[str], *, normalised: Normalised | None = None, progress: Progress
) -> Scores:
    """Compare every picture that has a face with every other one of its group, each two once."""
    normalised = normalised or as_shipped((), len(people))
    rows = np.nonzero(embedded.acquired)[0]
    vectors, group = embedded.vectors[rows], normalised.group[rows]
    offsets = normalised.offsets(vectors, group) / 2
    labels = np.unique(np.asarray(people), return_inverse=True)[1][rows]
    mated, non_mated = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
    for start in range(0, len(rows), _BLOCK):
        stop = min(start + _BLOCK, len(rows))
        scores = vectors[start:stop] @ vectors[start:].T - offsets[start:stop, None] - offsets[None, start:]
        later = np.arange(start, len(rows))[None, :] > np.arange(start, stop)[:, None]
        later &= group[start:stop, None] == group[None, start:]
        same = labels[start:stop, None] == labels[None, start:]
        mated += counted(scores[later & same])
        non_mated += counted(scores[later & ~same])
        progress("comparisons", stop, len(rows))
    return Scores(mated, non_mated)


def fuse(embedded: Embedded, people: Sequence[str], *, size: int, normalised: Normalised | None = None) -> Fused:
    """Split everybody's pictures into references and probes, and take each side's mean, as the service does.

    Pictures are dealt in turn, one to each side, up to `size` a side. The people are the same for every size, so
    that the sizes can be compared.
    """
    by_person: dict[str, list[int]] = {}
    for row in np.nonzero(embedded.acquired)[0].tolist():
        by_person.setdefault(people[row], []).append(row)
    rows = [found[: 2 * size] for found in by_person.values() if len(found) >= _FUSED_PICTURES]
    dimension = embedded.vectors.shape[1]
    normalised = normalised or as_shipped((), len(people))
    offsets = normalised.offsets(embedded.vectors, normalised.group)
    group = normalised.group[[found[0] for found in rows]]
    references = [_mean(embedded.vectors[found[0::2]], power=0.5) for found in rows]
    probes = np.asarray([_mean(embedded.vectors[found[1::2]]) for found in rows], np.float32).reshape(
        -1, dimension
    )
    return Fused(
        size=size,
        people=len(rows),
        references=np.asarray(references, np.float32).reshape(-1, dimension),
        probes=probes,
        reference_offsets=np.asarray([offsets[found[0::2]].mean() for found in rows], np.float64),
        probe_offsets=normalised.offsets(probes, group),
        group=group,
    )


def compare_fused(fused: Fused) -> Scores:
    """Compare everybody's mean probe with everybody's mean reference, as `faceauth.match.compare_mean` does."""
    scores = fused.probes @ fused.references.T
    scores = scores - (fused.probe_offsets[:, None] + fused.reference_offsets[None]) / 2
    own = np.eye(fused.people, dtype=bool)
    compared = fused.group[:, None] == fused.group[None]
    return Scores.of(scores[own], scores[~own & compared])


def _mean(vectors: Floats, *, power: float = 1.0) -> NDArray[np.float32]:
    """Return the mean over its own length to the power of `power`: 1 for a probe, a half for references."""
    mean = vectors.astype(np.float64).mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean) ** power, np.float32)
