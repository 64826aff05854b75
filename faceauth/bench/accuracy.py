"""Accuracy of a pack on a data set: pairs, all against all, fused pictures, operating points."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from faceauth.bench.dataset import Picture, read_folder, read_pairs
from faceauth.bench.embeddings import Cache, Embedded, Progress, embed_pictures
from faceauth.bench.gallery import all_against_all, compare_fused, fuse
from faceauth.bench.machine import Environment, environment
from faceauth.bench.normalised import Normalised, as_shipped, by_fold, halves, strength_of
from faceauth.bench.pairs import PairResult, compare_pairs
from faceauth.bench.points import derive, too_few
from faceauth.bench.rates import Rate
from faceauth.bench.scores import Scores
from faceauth.capture.detect import build_detector
from faceauth.embed.packs import Pack
from faceauth.errors import InvalidRequest
from faceauth.types import Detector, OperatingPoint

MIN_FACE = 40
"""Pixels of the smallest face looked for: pictures of data sets are smaller than a camera's."""

FUSED_SIZES = (1, 2, 3, 4, 5)
"""How many pictures a side are fused, at most; 1 is there to compare with, on the same people."""


@dataclass(frozen=True, slots=True, eq=False)
class FusedResult:
    """Up to `size` references against up to `size` probes of each of `people`."""

    size: int
    people: int
    scores: Scores


@dataclass(frozen=True, slots=True, eq=False)
class AccuracyResult:
    """Everything one run measured, and where.

    `points` are derived from this run, `shipped` are those in the pack's manifest, to be held against it;
    `normaliser` says what was taken off the cosines.
    """

    pack: str
    pack_digest: bytes
    model_digest: bytes
    dataset: str
    pictures: int
    people: int
    failure_to_acquire: Rate
    pairs: PairResult | None
    gallery: Scores
    fused: tuple[FusedResult, ...]
    points: tuple[OperatingPoint, ...]
    shipped: tuple[OperatingPoint, ...]
    normaliser: str
    warnings: tuple[str, ...]
    environment: Environment
    measured_at: datetime


def measure_accuracy(
    data: Path,
    pack: Pack,
    *,
    now: datetime,
    limit: int | None = None,
    cache_file: Path | None = None,
    workers: int = 2,
    held_out: bool = False,
    progress: Progress,
) -> AccuracyResult:
    """Measure a pack.

    Args:
        data: A folder of folders of pictures, one a person; with a ``pairs.txt`` LFW's protocol is run as well.
        pack: Whose detector, alignment and embedder are used.
        now: Of the report.
        limit: Take only the first so many pictures.
        cache_file: Where embeddings are kept between runs, if anywhere; see `Cache`.
        workers: Threads.
        held_out: Compare under score normalisers fitted to other people than those compared: for the very set
            that the pack's normaliser was fitted to.
        progress: Is told what is done.

    Raises:
        InvalidRequest: The folder holds nothing that can be measured.
    """
    pictures = read_folder(data, limit=limit)
    listed = data / "pairs.txt"
    pairs = read_pairs(listed, pictures) if listed.is_file() else None
    embedded, people = _embedded(pictures, pack, cache_file=cache_file, workers=workers, progress=progress)
    missed = int((~embedded.acquired).sum())
    shipped = tuple(pack.embedder.operating_points.values())
    strength = strength_of(shipped)
    normalised = halves(embedded, people, strength=strength) if held_out else as_shipped(shipped, len(people))
    gallery = all_against_all(embedded, people, normalised=normalised, progress=progress)
    gallery.require_both()
    # LFW's folds are finer than halves and share no people either, and the protocol needs all ten.
    paired = by_fold(embedded, people, pairs, strength=strength) if pairs and held_out else normalised
    return AccuracyResult(
        pack=pack.name,
        pack_digest=pack.digest,
        model_digest=pack.embedder.model_digest,
        dataset=data.resolve().name,
        pictures=len(pictures),
        people=len(set(people)),
        failure_to_acquire=Rate(missed, len(pictures)),
        pairs=None if pairs is None else compare_pairs(embedded, pairs, normalised=paired),
        gallery=gallery,
        fused=_fused(embedded, people, normalised),
        points=derive(gallery, source=_source(data.resolve().name, pictures, now)),
        shipped=shipped,
        normaliser=_how(shipped, held_out=held_out),
        warnings=too_few(gallery),
        environment=environment(),
        measured_at=now,
    )


def embed_folder(
    data: Path, pack: Pack, *, limit: int | None, cache_file: Path | None, workers: int, progress: Progress
) -> tuple[Embedded, list[str]]:
    """Embed a folder's pictures and tell whose each is; see `measure_accuracy`.

    Raises:
        InvalidRequest: The folder holds no pictures, or none with a face.
    """
    pictures = read_folder(data, limit=limit)
    return _embedded(pictures, pack, cache_file=cache_file, workers=workers, progress=progress)


def _embedded(
    pictures: Sequence[Picture], pack: Pack, *, cache_file: Path | None, workers: int, progress: Progress
) -> tuple[Embedded, list[str]]:
    cache = Cache(cache_file, pack_digest=pack.digest)
    embedded = embed_pictures(
        pictures, detector_of(pack), pack.embedder, cache=cache, workers=workers, progress=progress
    )
    if not embedded.acquired.any():
        raise InvalidRequest(f"No face was found in any picture, of {len(pictures)}.")
    return embedded, [picture.person for picture in pictures]


def detector_of(pack: Pack) -> Detector:
    """Return the pack's detector, set to find faces as small as data sets have them."""
    if pack.detector is not None:
        return pack.detector
    options = {**pack.detector_options, "min_face": MIN_FACE}
    return build_detector(pack.detector_kind, pack.detector_sessions, options)


def service_detector(pack: Pack) -> Detector:
    """Return the pack's detector as the service runs it: it leaves out faces too small for a login."""
    return pack.detector or build_detector(pack.detector_kind, pack.detector_sessions, pack.detector_options)


def _fused(embedded: Embedded, people: Sequence[str], normalised: Normalised) -> tuple[FusedResult, ...]:
    results = []
    for size in FUSED_SIZES:
        sides = fuse(embedded, people, size=size, normalised=normalised)
        if sides.people >= 2:
            results.append(FusedResult(size, sides.people, compare_fused(sides)))
    return tuple(results)


def _how(shipped: Sequence[OperatingPoint], *, held_out: bool) -> str:
    if held_out:
        return f"held out: fitted to other people than those compared; strength {strength_of(shipped):g}"
    return "none" if not shipped or shipped[0].normaliser is None else "the pack's"


def _source(dataset: str, pictures: Sequence[Picture], now: datetime) -> str:
    return (
        f"faceauth bench accuracy on {dataset}: {len(pictures):,} pictures, all against all, single pictures, "
        f"{now:%Y-%m-%d}"
    )
