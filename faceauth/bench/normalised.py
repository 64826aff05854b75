"""Which pictures are compared, and what is taken off their scores: the pack's own normaliser, or one held out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from faceauth.bench.dataset import Pair
from faceauth.bench.embeddings import Embedded, Floats
from faceauth.bench.normaliser import FEWEST, train
from faceauth.embed.normaliser import QuadraticNormaliser
from faceauth.types import Normaliser, OperatingPoint

Groups = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Normalised:
    """Pictures are compared within their group only, under the group's normaliser.

    `group` has shape (n,), one number a picture; a number without a normaliser takes nothing off.
    """

    group: Groups = field(repr=False)
    normalisers: tuple[Normaliser | None, ...]

    def offsets(self, vectors: Floats, group: Groups) -> NDArray[np.float64]:
        """Return what each embedding's scores lose; embeddings of shape (n, d), their groups of shape (n,)."""
        return np.asarray(
            [
                0.0 if (one := self._of(number)) is None or not vector.any() else one.offset(vector)
                for vector, number in zip(vectors, group.tolist(), strict=True)
            ],
            dtype=np.float64,
        )

    def _of(self, number: int) -> Normaliser | None:
        return self.normalisers[number] if 0 <= number < len(self.normalisers) else None


def as_shipped(points: Sequence[OperatingPoint], pictures: int) -> Normalised:
    """Compare all pictures, as the pack decides: with its normaliser if it has one."""
    normaliser = points[0].normaliser if points else None
    return Normalised(np.zeros(pictures, np.intp), (normaliser,))


def strength_of(points: Sequence[OperatingPoint]) -> float:
    """Return the strength of the normaliser that a pack decides with, so that a held-out one has the same."""
    normaliser = points[0].normaliser if points else None
    return normaliser.strength if isinstance(normaliser, QuadraticNormaliser) else 1.0


def halves(
    embedded: Embedded, people: Sequence[str], *, strength: float = 1.0, seed: int = 7, fewest: int = FEWEST
) -> Normalised:
    """Compare within two halves of the people, each under a normaliser fitted to the other half.

    Args:
        embedded: The pictures.
        people: Whose each is.
        strength: Of both normalisers; see `QuadraticNormaliser`.
        seed: Of the halves.
        fewest: People a half needs.

    Raises:
        InvalidRequest: A half has too few people.
    """
    names, labels = np.unique(np.asarray(people), return_inverse=True)
    half = (np.random.default_rng(seed).permutation(len(names)) % 2)[labels]
    fitted = tuple(_fitted(embedded, people, half != held, strength, fewest) for held in (0, 1))
    return Normalised(half, fitted)


def by_fold(
    embedded: Embedded,
    people: Sequence[str],
    pairs: Sequence[Pair],
    *,
    strength: float = 1.0,
    fewest: int = FEWEST,
) -> Normalised:
    """Compare within the folds of LFW's protocol, each under a normaliser fitted to everybody of the others.

    The normalisers have the given `strength`; see `QuadraticNormaliser`.

    The folds share no people (LFW's authors made them so), so a person belongs to one.

    Raises:
        InvalidRequest: There are too few people.
    """
    fold_of = {people[picture]: pair.fold for pair in pairs for picture in (pair.first, pair.second)}
    group = np.asarray([fold_of.get(person, -1) for person in people], np.intp)
    folds = int(group.max()) + 1
    fitted = tuple(_fitted(embedded, people, group != held, strength, fewest) for held in range(folds))
    return Normalised(group, fitted)


def _fitted(
    embedded: Embedded, people: Sequence[str], seen: NDArray[np.bool_], strength: float, fewest: int
) -> Normaliser:
    rows = np.nonzero(seen & embedded.acquired)[0].tolist()
    trained = train(embedded.vectors[rows], [people[row] for row in rows], fewest=fewest)
    return trained.normaliser(strength)
