"""Whole transactions as ISO/IEC 19795-1 has them: enrolment, then attempts of several pictures; and searches.

Scores are those of `faceauth.match.compare_mean`, decisions those of `faceauth.match`, reckoned for all at once;
``tests/bench/test_transactions.py`` holds both against the originals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from faceauth.bench.embeddings import Embedded, Floats
from faceauth.bench.normalised import Normalised
from faceauth.bench.rates import Rate
from faceauth.errors import ConfigurationError
from faceauth.match.operating_points import for_search, threshold_for_gallery
from faceauth.types import OperatingPoint

REFERENCES = 3
"""Pictures an enrolment is offered; those with a face become references."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Transactions:
    """At one operating point: up to `attempts` tries of `frames` pictures each; the first match accepts.

    A try without a face is a failed try, so failures to acquire are in `frr`. Nobody's own account is in `far`.
    """

    point: str
    frames: int
    attempts: int
    people: int
    frr: Rate
    far: Rate


@dataclass(frozen=True, slots=True)
class Searches:
    """At one operating point and gallery size.

    `fpir`: a face that is not in the gallery is named somebody. `fnir`: one that is in it is not named as itself;
    in `wrong` of these somebody else matched and it did not. `chosen`: the service would decide here.
    """

    gallery: int
    point: str
    threshold: float
    chosen: bool
    fpir: Rate
    fnir: Rate
    wrong: int


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Scores of searches in galleries of one size: the two best strangers', and one's own (searches,)."""

    size: int
    best: Doubles = field(repr=False)
    second: Doubles = field(repr=False)
    own: Doubles = field(repr=False)
    other: Doubles = field(repr=False)

    def fpir(self, threshold: float) -> Rate:
        """Exactly one account must match, as in `faceauth.match.identify`."""
        return Rate(int(((self.best >= threshold) & (self.second < threshold)).sum()), len(self.best))

    def fnir(self, threshold: float) -> Rate:
        """See `Searches`."""
        named = (self.own >= threshold) & (self.other < threshold)
        return Rate(int((~named).sum()), len(named))


class Faces:
    """Everybody's pictures, ready to be made into references and probes."""

    def __init__(self, embedded: Embedded, people: Sequence[str], normalised: Normalised) -> None:
        self._embedded = embedded
        self._normalised = normalised
        self._offsets = normalised.offsets(embedded.vectors, normalised.group)
        self.pictures: dict[str, list[int]] = {}
        for row, person in enumerate(people):
            self.pictures.setdefault(person, []).append(row)

    def references(self, sets: Sequence[Sequence[int]]) -> tuple[Floats, Doubles]:
        """Return each set's mean over the root of its length, and the mean of its offsets; NaN without a face."""
        means = [self._mean(rows, power=0.5) for rows in sets]
        offsets = [self._offsets[kept].mean() if (kept := self._there(rows)) else np.nan for rows in sets]
        return np.asarray(means, np.float32), np.asarray(offsets)

    def probes(self, sets: Sequence[Sequence[int]]) -> tuple[Floats, Doubles]:
        """Return each set's mean at unit length, and its offset; NaN without a face."""
        means = np.asarray([self._mean(rows, power=1.0) for rows in sets], np.float32)
        return means, self._normalised.offsets(np.nan_to_num(means), np.zeros(len(means), np.intp))

    def _there(self, rows: Sequence[int]) -> list[int]:
        return [row for row in rows if self._embedded.acquired[row]]

    def _mean(self, rows: Sequence[int], *, power: float) -> Doubles:
        vectors = self._embedded.vectors[self._there(rows)].astype(np.float64)
        if not len(vectors):
            return np.full(vectors.shape[1], np.nan)
        mean = vectors.mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean) ** power)


def scores(probes: tuple[Floats, Doubles], references: tuple[Floats, Doubles]) -> Doubles:
    """Return `compare_mean` of each probe with each account, shape (probes, accounts); without a face -inf."""
    cosines = probes[0].astype(np.float64) @ references[0].T.astype(np.float64)
    return np.nan_to_num(cosines - (probes[1][:, None] + references[1][None]) / 2, nan=-np.inf, neginf=-np.inf)


def enrolments(faces: Faces) -> tuple[dict[str, list[int]], Rate | None]:
    """Return who enrols, with the pictures offered, and the failures to enrol: no picture had a face."""
    offered = {person: rows[:REFERENCES] for person, rows in faces.pictures.items() if len(rows) > REFERENCES}
    if not offered:
        return {}, None
    made = np.isfinite(faces.references(list(offered.values()))[1])
    enrolled = {person: rows for (person, rows), there in zip(offered.items(), made, strict=True) if there}
    return enrolled, Rate(len(offered) - len(enrolled), len(offered))


def transactions(
    faces: Faces, points: Sequence[OperatingPoint], *, frames: int, attempts: int
) -> tuple[Transactions, ...]:
    """Run every transaction that the pictures after the enrolment allow; none if only one person has any."""
    enrolled, _ = enrolments(faces)
    accounts = list(enrolled)
    need = frames * attempts
    tries: list[list[int]] = []
    owner: list[int] = []
    for number, person in enumerate(accounts):
        left = faces.pictures[person][REFERENCES:]
        for start in range(0, len(left) - need + 1, need):
            tries += [left[at : at + frames] for at in range(start, start + need, frames)]
            owner.append(number)
    if len(set(owner)) < 2:
        return ()
    found = scores(faces.probes(tries), faces.references(list(enrolled.values())))
    best = found.reshape(len(owner), attempts, len(accounts)).max(axis=1)
    own = np.zeros(best.shape, dtype=bool)
    own[np.arange(len(owner)), owner] = True
    return tuple(
        Transactions(
            point.name,
            frames,
            attempts,
            len(set(owner)),
            frr=Rate(int((best[own] < point.threshold).sum()), len(owner)),
            far=Rate(int((best[~own] >= point.threshold).sum()), int((~own).sum())),
        )
        for point in points
    )


def search(faces: Faces, *, size: int, draws: int, frames: int, seed: int = 11) -> Gallery | None:
    """Search galleries of `size` people drawn at random from those with two pictures or more, `draws` times.

    Up to `REFERENCES` pictures of a person are the references, but one at least is left; up to `frames` of the
    others are the probe. Everybody outside the gallery is a stranger to it, with the same kind of probe; who has
    one picture only is always one.

    Returns:
        The scores; None where there are too few people.
    """
    several = [rows for rows in faces.pictures.values() if len(rows) > 1]
    single = [rows for rows in faces.pictures.values() if len(rows) == 1]
    kept = [min(REFERENCES, len(rows) - 1) for rows in several]
    references = faces.references([rows[:count] for rows, count in zip(several, kept, strict=True)])
    probes = faces.probes([rows[count:][:frames] for rows, count in zip(several, kept, strict=True)] + single)
    there = np.nonzero(np.isfinite(references[1]))[0]
    if size < 2 or size > len(there) or len(several) + len(single) <= size:
        return None
    everyone = scores(probes, references)
    rng = np.random.default_rng(seed)
    best, second, own, other = [], [], [], []
    for _ in range(draws):
        drawn = rng.permutation(there)[:size]
        stranger = np.ones(len(everyone), dtype=bool)
        stranger[drawn] = False
        ranked = np.partition(everyone[stranger][:, drawn], size - 2, axis=1)
        best.append(ranked[:, -1])
        second.append(ranked[:, -2])
        within = everyone[np.ix_(drawn, drawn)]
        own.append(np.diag(within).copy())
        np.fill_diagonal(within, -np.inf)
        other.append(within.max(axis=1))
    return Gallery(size, *(np.concatenate(one) for one in (best, second, own, other)))


def searches(gallery: Gallery, points: Mapping[str, OperatingPoint]) -> tuple[Searches, ...]:
    """Return the rates at every operating point, and which the service would take for this gallery."""
    try:
        chosen = threshold_for_gallery(for_search(points), gallery.size).name
    except ConfigurationError:
        chosen = ""  # the service refuses to search a gallery this large
    return tuple(
        Searches(
            gallery.size,
            point.name,
            point.threshold,
            point.name == chosen,
            gallery.fpir(point.threshold),
            gallery.fnir(point.threshold),
            wrong=int(((gallery.own < point.threshold) & (gallery.other >= point.threshold)).sum()),
        )
        for point in points.values()
    )
