"""Every denial of a login is one to its device: the same work, the same bytes, the same time (R25)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth import pipeline as pipeline_module
from faceauth.capture.faces import FaceReader
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import KeyUnavailable, LivenessDenied, LivenessInconclusive
from faceauth.liveness.profiles import PROFILES
from faceauth.pipeline import SessionAnswer
from faceauth.sameness import Spent
from faceauth.sessions import OpenedSession
from faceauth.types import AlignedFace, Challenge, Embedder, Evidence, Image, LiveCapture
from faceauth.vault.decoys import Decoys
from faceauth.vault.keystore import DataKeys
from tests.service import BLUE, RED, ColourEmbedder, Service

REASONS = {
    "unknown": "unknown_account",
    "without_consent": "consent_required",
    "withdrawn": "consent_required",
    "not_enrolled": "not_enrolled",
    "locked": "locked",
    "not_live": "liveness",
    "another_person": "mismatch",
}
"""Every case, and what the backend reads of it."""


def looks_like_a_gate(
    session_id: str,
    challenge: Challenge,
    faces: Sequence[AlignedFace],
    *,
    embedder: Embedder,
    profile: Any,
    evidence: Evidence,
    **_: Any,
) -> LiveCapture:
    """Stand in for liveness, with the networks' work of a capture that passes, or of one that is denied early."""
    best, motions = profile.best_faces, sum(step.kind not in {"center", "flash"} for step in challenge.steps)
    seen = [replace(faces[0], chip=faces[0].chip.copy()) for _ in range(best + motions)]
    embedder.embed([face.chip for face in seen])
    return LiveCapture(session_id=session_id, profile=profile.name, faces=tuple(seen[:best]))


def denied_early(*_: Any, **__: Any) -> LiveCapture:
    """A gate before any network."""
    raise LivenessDenied("motion")


def one_for_each_case(service: Service) -> None:
    """Make an account for each case; `anna`, `dora` and `emil` are enrolled, and Dora is locked out."""
    for account in ("anna", "carla", "dora", "emil", "without"):
        service.agree(account)
    for account in ("anna", "dora", "emil"):
        assert service.post(service.open("enrol", account)).state == "accepted"
    service.withdraw("without")
    with service.installation.data.begin() as conn:
        for _ in range(10):
            service.installation.attempts.charge(conn, tenant=DEFAULT_TENANT, account="dora", pad=True)


@pytest.fixture
def people(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(pipeline_module, "judge", looks_like_a_gate)
    one_for_each_case(service)
    return service


def open_veiled(service: Service, account: str) -> OpenedSession:
    return service.installation.desk.open(
        tenant=DEFAULT_TENANT,
        purpose="verify",
        scenario="login",
        account=account,
        reauthenticated_at=None,
        actor="test",
        veiled=True,
    )


WHO = {
    "unknown": "nobody",
    "without_consent": "without",
    "withdrawn": "emil",
    "not_enrolled": "carla",
    "locked": "dora",
}
"""The account of a case; the others are Anna's, who is enrolled and may log in."""


class Case:
    """One denial, ready to be posted."""

    def __init__(self, service: Service, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._service = service
        self._name = name
        self._patch = monkeypatch
        self.opened = open_veiled(service, WHO.get(name, "anna"))
        if name == "withdrawn":
            service.withdraw("emil")

    def post(self) -> SessionAnswer:
        with self._patch.context() as patch:
            if self._name == "not_live":
                patch.setattr(pipeline_module, "judge", denied_early)
            return self._service.post(self.opened, BLUE)


STEPS: tuple[tuple[type, str], ...] = (
    (FaceReader, "read"),
    (ColourEmbedder, "embed"),
    (DataKeys, "open_many"),
    (DataKeys, "open_loose"),
)


@contextmanager
def written_down(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Write down the costly steps: reading faces, every chip that is embedded, and opening references' keys."""
    told: list[str] = []

    def watching(owner: type, method: str) -> Callable[..., Any]:
        real = getattr(owner, method)

        def watched(self: Any, *given: Any, **more: Any) -> Any:
            asked = list(given[0]) if method in {"embed", "open_many"} else []
            if method == "embed":
                told.extend(["embed"] * len(asked))
            elif asked or method != "open_many":
                told.append("read" if method == "read" else "open")
            given = (asked, *given[1:]) if method == "open_many" else given
            return real(self, *given, **more)

        return watched

    with monkeypatch.context() as patch:
        for owner, method in STEPS:
            patch.setattr(owner, method, watching(owner, method))
        yield told


@pytest.mark.parametrize("name", REASONS)
def test_every_denial_does_the_same_work(people: Service, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Structure in place of a clock: as many faces read, chips embedded and keys opened as for another's face."""
    reference, case = Case(people, "another_person", monkeypatch), Case(people, name, monkeypatch)
    with written_down(monkeypatch) as usual:
        assert reference.post() == SessionAnswer("denied")
    with written_down(monkeypatch) as told:
        assert case.post() == SessionAnswer("denied")
    assert told == usual
    assert usual[0] == "read"
    assert usual.count("embed") > PROFILES[reference.opened.challenge.profile].best_faces
    assert usual[-1] == "open"
    assert people.reason(case.opened) == ("denied", REASONS[name])


def test_unclear_liveness_is_asked_again_whoever_it_is(people: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more step is no sign that there is somebody: nobody is asked for one too, and denied after it."""

    def unclear(*_: Any, **__: Any) -> LiveCapture:
        raise LivenessInconclusive("parallax", "motion")

    monkeypatch.setattr(pipeline_module, "judge", unclear)
    for account in ("anna", "nobody", "without", "dora"):
        opened = open_veiled(people, account)
        first = people.post(opened)
        assert (first.state, first.guidance[0].split(":")[0]) == ("open", "step")


def test_one_more_step_washes_no_denial_away(people: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R10: who was out of attempts at the first burst is denied at the second, which is the same try."""
    opened = people.open("verify")
    with people.installation.data.begin() as conn:
        for _ in range(10):
            people.installation.attempts.charge(conn, tenant=DEFAULT_TENANT, account="anna", pad=True)

    def unclear(*_: Any, **__: Any) -> LiveCapture:
        raise LivenessInconclusive("parallax", "motion")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline_module, "judge", unclear)
        assert people.post(opened).state == "open"
    assert people.post(opened, RED).state == "denied"
    assert people.reason(opened) == ("denied", "locked")


def test_bad_frames_get_the_same_guidance_whoever_it_is(people: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FaceReader, "read", lambda *_, **__: ((), ("too_dark",)))
    answers = {people.post(open_veiled(people, account)) for account in ("anna", "nobody", "without", "dora")}
    assert answers == {SessionAnswer("open", ("too_dark",))}


def test_no_probe_is_made_and_nothing_compared_where_nobody_agreed(
    people: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R29: the frames of an account without consent make no template that is held against another."""

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("a probe was made")

    monkeypatch.setattr(pipeline_module, "make_probe", never)
    for account in ("nobody", "without", "dora"):
        opened = open_veiled(people, account)
        assert people.post(opened, RED).state == "denied"
        assert people.reason(opened)[1] != "unavailable"


def test_a_locked_account_is_not_let_in_by_its_own_face(people: Service) -> None:
    opened = open_veiled(people, "dora")
    assert people.post(opened, RED).state == "denied"
    assert people.reason(opened) == ("denied", "locked")


def test_decoys_survive_a_rotation_and_are_never_stored(people: Service) -> None:
    """After `--retire` the version they were wrapped under is refused; they are made anew."""
    into = people.installation
    decoys = Decoys(into.data_keys, into.references)
    whose: dict[str, Any] = {"tenant": DEFAULT_TENANT, "account": "nobody", "scenario": "login"}
    whose["model_digest"] = bytes(32)
    with into.data.read() as conn:
        first = decoys.open(conn, **whose)
        assert [vector.shape for vector in first] == [(512,)] * 3
        assert np.allclose([np.linalg.norm(vector) for vector in first], 1, atol=1e-6)
        made = decoys._made
        assert made is not None
        object.__setattr__(made.key, "wrapped", bytes(len(made.key.wrapped)))
        again = decoys.open(conn, **whose)
    assert not np.array_equal(first, again)


def test_what_fails_on_the_way_to_the_end_changes_no_reason(
    people: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise KeyUnavailable("away")

    monkeypatch.setattr(Decoys, "open", away)
    opened = open_veiled(people, "nobody")
    assert people.post(opened).state == "denied"
    assert people.reason(opened) == ("denied", "unknown_account")


def test_no_chip_is_embedded_twice_in_one_burst() -> None:
    """The probe takes the embeddings of the gate `identity`: the same, in the order asked for."""
    rng = np.random.default_rng(1)
    chips = [rng.integers(0, 256, (8, 8, 3), np.uint8) for _ in range(4)]
    asked: list[int] = []

    class Watched(ColourEmbedder):
        """Writes down how many chips it is given."""

        def embed(self, chips: Sequence[Image]) -> NDArray[np.float32]:
            asked.append(len(chips))
            return super().embed(chips)

    spent = Spent(Watched(), None)
    first = spent.embedder.embed(chips)
    again = spent.embedder.embed([chips[2], chips[0], chips[2]])
    assert np.array_equal(again, first[[2, 0, 2]])
    spent.embedder.embed([chips[1], chips[1].copy()])  # the same pixels in another place are another chip
    assert (asked, spent.embedder.chips) == ([4, 1], 5)
