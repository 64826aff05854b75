"""Change of model without asking everyone again: old references log in once more, and are replaced by that."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from faceauth import pipeline as pipeline_module
from faceauth.db.schema import biometric_references, data_keys, tombstones
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import AuditUnavailable, KeyUnavailable, StorageError
from faceauth.renewal import erase_model
from faceauth.types import ChipTemplate, Image, OperatingPoint
from tests.renewal import NEW, OLD, Crowd, Nobody, events, models, pack, restart
from tests.service import BLUE, POINT, RED, TEMPLATE, ColourEmbedder, Service, failing


@pytest.fixture
def moved(enrolled: Service) -> Service:
    """Anna is enrolled with the old model; the service now runs the new one beside it."""
    return restart(enrolled, before=pack(ColourEmbedder()))


def keys(service: Service) -> set[str]:
    with service.installation.key_database.read() as conn:
        return set(conn.scalars(select(data_keys.c.data_key_id)))


# --- 1:1 -------------------------------------------------------------------------------------------------------


def test_without_the_pack_before_everyone_must_enrol_again(enrolled: Service) -> None:
    """R23: the new model compares with nothing that the old one made."""
    alone = restart(enrolled, before=None)
    opened = alone.open("verify")
    assert alone.post(opened).state == "denied"
    assert alone.reason(opened) == ("denied", "not_enrolled")
    assert models(alone) == {OLD: 3}


def test_the_next_login_moves_a_person_to_the_new_model(moved: Service) -> None:
    """One login: accepted by the old model, stored by the new one, the old erased through the vault (R40)."""
    before, start = keys(moved), len(events(moved))
    opened = moved.open("verify")
    assert moved.post(opened).state == "accepted"
    assert models(moved) == {NEW: 3}
    view = moved.installation.desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)
    with moved.installation.data.read() as conn:
        assert view.session.reference_id in list(conn.scalars(select(biometric_references.c.reference_id)))
        assert set(conn.scalars(select(tombstones.c.state))) == {"done"}
        assert set(conn.scalars(select(tombstones.c.reason))) == {"model_replaced"}
        assert moved.installation.audit.verify(conn).intact
    assert not before & keys(moved)  # the key that backups of the old references would need
    told = events(moved)[start:]
    assert told.count("vault:reference:renewed") == 1
    assert told.index("vault:reference:renewed") < told.index("service:session:accepted")
    # From now on the new model decides, and nothing is renewed again.
    assert moved.post(moved.open("verify")).state == "accepted"
    assert moved.post(moved.open("verify"), BLUE).state == "denied"
    assert events(moved).count("vault:reference:renewed") == 1
    alone = restart(moved, before=None)
    alone._seeds = 3000  # frames that nobody sent before
    assert alone.post(alone.open("verify")).state == "accepted"


def test_another_person_moves_nobody(moved: Service) -> None:
    opened = moved.open("verify")
    assert moved.post(opened, BLUE).state == "denied"
    assert moved.reason(opened) == ("denied", "mismatch")
    assert models(moved) == {OLD: 3}


def test_a_login_that_only_just_matched_renews_nothing(moved: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever passes by chance is in once; it must not become the person's own face."""
    strict = OperatingPoint("fmr-1e-6", 1.0, 1e-6, 1e-6, 100_000, 0.1, 100, "made up: nobody reaches it")
    points: Mapping[str, OperatingPoint] = {"fmr-1e-4": POINT, "fmr-1e-6": strict}
    monkeypatch.setattr(ColourEmbedder, "operating_points", points)
    assert moved.post(moved.open("verify")).state == "accepted"
    assert models(moved) == {OLD: 3}


def test_enrolling_replaces_what_the_pack_before_made(moved: Service) -> None:
    assert moved.post(moved.open("enrol"), BLUE).state == "accepted"
    assert models(moved) == {NEW: 3}
    assert moved.post(moved.open("verify"), RED).state == "denied"
    assert moved.post(moved.open("verify"), BLUE).state == "accepted"


def test_one_scenario_at_a_time(enrolled: Service) -> None:
    """The consent for logging in covers no other scenario's references."""
    enrolled.make_door()
    enrolled.agree(scenario="door")
    assert enrolled.post(enrolled.open("enrol", scenario="door")).state == "accepted"
    moved = restart(enrolled, before=pack(ColourEmbedder()))
    assert moved.post(moved.open("verify")).state == "accepted"
    assert models(moved) == {OLD: 3, NEW: 3}


# --- what the pack before sees ---------------------------------------------------------------------------------


def test_the_pack_before_cuts_its_own_chips_of_the_same_face(enrolled: Service) -> None:
    """Another template and detector: the face that passed liveness is compared, not the first that is found."""
    small = ChipTemplate(size=50, points=TEMPLATE.points / np.float32(2))
    sizes: set[tuple[int, ...]] = set()

    class Small(ColourEmbedder):
        template = small

        def embed(self, chips: Sequence[Image]) -> NDArray[np.float32]:
            sizes.update(chip.shape for chip in chips)
            return super().embed(chips)

    moved = restart(enrolled, before=pack(Small(), detector=Crowd()))
    assert moved.post(moved.open("verify")).state == "accepted"
    assert sizes == {(50, 50, 3)}
    assert models(moved) == {NEW: 3}


def test_a_face_the_pack_before_does_not_see_is_denied(enrolled: Service) -> None:
    moved = restart(enrolled, before=pack(ColourEmbedder(), detector=Nobody()))
    opened = moved.open("verify")
    assert moved.post(opened).state == "denied"
    assert moved.reason(opened) == ("denied", "mismatch")
    # Whoever has moved does not need it.
    moved.post(moved.open("enrol"))
    assert moved.post(moved.open("verify")).state == "accepted"


def test_a_pack_before_that_fails_denies(enrolled: Service) -> None:
    """R4: whatever it meets."""

    class Broken(ColourEmbedder):
        def embed(self, chips: Sequence[Image]) -> NDArray[np.float32]:
            return super().embed(chips) * np.float32(np.nan)

    moved = restart(enrolled, before=pack(Broken()))
    opened = moved.open("verify")
    assert moved.post(opened).state == "denied"
    assert moved.reason(opened) == ("denied", "unavailable")


# --- what may go wrong -----------------------------------------------------------------------------------------


def test_a_withdrawal_while_renewing_stops_the_login(moved: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R33: after the comparison, before the transaction that accepts."""
    owner = type(moved.installation.pipeline.keys)
    current = owner.current

    def withdrawn_first(*args: Any, **more: Any) -> Any:
        monkeypatch.undo()
        monkeypatch.setattr(pipeline_module, "judge", failing(AssertionError))
        moved.withdraw()
        return current(*args, **more)

    monkeypatch.setattr(owner, "current", withdrawn_first)
    opened = moved.open("verify")
    assert moved.post(opened).state == "denied"
    assert moved.reason(opened) == ("denied", "consent_required")
    assert models(moved) == {}


@pytest.mark.parametrize("part", ["add", "ids"])
def test_nothing_is_accepted_when_nothing_can_be_stored(
    moved: Service, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """R57: accepting, storing and dooming are one transaction: all of it or none."""
    monkeypatch.setattr(type(moved.installation.references), part, failing(KeyUnavailable("gone")))
    opened = moved.open("verify")
    assert moved.post(opened).state == "denied"
    assert moved.reason(opened) == ("denied", "unavailable")
    monkeypatch.undo()
    assert models(moved) == {OLD: 3}


def test_without_an_audit_record_nobody_is_moved(moved: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R49."""
    opened = moved.open("verify")
    monkeypatch.setattr(type(moved.installation.audit), "append", failing(AuditUnavailable("full")))
    with pytest.raises(AuditUnavailable):
        moved.post(opened)
    assert models(moved) == {OLD: 3}


def test_an_erasure_that_is_cut_short_is_finished_later(moved: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R40: the login stands, the old references open no more, and the next start erases them."""
    monkeypatch.setattr(type(moved.installation.pipeline.keys), "destroy", failing(StorageError("full")))
    opened = moved.open("verify")
    assert moved.post(opened).state == "accepted"
    assert moved.reason(opened) == ("accepted", None)
    assert models(moved) == {OLD: 3, NEW: 3}
    monkeypatch.undo()
    with moved.installation.data.read() as conn:
        found = moved.installation.references.open_account(
            conn, tenant=DEFAULT_TENANT, account="anna", scenario="login", model_digest=OLD
        )
    assert found == ()
    assert len(moved.installation.erasure.resume()) == 3
    assert models(moved) == {NEW: 3}


def test_withdrawing_and_renewing_at_once(service: Service) -> None:
    """R33: locks are taken in one order, so neither fails; and nothing outlives the withdrawal."""
    names = [f"person{number}" for number in range(6)]
    for name in names:
        service.agree(name)
        assert service.post(service.open("enrol", name)).state == "accepted"
    moved = restart(service, before=pack(ColourEmbedder()))
    sessions = {name: moved.open("verify", name) for name in names}
    with ThreadPoolExecutor(2) as pool:
        for name, opened in sessions.items():
            login, withdrawal = pool.submit(moved.post, opened), pool.submit(moved.withdraw, name)
            assert login.result().state in {"accepted", "denied"}
            assert withdrawal.result()
    ends = {moved.reason(opened)[1] for opened in sessions.values()}
    assert ends <= {None, "consent_required", "not_enrolled", "mismatch"}
    assert models(moved) == {}
    assert moved.installation.erasure.unfinished() == ()


# --- the end ---------------------------------------------------------------------------------------------------


class Agreed:
    """A second person who agreed: that is not what is tested here."""

    def check(self, conn: Connection) -> None: ...

    def use(self, conn: Connection) -> None: ...


def test_finishing_erases_what_is_left_and_keeps_consents(moved: Service) -> None:
    """R40, R49: account by account, audited first; the person may enrol again under the consent that stands."""
    moved.agree("ben")
    assert moved.post(moved.open("enrol", "ben"), BLUE).state == "accepted"
    told: list[tuple[int, int]] = []
    into = moved.installation
    gone = erase_model(
        into.data,
        into.erasure,
        into.audit,
        model_digest=OLD,
        pack="double",
        actor="cli",
        approved=Agreed(),
        progress=lambda done, total: told.append((done, total)),
    )
    assert (gone, told) == (3, [(1, 1)])
    assert models(moved) == {NEW: 3}
    assert events(moved).count("operator:model:retired") == 1
    opened = moved.open("verify")
    assert moved.post(opened).state == "denied"
    assert moved.reason(opened) == ("denied", "not_enrolled")
    assert moved.post(moved.open("verify", "ben"), BLUE).state == "accepted"
    assert moved.post(moved.open("enrol")).state == "accepted"
