"""What an ISO/IEC 19795-1 report tells of a pack: acquisition, enrolment, comparisons, transactions, searches."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from faceauth.bench.accuracy import detector_of
from faceauth.bench.dataset import Pair, Picture, read_folder
from faceauth.bench.embeddings import Cache, Embedded, Progress, embed_pictures
from faceauth.bench.gallery import all_against_all
from faceauth.bench.machine import Environment, environment
from faceauth.bench.normalised import as_shipped
from faceauth.bench.pairs import PairResult, compare_pairs
from faceauth.bench.points import derive, short_of, too_few
from faceauth.bench.rates import Rate, comparisons_needed
from faceauth.bench.readers import read_bin, read_csv_pairs
from faceauth.bench.scores import Scores
from faceauth.bench.transactions import (
    Faces,
    Gallery,
    Searches,
    Transactions,
    enrolments,
    search,
    searches,
    transactions,
)
from faceauth.embed.packs import Pack
from faceauth.errors import InvalidRequest
from faceauth.identity.attempts import NIST_BASE
from faceauth.match.operating_points import TARGET_FPIR
from faceauth.types import OperatingPoint

FRAMES = 3
"""Pictures fused into one probe."""

SIZES = (10, 30, 100, 300, 1000, 3000)
"""Galleries searched, and the largest the set allows."""

_SEARCHES = 500
"""Mated searches wanted of each gallery size: small galleries are drawn several times."""
_MOST_DRAWS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Subgroup:
    """Comparisons within those who share a label; `scores` are None where nobody of it can be compared."""

    column: str
    label: str
    people: int
    failure_to_acquire: Rate
    scores: Scores | None


@dataclass(frozen=True, slots=True)
class About:
    """What was measured, where and when; `people` is 0 where nobody knows them."""

    pack: str
    pack_digest: bytes
    model_digest: bytes
    dataset: str
    pictures: int
    people: int
    failure_to_acquire: Rate
    environment: Environment
    measured_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class IsoResult:
    """One run. `singles` are all against all, or for a list of pairs those pairs, told in `pairs` as well."""

    about: About
    points: tuple[OperatingPoint, ...]
    singles: Scores
    warnings: tuple[str, ...]
    pairs: PairResult | None = None
    failure_to_enrol: Rate | None = None
    transactions: tuple[Transactions, ...] = ()
    galleries: tuple[Gallery, ...] = ()
    searches: tuple[Searches, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """How to run: see `faceauth.bench.accuracy.measure_accuracy`."""

    now: datetime
    limit: int | None
    cache_file: Path | None
    workers: int
    progress: Progress


def measure_people(data: Path, pack: Pack, labels: Mapping[str, Mapping[str, str]], run: Run) -> IsoResult:
    """Measure a folder of people's folders.

    Args:
        data: The folder.
        pack: Whose detector, alignment, embedder, operating points and score normaliser are used.
        labels: Column → person → label; see `read_labels`.
        run: How.

    Raises:
        InvalidRequest: There is nothing that can be compared, or a column labels nobody of the folder.
    """
    pictures = read_folder(data, limit=run.limit)
    people = [picture.person for picture in pictures]
    embedded = _embedded(pictures, pack, run)
    shipped = tuple(pack.embedder.operating_points.values())
    normalised = as_shipped(shipped, len(people))
    singles = all_against_all(embedded, people, normalised=normalised, progress=run.progress)
    singles.require_both()
    points = shipped or derive(singles, source="this run")
    faces = Faces(embedded, people, normalised)
    galleries = _galleries(faces, len(faces.pictures), run.progress)
    by_name = {point.name: point for point in points}
    groups = _subgroups(embedded, people, labels, shipped, run.progress)
    kinds = dict.fromkeys([(1, 1), (1, NIST_BASE.free), (FRAMES, 1), (FRAMES, 2), (FRAMES, NIST_BASE.free)])
    made = [transactions(faces, points, frames=frames, attempts=attempts) for frames, attempts in kinds]
    searched = [searches(gallery, by_name) for gallery in galleries]
    return IsoResult(
        about=_about(data, pack, embedded, len(set(people)), run),
        failure_to_enrol=enrolments(faces)[1],
        points=points,
        singles=singles,
        transactions=tuple(one for kind in made for one in kind),
        galleries=galleries,
        searches=tuple(one for size in searched for one in size),
        subgroups=groups,
        warnings=too_few(singles) + tuple(_unsure(points, made, searched, groups)),
    )


def _unsure(
    points: Sequence[OperatingPoint],
    made: Sequence[Sequence[Transactions]],
    searched: Sequence[Sequence[Searches]],
    groups: Sequence[Subgroup],
) -> Iterator[str]:
    """Yield a warning for each part of the report whose claims need more trials than were made (rule of 3)."""
    for kind in made:
        for one in kind[:1]:  # the others are the same trials at other points
            yield from short_of(f"transactions, {one.frames} × {one.attempts}", one.far.trials, points)
    for size in searched:
        for search_of in size[:1]:
            if (trials := search_of.fpir.trials) < (needed := comparisons_needed(TARGET_FPIR)):
                yield (
                    f"searches of {search_of.gallery:,} people: {trials:,} by strangers, and an FPIR of "
                    f"{TARGET_FPIR:g} needs {needed:,} (rule of 3)."
                )
    for group in groups:
        if group.scores is not None:
            yield from short_of(f"subgroup {group.column}: {group.label}", group.scores.comparisons, points)


def measure_pairs(data: Path, pairs_file: Path | None, pack: Pack, run: Run) -> IsoResult:
    """Measure InsightFace's ``.bin`` set `data`, or the pairs that a CSV list names among the pictures in `data`.

    Raises:
        InvalidRequest: The set or the list is malformed, or has mated pairs only, or non-mated ones only.
    """
    if pairs_file is not None:
        return _measured_pairs(data, *read_csv_pairs(pairs_file, data), pack, run)
    with tempfile.TemporaryDirectory() as folder:
        return _measured_pairs(data, *read_bin(data, Path(folder)), pack, run)


def _measured_pairs(
    data: Path, pictures: tuple[Picture, ...], pairs: tuple[Pair, ...], pack: Pack, run: Run
) -> IsoResult:
    embedded = _embedded(pictures, pack, run)
    shipped = tuple(pack.embedder.operating_points.values())
    compared = compare_pairs(embedded, pairs, normalised=as_shipped(shipped, len(pictures)))
    compared.scores.require_both()
    return IsoResult(
        about=_about(data, pack, embedded, 0, run),
        points=shipped or derive(compared.scores, source="this run"),
        singles=compared.scores,
        pairs=compared,
        warnings=too_few(compared.scores),
    )


def _embedded(pictures: tuple[Picture, ...], pack: Pack, run: Run) -> Embedded:
    cache = Cache(run.cache_file, pack_digest=pack.digest)
    embedded = embed_pictures(
        pictures, detector_of(pack), pack.embedder, cache=cache, workers=run.workers, progress=run.progress
    )
    if not embedded.acquired.any():
        raise InvalidRequest(f"No face was found in any picture, of {len(pictures)}.")
    return embedded


def _about(data: Path, pack: Pack, embedded: Embedded, people: int, run: Run) -> About:
    acquired = embedded.acquired
    return About(
        pack=pack.name,
        pack_digest=pack.digest,
        model_digest=pack.embedder.model_digest,
        dataset=data.resolve().name,
        pictures=len(acquired),
        people=people,
        failure_to_acquire=Rate(int((~acquired).sum()), len(acquired)),
        environment=environment(),
        measured_at=run.now,
    )


def _galleries(faces: Faces, people: int, progress: Progress) -> tuple[Gallery, ...]:
    several = sum(len(rows) > 1 for rows in faces.pictures.values())
    # A search needs somebody outside the gallery.
    largest = min(several, people - 1)
    sizes = [size for size in SIZES if size < largest] + ([largest] if largest > 1 else [])
    found = []
    for done, size in enumerate(sizes, 1):
        draws = max(1, min(_MOST_DRAWS, _SEARCHES // size))
        found.append(search(faces, size=size, draws=draws, frames=FRAMES))
        progress("searches", done, len(sizes))
    return tuple(one for one in found if one is not None)


def _subgroups(
    embedded: Embedded,
    people: Sequence[str],
    labels: Mapping[str, Mapping[str, str]],
    points: Sequence[OperatingPoint],
    progress: Progress,
) -> tuple[Subgroup, ...]:
    found = []
    for column, label_of in labels.items():
        named = [label_of.get(person) for person in people]
        if not any(named):
            raise InvalidRequest(f"The column {column} labels nobody of this folder.")
        for label in sorted({one for one in named if one}):
            rows = [row for row, one in enumerate(named) if one == label]
            part = Embedded(embedded.vectors[rows], np.asarray(embedded.acquired[rows]))
            those = [people[row] for row in rows]
            scores = all_against_all(part, those, normalised=as_shipped(points, len(rows)), progress=progress)
            missed = Rate(int((~part.acquired).sum()), len(rows))
            both = scores.comparisons and scores.mated.sum()
            found.append(Subgroup(column, label, len(set(those)), missed, scores if both else None))
    return tuple(found)
