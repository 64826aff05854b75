"""Comparison scores: cosines between embeddings of one model, normalised. A score decides nothing by itself."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faceauth.errors import Mismatch, ModelError
from faceauth.types import Normaliser, Probe, Reference, Vector

_UNIT_TOLERANCE: Final = 1e-3
"""How far from 1 a float32 embedding's length may be; rounding alone stays far below, raw outputs far above."""

_SHORTEST_MEAN: Final = 1e-3
"""A mean this short has no direction: its vectors cancel out."""


def compare(probe: Probe, reference: Reference, *, normaliser: Normaliser | None = None) -> float:
    """Return the score of a probe against one reference: the cosine, normalised if there is a normaliser.

    Raises:
        ModelError: If they were made with different models (R23).
        Mismatch: If one of them is no finite vector of unit length, or their dimensions differ (R4).
    """
    return compare_mean(probe, (reference,), normaliser=normaliser)


def compare_mean(probe: Probe, references: Sequence[Reference], *, normaliser: Normaliser | None = None) -> float:
    """Return the score of a probe against an account's references together.

    It is p·m / √‖m‖ for the probe p and the references' mean m, less half of the probe's offset and half of the
    mean of the references' offsets where there is a normaliser. For one reference that is the cosine. One
    comparison an account, however many references it has: taking the best of n would give a non-mated probe n
    tries.

    Why the root: the cosine with m's direction, p·m / ‖m‖, grows for strangers too when different pictures are
    averaged, and p·m alone shrinks for everybody. With the root the false match rate stays the same for one, two
    and three references (measured: docs/accuracy.md), so one threshold holds for them all.

    Raises:
        ModelError, Mismatch: As `compare`; also if there are no references or they cancel out.
    """
    if not references:
        raise Mismatch("There is nothing to compare with.")
    if any(reference.model_digest != probe.model_digest for reference in references):
        raise ModelError("References of one model are never compared with a probe of another; enrol again.")
    vector = _unit(probe.vector)
    if any(reference.vector.shape != vector.shape for reference in references):
        raise Mismatch("The embeddings have different dimensions.")
    mean = np.mean([_unit(reference.vector) for reference in references], axis=0)
    length = float(np.linalg.norm(mean))
    if not length > _SHORTEST_MEAN:
        raise Mismatch("The account's references contradict each other; enrol again.")
    score = float(vector @ mean / np.sqrt(length))
    if normaliser is None:
        return score
    theirs = float(np.mean([normaliser.offset(reference.vector) for reference in references]))
    return score - (normaliser.offset(probe.vector) + theirs) / 2


def _unit(vector: Vector) -> NDArray[np.float64]:
    """Return the vector in double precision, of length 1 exactly, if it was an embedding."""
    exact = vector.astype(np.float64)
    length = float(np.linalg.norm(exact)) if vector.ndim == 1 and vector.size else 0.0
    # Written so that a NaN fails too.
    if not abs(length - 1) <= _UNIT_TOLERANCE:
        raise Mismatch("An embedding is no finite vector of unit length.")
    return exact / length
