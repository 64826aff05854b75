"""Score normalisation without a cohort: how close strangers come to a face, as a polynomial of its embedding.

An embedder does not spread people evenly: where it saw few people in training, strangers lie close together, and
one threshold on the cosine is too low for them and too high for the rest. Score normalisation takes that off,
usually by comparing with a cohort of stored faces (adaptive s-norm: Matějka et al., Interspeech 2017). Here
nobody's face is stored: what a cohort of some thousand people says was fitted once, by a polynomial.
"""

import hashlib
import io
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceauth.embed.manifest import NormaliserSpec
from faceauth.errors import ModelAltered, ModelError, ModelMissing
from faceauth.types import Vector

Matrix = NDArray[np.float32]


class QuadraticNormaliser:
    """The offset s·hᵀMh of an embedding x, where h is x with a 1 behind it; a `faceauth.types.Normaliser`."""

    def __init__(self, matrix: Matrix, *, low: float, high: float, strength: float = 1.0) -> None:
        """Take what was fitted.

        Args:
            matrix: Symmetric, shape (d + 1, d + 1), float32.
            low: hᵀMh counts as no lower. It is what was seen in training: an odd picture must not earn a bonus
                that no face had.
            high: hᵀMh counts as no higher.
            strength: s, how much of what the cohort says is taken off; 1 is all of it.

        Raises:
            ModelError: It is no finite symmetric matrix, or the limits are no limits.
        """
        square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] > 1
        if not (
            square
            and np.isfinite(matrix).all()
            and np.array_equal(matrix, matrix.T)
            and low < high
            and 0 < strength < np.inf
        ):
            raise ModelError("The score normaliser is malformed; refused.")
        self._matrix = matrix.astype(np.float64)
        self._low, self._high = low, high
        self._strength = strength

    @property
    def strength(self) -> float:
        """How much of what the cohort says is taken off; 1 is all of it."""
        return self._strength

    def offset(self, vector: Vector) -> float:
        """Return what is taken off a comparison score for an embedding of unit length, shape (d,).

        Raises:
            ModelError: The embedding has another dimension than the normaliser was trained for.
        """
        return float(self.offsets(vector[None])[0])

    def offsets(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the offsets of embeddings, shape (n, d), as shape (n,)."""
        if vectors.ndim != 2 or vectors.shape[1] + 1 != len(self._matrix):
            raise ModelError("The score normaliser is for embeddings of another dimension.")
        extended = np.concatenate([vectors.astype(np.float64), np.ones((len(vectors), 1))], axis=1)
        raw = np.einsum("nd,nd->n", extended @ self._matrix, extended)
        return np.asarray(self._strength * np.clip(raw, self._low, self._high), dtype=np.float64)


def load_normaliser(spec: NormaliserSpec, folder: Path) -> QuadraticNormaliser:
    """Load a normaliser; its SHA-256 is checked first, like any model file's (R22).

    Args:
        spec: Its entry in the manifest.
        folder: The pack's folder. A file that is not there is looked for among those that come with faceauth.

    Raises:
        ModelMissing: It is in neither place.
        ModelAltered: It is not the file the manifest names.
        ModelError: It holds no normaliser.
    """
    place = folder / spec.file
    within = place if place.is_file() else files("faceauth.models").joinpath(spec.file)
    try:
        data = within.read_bytes()
    except OSError as error:
        raise ModelMissing(f"The score normaliser {spec.file} is missing. Install faceauth again.") from error
    if hashlib.sha256(data).hexdigest() != spec.sha256:
        raise ModelAltered(f"The score normaliser {spec.file} is not the one the manifest names; refused.")
    try:
        matrix = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ModelError(f"The score normaliser {spec.file} is no array; refused.") from error
    return QuadraticNormaliser(
        np.asarray(matrix, dtype=np.float32), low=spec.low, high=spec.high, strength=spec.strength
    )
