"""Decisions at the boundary, and everything that must deny."""

import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from faceauth.errors import ConfigurationError, ConsentRequired, FaceauthError, Mismatch, ModelError, NotEnrolled
from faceauth.match.compare import compare, compare_mean
from faceauth.match.decide import identify, verify
from faceauth.match.operating_points import choose, threshold_for_gallery
from faceauth.types import ConsentGrant, OperatingPoint, Probe, Reference

MODEL, OTHER = b"m" * 32, b"o" * 32
Floats = NDArray[np.float32]


def at(cosine: float, axis: int = 1, dimension: int = 8) -> Floats:
    """A unit vector whose cosine with the first axis is `cosine`."""
    vector = np.zeros(dimension, np.float64)
    vector[0], vector[axis] = cosine, math.sqrt(1 - cosine * cosine)
    return vector.astype(np.float32)


def probe(vector: Floats | None = None, model: bytes = MODEL) -> Probe:
    vector = at(1.0) if vector is None else vector
    return Probe(vector, vector[None], model, "standard")


def reference(vector: Floats, account: str = "anna", number: int = 1, model: bytes = MODEL) -> Reference:
    return Reference(f"{account}.{number}", "shop", account, "login", f"consent of {account}", model, vector)


def grant(account: str = "anna") -> ConsentGrant:
    return ConsentGrant("shop", account, "login", f"consent of {account}", 1, datetime(2026, 1, 1, tzinfo=UTC))


def point(threshold: float = 0.5, fmr_upper: float = 1e-4, name: str = "p") -> OperatingPoint:
    return OperatingPoint(name, threshold, fmr_upper / 2, fmr_upper, 100_000, 0.01, 1_000, "made up for this test")


POINTS = {
    "loose": point(0.4, 1e-2, "loose"),
    "middle": point(0.5, 1e-3, "middle"),
    "strict": point(0.6, 1e-4, "strict"),
}


def test_a_match_names_the_nearest_reference() -> None:
    decision = verify(
        probe(), [reference(at(0.6), number=1), reference(at(0.9), number=2)], grant=grant(), point=point()
    )
    assert (decision.account, decision.reference_id, decision.operating_point) == ("anna", "anna.2", "p")


def test_the_threshold_itself_matches_and_one_step_above_does_not() -> None:
    """R1: a score at the threshold counts as a match, as it does in the measurement."""
    face = reference(at(0.5))
    score = compare(probe(), face)
    assert verify(probe(), [face], grant=grant(), point=point(score)).account == "anna"
    with pytest.raises(Mismatch):
        verify(probe(), [face], grant=grant(), point=point(math.nextafter(score, 1)))


def test_the_score_is_against_the_mean_and_not_the_best() -> None:
    near, far = reference(at(0.8), number=1), reference(at(0.2, axis=2), number=2)
    mean = np.mean([near.vector, far.vector], axis=0)
    expected = mean[0] / math.sqrt(np.linalg.norm(mean))
    assert compare_mean(probe(), [near, far]) == pytest.approx(float(expected), abs=1e-6)
    with pytest.raises(Mismatch):
        verify(probe(), [near, far], grant=grant(), point=point(0.79))


class Crowd:
    """Takes off a face's last number, so that each side's part can be told."""

    def offset(self, vector: Floats) -> float:
        return float(vector[-1])


def test_a_normaliser_takes_off_half_of_each_sides_offset() -> None:
    mine, theirs = at(0.9, axis=7), [reference(at(0.8, axis=7), number=1), reference(at(0.7, axis=7), number=2)]
    plain = compare_mean(probe(mine), theirs)
    taken = (mine[7] + (theirs[0].vector[7] + theirs[1].vector[7]) / 2) / 2
    assert compare_mean(probe(mine), theirs, normaliser=Crowd()) == pytest.approx(float(plain - taken), abs=1e-6)


def test_decisions_are_made_on_the_normalised_score() -> None:
    crowded = replace(point(0.9), normaliser=Crowd())
    face = reference(at(0.95, axis=7))
    assert verify(probe(), [face], grant=grant(), point=point(0.9)).account == "anna"
    with pytest.raises(Mismatch):
        verify(probe(), [face], grant=grant(), point=crowded)
    with pytest.raises(Mismatch):
        identify(probe(), [face], grants={"anna": grant()}, points={"p": crowded}, gallery_size=1)


def test_a_normaliser_that_gives_nothing_denies() -> None:
    """R4."""

    class Broken:
        def offset(self, vector: Floats) -> float:
            return math.nan * float(vector[0])

    with pytest.raises(Mismatch):
        verify(probe(), [reference(at(1.0))], grant=grant(), point=replace(point(), normaliser=Broken()))


@given(st.floats(-1, 1, width=32))
def test_compare_is_the_cosine(cosine: float) -> None:
    assert compare(probe(), reference(at(cosine))) == pytest.approx(cosine, abs=1e-6)


def test_nobody_enrolled_is_not_a_mismatch() -> None:
    with pytest.raises(NotEnrolled):
        verify(probe(), [], grant=grant(), point=point())


def test_another_models_reference_is_never_compared() -> None:
    """R23."""
    other = reference(at(1.0), model=OTHER)
    with pytest.raises(ModelError):
        compare(probe(), other)
    with pytest.raises(NotEnrolled):
        verify(probe(), [other], grant=grant(), point=point())


BROKEN = [
    np.full(8, np.nan, np.float32),
    np.full(8, np.inf, np.float32),
    np.zeros(8, np.float32),
    at(1.0) * 2,
    at(1.0)[None],
    np.zeros(0, np.float32),
    np.array([np.nan, *at(1.0)[1:]], np.float32),
]


@pytest.mark.parametrize("vector", BROKEN)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_is_no_embedding_denies(vector: Floats) -> None:
    """R4: a NaN, an infinity, a zero vector: all deny, on either side, 1:1 and 1:N."""
    good = reference(at(1.0))
    for one, other in ((probe(vector), good), (probe(), replace(good, vector=vector))):
        with pytest.raises(Mismatch):
            verify(one, [other], grant=grant(), point=point())
        with pytest.raises(Mismatch):
            identify(one, [other], grants={"anna": grant()}, points=POINTS, gallery_size=1)


def test_one_broken_reference_among_good_ones_denies() -> None:
    """R4: it is not averaged away."""
    faces = [reference(at(1.0)), reference(np.full(8, np.nan, np.float32), number=2)]
    with pytest.raises(Mismatch):
        verify(probe(), faces, grant=grant(), point=point())


def test_other_dimensions_and_references_that_cancel_out_deny() -> None:
    with pytest.raises(Mismatch):
        verify(probe(), [reference(at(1.0, dimension=9))], grant=grant(), point=point())
    with pytest.raises(Mismatch):
        verify(probe(), [reference(at(1.0)), reference(-at(1.0), number=2)], grant=grant(), point=point())


@pytest.mark.parametrize("threshold", [float("nan"), 0.0, -0.5, 1.5, float("inf")])
def test_a_malformed_threshold_decides_nothing(threshold: float) -> None:
    """R4: a threshold of 0 or NaN is a mistake, not a wish."""
    with pytest.raises(ConfigurationError):
        verify(probe(), [reference(at(1.0))], grant=grant(), point=point(threshold))


@pytest.mark.parametrize(
    "changed", [{"account": "ben"}, {"tenant": "bank"}, {"scenario": "door"}, {"consent_id": "older"}]
)
def test_only_what_was_agreed_to_is_compared(changed: dict[str, Any]) -> None:
    """R29: a reference of another account, tenant, scenario or consent."""
    face = replace(reference(at(1.0)), **changed)
    with pytest.raises(ConsentRequired):
        verify(probe(), [face], grant=grant(), point=point())


# --- 1:N --------------------------------------------------------------------------------------------------------


def search(*faces: Reference, size: int = 5, margin: float = 0.0, grants: list[str] | None = None) -> str:
    names = sorted({face.account for face in faces}) if grants is None else grants
    found = identify(
        probe(),
        faces,
        grants={name: grant(name) for name in names},
        points=POINTS,
        gallery_size=size,
        margin=margin,
    )
    return found.account


def test_names_the_one_who_matches() -> None:
    assert search(reference(at(0.7), "anna"), reference(at(0.3), "ben")) == "anna"


def test_nobody_below_the_threshold() -> None:
    with pytest.raises(Mismatch):
        search(reference(at(0.45), "anna"))
    with pytest.raises(Mismatch):
        search()


def test_two_who_match_are_neither() -> None:
    """Twins, or one person enrolled twice."""
    with pytest.raises(Mismatch):
        search(reference(at(0.9), "anna"), reference(at(0.55), "ben"))
    with pytest.raises(Mismatch):
        search(reference(at(0.9), "anna"), reference(at(0.9), "ben"))


def test_several_references_of_one_account_are_one_person() -> None:
    assert search(reference(at(0.9), "anna", 1), reference(at(0.8, axis=2), "anna", 2)) == "anna"


def test_the_margin_is_kept_to_another_account() -> None:
    faces = (reference(at(0.55), "anna"), reference(at(0.45), "ben"))
    assert search(*faces, margin=0.05) == "anna"
    with pytest.raises(Mismatch):
        search(*faces, margin=0.2)


def test_who_has_not_agreed_is_not_compared() -> None:
    """R8: identification only among those who agreed to it."""
    faces = (reference(at(0.9), "anna"), reference(at(0.7), "ben"))
    assert search(*faces, grants=["ben"]) == "ben"
    with pytest.raises(Mismatch):
        search(*faces, grants=[])


def test_a_search_stays_in_one_tenant() -> None:
    there = replace(reference(at(0.3), "ben"), tenant="bank")
    with pytest.raises(ConsentRequired):
        identify(
            probe(),
            [reference(at(0.9), "anna"), there],
            grants={"anna": grant("anna"), "ben": replace(grant("ben"), tenant="bank")},
            points=POINTS,
            gallery_size=2,
        )


@pytest.mark.parametrize(
    ("size", "name"), [(1, "loose"), (2, "middle"), (10, "middle"), (11, "strict"), (100, "strict")]
)
def test_the_threshold_rises_with_the_gallery(size: int, name: str) -> None:
    """R8: FPIR is at most N times the FMR; the target here is 0.01."""
    assert threshold_for_gallery(POINTS, size).name == name


def test_a_gallery_beyond_the_measurement_is_refused() -> None:
    """R8: nothing is extrapolated."""
    with pytest.raises(ConfigurationError):
        threshold_for_gallery(POINTS, 101)
    with pytest.raises(ConfigurationError):
        search(reference(at(1.0), "anna"), size=101)
    with pytest.raises(ConfigurationError):
        threshold_for_gallery({}, 1)


@given(st.integers(1, 100), st.integers(1, 100))
def test_a_larger_gallery_never_has_a_lower_threshold(one: int, other: int) -> None:
    """R8."""
    small, large = sorted((one, other))
    assert threshold_for_gallery(POINTS, small).threshold <= threshold_for_gallery(POINTS, large).threshold


def test_a_manifest_in_disorder_gives_the_higher_threshold() -> None:
    odd = {"a": point(0.7, 1e-2, "a"), "b": point(0.5, 1e-4, "b")}
    assert threshold_for_gallery(odd, 100).threshold == 0.7


@pytest.mark.parametrize(("size", "target"), [(0, 0.01), (-1, 0.01), (1, 0.0), (1, 1.0), (1, float("nan"))])
def test_senseless_searches_are_refused(size: int, target: float) -> None:
    with pytest.raises(ConfigurationError):
        threshold_for_gallery(POINTS, size, target)


def test_points_are_chosen_by_name() -> None:
    assert choose(POINTS, "strict").threshold == 0.6
    with pytest.raises(ConfigurationError, match="loose, middle, strict"):
        choose(POINTS, "none")


def test_no_score_in_any_text() -> None:
    """R24: neither errors nor the decision show a score or a threshold."""
    texts = [repr(verify(probe(), [reference(at(0.77))], grant=grant(), point=point(0.66))), repr(point(0.66))]
    for face, limit in ((at(0.55), 0.66), (np.full(8, np.nan, np.float32), 0.66), (at(0.9), float("nan"))):
        with pytest.raises(FaceauthError) as failure:
            verify(probe(), [reference(face)], grant=grant(), point=point(limit))
        texts.append(str(failure.value))
    assert not any(re.search(r"0\.[4-9]", text) for text in texts)
