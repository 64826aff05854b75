"""Transactions and searches reckoned all at once decide as the service does, one by one."""

from datetime import UTC, datetime

import numpy as np
import pytest

from faceauth.bench.embeddings import Embedded
from faceauth.bench.normalised import Normalised
from faceauth.bench.transactions import Faces, enrolments, scores, search, searches, transactions
from faceauth.errors import Mismatch
from faceauth.match.compare import compare_mean
from faceauth.match.decide import identify
from faceauth.match.operating_points import VERIFY_POINT
from faceauth.types import ConsentGrant, OperatingPoint, Probe, Reference, Vector

PEOPLE, PICTURES, DIMENSION = 12, 9, 16


class Tilted:
    """Takes off more where the first coordinate is high."""

    def offset(self, vector: Vector) -> float:
        return 0.1 * float(vector[0])


def _point(threshold: float, fmr: float = 1e-3, name: str = "p") -> OperatingPoint:
    return OperatingPoint(name, threshold, fmr, fmr, 10_000, 0.1, 100, "a test", normaliser=Tilted())


@pytest.fixture(scope="module")
def embedded() -> Embedded:
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(PEOPLE, 1, DIMENSION))
    vectors = (centres + rng.normal(0, 0.9, (PEOPLE, PICTURES, DIMENSION))).reshape(-1, DIMENSION)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    acquired = np.ones(len(vectors), dtype=bool)
    acquired[[1, 5, *range(PICTURES, PICTURES + 3)]] = False  # person 1 shows no face while enrolling
    vectors[~acquired] = 0
    return Embedded(vectors.astype(np.float32), acquired)


@pytest.fixture(scope="module")
def faces(embedded: Embedded) -> Faces:
    people = [f"P{number // PICTURES}" for number in range(PEOPLE * PICTURES)]
    return Faces(embedded, people, Normalised(np.zeros(len(people), np.intp), (Tilted(),)))


def _reference(vector: Vector, account: str, number: int) -> Reference:
    return Reference(f"r{number}", "t", account, "s", f"c-{account}", b"m" * 32, vector)


def _references(embedded: Embedded, account: int) -> list[Reference]:
    rows = range(account * PICTURES, account * PICTURES + 3)
    return [_reference(embedded.vectors[row], f"P{account}", row) for row in rows if embedded.acquired[row]]


def _probe(vector: Vector) -> Probe:
    return Probe(vector, vector[None], b"m" * 32, "none")


def test_the_scores_are_the_services(faces: Faces, embedded: Embedded) -> None:
    """The same as `compare_mean`, with the normaliser and with missing faces."""
    sets = [rows[3:6] for rows in faces.pictures.values()]
    probes = faces.probes(sets)
    found = scores(probes, faces.references([rows[:3] for rows in faces.pictures.values()]))
    for one in range(PEOPLE):
        for account in (0, 2, 5):
            told = compare_mean(_probe(probes[0][one]), _references(embedded, account), normaliser=Tilted())
            assert found[one, account] == pytest.approx(told, abs=1e-5)
    assert np.isneginf(found[:, 1]).all()


def test_who_showed_no_face_did_not_enrol(faces: Faces) -> None:
    enrolled, failed = enrolments(faces)
    assert failed is not None
    assert (failed.events, failed.trials, len(enrolled)) == (1, PEOPLE, PEOPLE - 1)


def test_more_tries_let_more_in(faces: Faces) -> None:
    """Twice the tries: no more false rejects a transaction, no fewer false accepts; every trial is counted."""
    point = _point(0.6)
    (once,) = transactions(faces, [point], frames=3, attempts=1)
    (twice,) = transactions(faces, [point], frames=3, attempts=2)
    assert (once.frr.trials, twice.frr.trials) == (2 * (PEOPLE - 1), PEOPLE - 1)
    assert once.far.trials == once.frr.trials * (PEOPLE - 2)
    assert once.frr.value > 0
    assert twice.frr.value <= once.frr.value
    assert twice.far.value >= once.far.value
    assert transactions(faces, [point], frames=3, attempts=3) == ()


@pytest.mark.parametrize("threshold", [0.01, 0.2, 0.7, 0.85])
def test_a_search_decides_as_the_service(faces: Faces, embedded: Embedded, threshold: float) -> None:
    """A gallery of all but two, against `identify`: who is named, and how often it is somebody else."""
    point = _point(threshold, fmr=1e-4, name=VERIFY_POINT)
    gallery = search(faces, size=PEOPLE - 2, draws=1, frames=3)
    assert gallery is not None
    drawn = np.random.default_rng(11).permutation([at for at in range(PEOPLE) if at != 1])[: PEOPLE - 2].tolist()
    points = {VERIFY_POINT: point}
    told = searches(gallery, points)[0]
    references = [one for account in drawn for one in _references(embedded, account)]
    grants = {
        f"P{account}": ConsentGrant("t", f"P{account}", "s", f"c-P{account}", 1, datetime(2026, 3, 1, tzinfo=UTC))
        for account in drawn
    }
    named = []
    for rows in faces.pictures.values():
        probe = _probe(faces.probes([rows[3:6]])[0][0])
        try:
            decision = identify(probe, references, grants=grants, points=points, gallery_size=len(drawn))
            named.append(decision.account)
        except Mismatch:
            named.append("")
    assert told.chosen
    assert told.fnir.events == sum(named[account] != f"P{account}" for account in drawn)
    strangers = [at for at in range(PEOPLE) if at not in drawn]
    assert (told.fpir.events, told.fpir.trials) == (sum(named[at] != "" for at in strangers), len(strangers))


def test_a_gallery_larger_than_the_points_support(faces: Faces) -> None:
    """No point is the service's choice there: it refuses."""
    gallery = search(faces, size=5, draws=2, frames=1)
    assert gallery is not None
    point = _point(0.6, fmr=0.01, name=VERIFY_POINT)
    assert [one.chosen for one in searches(gallery, {VERIFY_POINT: point})] == [False]
    assert search(faces, size=PEOPLE, draws=1, frames=1) is None


def test_no_gallery_is_searched_at_a_looser_point_than_a_login(faces: Faces) -> None:
    """R8: five people would do with `fmr-1e-3`, and the service takes `fmr-1e-4` all the same."""
    gallery = search(faces, size=5, draws=2, frames=1)
    assert gallery is not None
    points = {
        name: _point(at, fmr, name) for name, at, fmr in (("fmr-1e-3", 0.5, 1e-3), (VERIFY_POINT, 0.6, 1e-4))
    }
    assert {one.point: one.chosen for one in searches(gallery, points)} == {"fmr-1e-3": False, VERIFY_POINT: True}
    # A pack that no login can be decided with searches nobody.
    assert [one.chosen for one in searches(gallery, {"fmr-1e-3": points["fmr-1e-3"]})] == [False]
