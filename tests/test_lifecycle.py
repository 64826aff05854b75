"""Agreeing, withdrawing, closing, erasing, exporting."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from faceauth import pipeline as pipeline_module
from faceauth.db.schema import accounts, biometric_references, consent_events
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import ConsentRequired, UnknownAccount, UnknownReference, UnknownScenario
from faceauth.signing import DELETION_RECEIPT
from faceauth.vault.keyring import create_keyring
from faceauth.vault.scan import scan, vector_needles
from tests.clocks import HandClock, tending
from tests.databases import Databases
from tests.service import Service, everybody_is_live, make_service

WHO = {"tenant": DEFAULT_TENANT, "account": "anna"}


@pytest.fixture
def service(database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(pipeline_module, "judge", everybody_is_live)
    clock = HandClock()
    made = make_service(database, create_keyring(tmp_path / "keyring", now=clock()), tmp_path, clock)
    made.agree()
    made.post(made.open("enrol"))
    return made


def rows(service: Service) -> int:
    with service.installation.data.read() as conn:
        return len(conn.execute(select(biometric_references)).all())


def test_withdrawing_is_one_step_and_answers_a_receipt_that_can_be_checked(service: Service) -> None:
    """R32, R44: giving took one call, so does taking back."""
    receipt = service.withdraw()
    claims = service.installation.signer.check(receipt, expected_typ=DELETION_RECEIPT)
    assert "references" in json.dumps(claims)
    assert rows(service) == 0
    with pytest.raises(ConsentRequired):
        service.open("verify")


def test_withdrawing_again_answers_the_same_receipt(service: Service) -> None:
    assert service.withdraw() == service.withdraw()


def test_agreeing_again_starts_anew(service: Service) -> None:
    first = service.withdraw()
    service.agree()
    assert service.post(service.open("verify")).state == "denied"
    assert service.post(service.open("enrol")).state == "accepted"
    assert service.post(service.open("verify")).state == "accepted"
    assert service.withdraw() != first
    assert rows(service) == 0


def test_a_stuck_erasure_goes_on_in_the_running_service(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R40: two looks meet the same trouble, the third finds it gone."""
    into = service.installation
    with monkeypatch.context() as broken:
        broken.setattr(into.erasure, "_keys", None)
        with pytest.raises(AttributeError):
            service.withdraw()
        assert tending(into.erasure, 2) == [30, 30]
        assert len(into.erasure.unfinished()) == 1
    tending(into.erasure, 1)
    assert into.erasure.unfinished() == ()
    assert service.withdraw()


def test_what_is_unknown_is_said(service: Service) -> None:
    lifecycle = service.installation.lifecycle
    with pytest.raises(UnknownAccount):
        service.withdraw("nobody")
    with pytest.raises(UnknownScenario):
        service.withdraw("anna", "elsewhere")
    with pytest.raises(UnknownAccount):
        lifecycle.close_account(tenant="another", account="anna", actor="test")
    with pytest.raises(UnknownReference):
        lifecycle.delete_reference(**WHO, reference_id="reference_none", actor="test")


def test_closing_leaves_the_ledger_and_nothing_else(service: Service) -> None:
    """R37, R39: the proof outlives the face, without any biometric data."""
    service.installation.lifecycle.close_account(**WHO, actor="test")
    assert rows(service) == 0
    with service.installation.data.read() as conn:
        assert not conn.execute(select(accounts)).all()
        states = list(conn.scalars(select(consent_events.c.state).order_by(consent_events.c.seq)))
    assert states == ["given", "withdrawn"]
    with pytest.raises(UnknownAccount):
        service.open("verify")


def test_a_name_that_is_used_again_begins_with_nothing(service: Service) -> None:
    """R37: what is kept of the closed account as proof is not shown to whoever has its name after it."""
    into = service.installation
    service.withdraw()
    into.lifecycle.close_account(**WHO, actor="test")
    service.clock.forward(24 * 3600)
    with into.data.begin() as conn:
        new = into.accounts.ensure(conn, tenant=DEFAULT_TENANT, account="anna", now=service.clock())
    told = into.lifecycle.export(**WHO)
    assert (told["consents"], told["activity"]) == ([], [])
    with into.data.read() as conn:
        assert into.ledger.state(conn, DEFAULT_TENANT, "anna", "login") is None
        old = into.erasure.receipts(conn, **WHO, since=new.created_at - timedelta(days=2))
        assert len(old) == 2
        assert into.erasure.receipts(conn, **WHO, since=new.created_at) == ()
        assert len(list(conn.scalars(select(consent_events.c.state)))) == 2  # the proof is there
    assert service.withdraw() not in old


def test_agreeing_again_is_recorded_as_that(service: Service) -> None:
    """The audit log and the person's activity tell a first yes from a renewal."""
    service.agree()
    with service.installation.data.read() as conn:
        told = [str(one.event) for one in service.installation.audit.activity(conn, DEFAULT_TENANT, "anna")]
    assert [one for one in told if ":consent:" in one] == ["person:consent:given", "person:consent:renewed"]


def test_closing_again_answers_the_same_receipt(service: Service) -> None:
    """The first answer may be lost on its way; the tombstone is the account's, and no other tenant's."""
    lifecycle = service.installation.lifecycle
    receipt = lifecycle.close_account(**WHO, actor="test")
    assert lifecycle.close_account(**WHO, actor="test") == receipt
    with pytest.raises(UnknownAccount):
        lifecycle.close_account(tenant="another", account="anna", actor="test")


def test_one_reference_can_go_while_the_others_stay(service: Service) -> None:
    before = service.installation.lifecycle.export(**WHO)["references"]
    assert isinstance(before, list)
    doomed = before[0]["reference_id"]
    service.installation.lifecycle.delete_reference(**WHO, reference_id=doomed, actor="test")
    after = service.installation.lifecycle.export(**WHO)["references"]
    assert isinstance(after, list)
    assert {item["reference_id"] for item in after} == {item["reference_id"] for item in before} - {doomed}
    assert service.post(service.open("verify")).state == "accepted"


def test_the_export_holds_what_is_kept_and_no_vector(service: Service) -> None:
    """R24: consents with their receipts, references by id, activity; and it is JSON."""
    exported: Any = service.installation.lifecycle.export(**WHO)
    text = json.dumps(exported)
    assert exported["account"] == {
        "account_id": "anna",
        "locale": "en",
        "birth_date": None,
        "contact": None,
        "guardian": None,
        "created_at": "2026-03-01T12:00:00+00:00",
        "restricted_at": None,
    }
    assert len(exported["consents"]) == 1
    assert text.count("reference_id") == 3
    for name in ("vector", "score", "sealed", "embedding"):
        assert f'"{name}"' not in text


def test_the_erased_face_is_in_no_file(
    sqlite_database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R42: neither clear nor sealed, in database, write-ahead log or anything beside them."""
    monkeypatch.setattr(pipeline_module, "judge", everybody_is_live)
    clock = HandClock()
    service = make_service(sqlite_database, create_keyring(tmp_path / "keyring", now=clock()), tmp_path, clock)
    service.agree()
    service.post(service.open("enrol"))
    into = service.installation
    with into.data.read() as conn:
        sealed = list(conn.scalars(select(biometric_references.c.sealed)))
        opened = into.references.open_account(conn, **WHO, scenario="login", model_digest=b"c" * 32)
    needles = [needle for reference in opened for needle in vector_needles(reference.vector)]
    folder = [tmp_path / "databases"]
    assert not scan(folder, needles)
    assert scan(folder, sealed)
    service.withdraw()
    assert not scan(folder, [*needles, *sealed])
