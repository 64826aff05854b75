"""1:N through the whole pipeline: who is searched, who is found, and what an index alone can never do."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from faceauth.db.schema import attempts, data_keys
from faceauth.db.schema import biometric_references as references
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.match import decide as match
from faceauth.match.operating_points import VERIFY_POINT
from faceauth.types import OperatingPoint
from faceauth.vault.index import Candidate, ReferenceIndex
from tests.service import BLUE, RED, Service, failing


@pytest.fixture
def door(enrolled: Service) -> Service:
    enrolled.make_door()
    return enrolled


def test_identification_finds_only_those_who_agreed_to_it(door: Service) -> None:
    """R8: a consent for logging in is none for being searched for."""
    assert door.reason(_identified(door)) == ("denied", "mismatch")
    door.agree(scenario="door")
    assert door.post(door.open("enrol", scenario="door")).state == "accepted"
    opened = _identified(door)
    view = door.installation.desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)
    assert (view.session.state, view.session.matched_account) == ("accepted", "anna")
    assert door.reason(_identified(door, BLUE)) == ("denied", "mismatch")


def test_being_found_forgives_no_failed_login(door: Service) -> None:
    """R12: a search charges nobody, so its success takes nobody's failures back."""
    door.agree(scenario="door")
    door.post(door.open("enrol", scenario="door"))
    assert door.post(door.open("verify"), BLUE).state == "denied"
    assert door.reason(_identified(door))[0] == "accepted"
    with door.installation.data.read() as conn:
        assert conn.scalar(select(attempts.c.consecutive)) == 1


def test_identification_ends_with_the_consent(door: Service) -> None:
    door.agree(scenario="door")
    door.post(door.open("enrol", scenario="door"))
    door.withdraw(scenario="door")
    assert door.reason(_identified(door)) == ("denied", "mismatch")
    assert door.post(door.open("verify")).state == "accepted"


def test_an_index_that_lags_lets_nobody_in(door: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R33: the index still nominates, the database no longer confirms."""
    door.agree(scenario="door")
    door.post(door.open("enrol", scenario="door"))
    index = door.installation.index
    found: list[Any] = []
    search = type(index).search

    def remember(*args: Any) -> Any:
        found.extend(search(*args))
        return found

    monkeypatch.setattr(type(index), "search", remember)
    assert door.reason(_identified(door))[0] == "accepted"
    monkeypatch.setattr(type(index), "search", lambda *_: found)
    door.withdraw(scenario="door")
    assert found
    assert door.reason(_identified(door)) == ("denied", "mismatch")


def test_scores_of_the_index_decide_nothing(door: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever it nominates, however surely, is compared by what the sealed record holds."""
    door.agree(scenario="door")
    door.post(door.open("enrol", scenario="door"))
    index = door.installation.index
    search = type(index).search

    def sure(*args: Any) -> list[Candidate]:
        return [Candidate(found.reference_id, 1.0) for found in search(*args)] or [Candidate(*anna)]

    (reference_id,) = (found.reference_id for found in _everybody(door)[:1])
    anna = (reference_id, 1.0)
    monkeypatch.setattr(type(index), "search", sure)
    assert door.reason(_identified(door, BLUE)) == ("denied", "mismatch")
    monkeypatch.setattr(type(index), "search", lambda *_: [Candidate(reference_id, 1e-9)])
    assert door.reason(_identified(door))[0] == "accepted"


def test_the_gallery_that_raises_the_threshold_is_the_people_of_the_place(
    door: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R8: FPIR grows with the people searched, not with their references."""
    told: list[int] = []
    inner = match.identify

    def watched(*args: Any, gallery_size: int, **options: Any) -> Any:
        told.append(gallery_size)
        return inner(*args, gallery_size=gallery_size, **options)

    monkeypatch.setattr(match, "identify", watched)
    for account, colour in (("anna", RED), ("berta", BLUE)):
        door.agree(account)
        door.agree(account, scenario="door")
        assert door.post(door.open("enrol", account, "door"), colour).state == "accepted"
        assert door.reason(_identified(door))[0] == "accepted"
    assert told == [1, 2]


def test_an_erasure_right_after_the_commit_does_not_deny_what_was_stored(
    door: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R42: between the commit and the index the person withdraws; nothing of them gets into the index."""
    door.agree(scenario="door")
    index = door.installation.index
    adding = type(index).adding

    def withdrawn_first(self: ReferenceIndex) -> Any:
        door.withdraw(scenario="door")
        return adding(self)

    monkeypatch.setattr(type(index), "adding", withdrawn_first)
    assert door.post(door.open("enrol", scenario="door")).state == "accepted"
    assert len(index) == 0


def test_an_index_that_fails_does_not_deny_what_was_stored(door: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    door.agree(scenario="door")
    monkeypatch.setattr(type(door.installation.index), "adding", failing(MemoryError))
    assert door.post(door.open("enrol", scenario="door")).state == "accepted"
    assert door.reason(_identified(door)) == ("denied", "mismatch")


def test_a_search_never_decides_looser_than_a_login(door: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R8: among few people a looser point would keep the FPIR's target; it is not even offered."""
    door.agree(scenario="door")
    door.post(door.open("enrol", scenario="door"))
    login = door.installation.pipeline.embedder.operating_points[VERIFY_POINT]
    looser = replace(login, name="looser", threshold=login.threshold / 2)
    offered: dict[str, OperatingPoint] = {}
    inner = match.identify

    def watched(*args: Any, points: dict[str, OperatingPoint], **options: Any) -> Any:
        offered.update(points)
        return inner(*args, points=points, **options)

    points = {**door.installation.pipeline.embedder.operating_points, "looser": looser}
    monkeypatch.setattr(
        type(door.installation.pipeline.embedder), "operating_points", property(lambda _: points), raising=False
    )
    monkeypatch.setattr(match, "identify", watched)
    assert door.reason(_identified(door))[0] == "accepted"
    assert VERIFY_POINT in offered
    assert "looser" not in offered


def _everybody(door: Service) -> list[Candidate]:
    """Everyone the index holds for the door, by a probe that is any of them."""
    embedder = door.installation.pipeline.embedder
    chip = np.full((1, 64, 64, 3), RED, np.uint8)
    return door.installation.index.search(
        DEFAULT_TENANT, "door", embedder.model_digest, embedder.embed(list(chip))[0], 10
    )


def _identified(door: Service, colour: tuple[int, int, int] = RED) -> Any:
    opened = door.open("identify", None, "door")
    door.post(opened, colour)
    return opened


def test_who_cannot_be_opened_keeps_nobody_else_from_being_found(
    door: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R48: a data key that is gone, as while an erasure ends, is that person's matter alone."""
    into = door.installation
    for account, colour in (("ben", BLUE), ("anna", RED)):
        door.agree(account, scenario="door")
        assert door.post(door.open("enrol", account, scenario="door"), colour).state == "accepted"
    with into.key_database.begin() as conn:
        conn.execute(data_keys.delete().where(data_keys.c.account == "ben"))
    with into.data.read() as conn:
        stored = select(references.c.reference_id).where(references.c.scenario == "door")
        everybody = [Candidate(reference_id, 1.0) for reference_id in conn.scalars(stored)]
    assert len(everybody) > 1
    monkeypatch.setattr(type(into.index), "search", lambda *_: everybody)
    assert door.reason(_identified(door))[0] == "accepted"
    assert door.reason(_identified(door, BLUE)) == ("denied", "mismatch")
