"""The ledger writes down what a person decides, and nothing else."""

import dataclasses
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, text, update
from sqlalchemy.exc import IntegrityError

from faceauth.consent.ledger import Affirmation, ConsentRequest
from faceauth.db.schema import consent_events, live_consents
from faceauth.errors import ConsentInvalid, ConsentStale, GuardianRequired, UnknownAccount, UnknownScenario
from tests.consent.story import ANN, TENANT, FakeSigner, Story, doom, finish, store_reference
from tests.databases import Databases


@pytest.fixture
def story(database: Databases) -> Story:
    """Ann has an account and was never asked."""
    story = Story()
    with database.data.begin() as conn:
        story.open(conn)
    return story


def test_agreeing_writes_a_record_with_every_field(database: Databases, story: Story) -> None:
    """R28: the record and its signed receipt hold ISO/IEC TS 27560's fields, and nothing biometric (R37)."""
    with database.data.begin() as conn:
        event = story.ledger.record(conn, tenant=TENANT, account=ANN, request=story.request(conn))
        notice = story.notices.current(conn, TENANT, "login", story.now)
    record: Any = event.record
    assert (event.state, event.seq, event.receipt) == ("given", 1, "receipt-1")
    assert event.valid_until == story.now + timedelta(days=365)
    assert record["record_id"] == event.consent_id
    assert record["pii_principal_id"] == ANN
    assert record["schema_version"] == "faceauth/consent-record/v1"
    processing, purpose = record["pii_processing"], record["pii_processing"]["purposes"][0]
    assert processing["privacy_notice"]["sha256"] == notice.text("en").sha256
    assert processing["privacy_notice"]["version"] == 1
    assert processing["language"] == "en"
    assert purpose["purpose"] == "login"
    for name in ("pii_information", "storage_locations", "retention_period", "withdrawal_method", "jurisdiction"):
        assert name in purpose
    assert purpose["recipient_third_parties"] == []
    assert record["party_identification"][0]["party_name"] == "The operator of this service"
    assert record["event"]["event_state"] == "given"
    assert record["event"]["event_time"] == "2026-03-01T12:00:00Z"
    assert record["event"]["validity_duration"] == {"until": "2027-03-01T12:00:00Z"}
    assert record["event"]["affirmation"] == {"method": "checkbox", "checked_by_default": False, "text": "I agree"}
    typ, claims = story.signer.signed[0]
    assert typ == "consent-receipt+jwt"
    assert claims["consent_record"] == event.record
    with database.data.read() as conn:
        assert story.ledger.history(conn, TENANT, ANN) == (event,)


def _altered(request: ConsentRequest, **changes: Any) -> ConsentRequest:
    touched = {key: changes.pop(key) for key in ("method", "checked_by_default", "text") if key in changes}
    affirmation = dataclasses.replace(request.affirmation, **touched)
    return dataclasses.replace(request, affirmation=affirmation, **changes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"notice_sha256": "0" * 64}, "R30"),
        ({"notice_version": 2}, "no notice of version 2"),
        ({"notice_version": 2**40}, "no notice"),
        ({"notice_version": True}, "notice_version"),
        ({"locale": "fr"}, "only in: en, zh"),
        ({"locale": "zh"}, "R30"),
        ({"scenario": ["login", "payment"]}, "R31"),
        ({"checked_by_default": True}, "R31"),
        ({"checked_by_default": 0}, "R31"),
        ({"method": "silence"}, "checkbox"),
        ({"text": " "}, "words"),
        ({"text": "x" * 2001}, "2000"),
        ({"decision": "maybe"}, "given or refused"),
    ],
)
def test_what_is_not_a_free_informed_answer_is_refused(
    sqlite_database: Databases, change: dict[str, Any], words: str
) -> None:
    """R30, R31: another text than the published one, a bundle, a ticked box: nothing is recorded."""
    story = Story()
    with sqlite_database.data.begin() as conn:
        story.open(conn)
        request = _altered(story.request(conn), **change)
        with pytest.raises(ConsentInvalid, match=words):
            story.ledger.record(conn, tenant=TENANT, account=ANN, request=request)
        assert story.ledger.history(conn, TENANT, ANN) == ()


def test_a_json_body_becomes_a_request_or_an_error() -> None:
    """R31: what the application sends is checked before it has a type."""
    body = {
        "scenario": "login",
        "notice_version": 1,
        "notice_sha256": "ab",
        "locale": "en",
        "decision": "given",
        "affirmation": {"method": "oral", "checked_by_default": False, "text": "yes"},
    }
    request = ConsentRequest.from_json(body)
    assert request.affirmation == Affirmation("oral", checked_by_default=False, text="yes")
    for name in body:
        with pytest.raises(ConsentInvalid, match=name):
            ConsentRequest.from_json({key: value for key, value in body.items() if key != name})
    with pytest.raises(ConsentInvalid, match="R31"):
        ConsentRequest.from_json(body | {"scenario": ["login", "door"]})


def test_unknown_names_are_refused(database: Databases, story: Story) -> None:
    with database.data.begin() as conn:
        request = story.request(conn)
        with pytest.raises(UnknownAccount):
            story.ledger.record(conn, tenant=TENANT, account="bob", request=request)
        with pytest.raises(UnknownScenario):
            story.ledger.record(
                conn, tenant=TENANT, account=ANN, request=dataclasses.replace(request, scenario="door")
            )
        assert story.ledger.withdraw(conn, tenant=TENANT, account="bob", scenario="login") is None


def test_agreeing_again_renews_the_same_consent(database: Databases, story: Story) -> None:
    """The references that lean on a consent keep it through renewals."""
    with database.data.begin() as conn:
        first = story.agree(conn)
        store_reference(conn, "r1", first)
    story.later(days=100)
    with database.data.begin() as conn:
        assert story.agree(conn) == first
        assert [e.state for e in story.ledger.history(conn, TENANT, ANN)] == ["given", "renewed"]
        assert story.gate.ask(conn, tenant=TENANT, account=ANN, scenario="login").granted_at == story.now


def test_refusing_is_written_down_and_costs_nothing(database: Databases, story: Story) -> None:
    """R36: a refusal is an answer; agreeing later is possible, and a no to what was agreed to is withdrawing."""
    with database.data.begin() as conn:
        refusal = story.request(conn, decision="refused")
        event = story.ledger.record(conn, tenant=TENANT, account=ANN, request=refusal)
        assert (event.state, event.valid_until) == ("refused", None)
        assert not story.withdraw(conn)
        story.agree(conn)
        with pytest.raises(ConsentInvalid, match="withdraw it"):
            story.ledger.record(conn, tenant=TENANT, account=ANN, request=refusal)


def _publish(conn: Connection, story: Story, *, material: bool, days: int = 0) -> ConsentRequest:
    """Publish a newer notice; returns a no to it."""
    new = story.notices.publish(
        conn,
        tenant=TENANT,
        scenario="login",
        notices={"en": "New."},
        material=material,
        effective_at=story.now + timedelta(days=days),
        now=story.now,
    )
    old = story.request(conn, decision="refused")
    return _altered(old, notice_version=new.version, notice_sha256=new.text("en").sha256)


@pytest.mark.parametrize("material", [True, False])
def test_a_no_to_a_newer_notice_leaves_the_older_consent_as_it_is(
    database: Databases, story: Story, material: bool
) -> None:
    """R34, R36: written down with a receipt, before the notice is in force or after; the yes does not change."""
    with database.data.begin() as conn:
        first = story.agree(conn)
        store_reference(conn, "r1", first)
        before = conn.execute(live_consents.select()).one()
        refusal = _publish(conn, story, material=material, days=7)
        event = story.ledger.record(conn, tenant=TENANT, account=ANN, request=refusal)
        assert (event.state, event.notice_version, event.valid_until) == ("refused", 2, None)
        assert event.consent_id != first
        assert story.signer.signed[-1][1]["consent_record"] == event.record
        assert story.gate.ask(conn, tenant=TENANT, account=ANN, scenario="login").consent_id == first

        story.later(days=7)
        story.ledger.record(conn, tenant=TENANT, account=ANN, request=refusal)
        assert conn.execute(live_consents.select()).one() == before
        state = story.ledger.state(conn, TENANT, ANN, "login")
        assert state is not None
        assert (state.state, state.consent_id, state.stale, state.declined) == ("given", first, material, 2)
        assert state.since == before.granted_at
        if material:
            with pytest.raises(ConsentStale):
                story.gate.ask(conn, tenant=TENANT, account=ANN, scenario="login")
        else:
            assert story.gate.ask(conn, tenant=TENANT, account=ANN, scenario="login").consent_id == first

        assert story.agree(conn) == first, "a yes after it renews the same consent"
        state = story.ledger.state(conn, TENANT, ANN, "login")
        assert state is not None
        assert (state.state, state.declined) == ("renewed", None)
        assert story.withdraw(conn)


def test_a_no_when_the_time_is_over_is_one(database: Databases, story: Story) -> None:
    """R39: the person is asked to renew, and need not."""
    with database.data.begin() as conn:
        story.agree(conn)
        story.later(days=366)
        refusal = story.request(conn, decision="refused")
        assert story.ledger.record(conn, tenant=TENANT, account=ANN, request=refusal).state == "refused"
        state = story.ledger.state(conn, TENANT, ANN, "login")
        assert state is not None
        assert (state.state, state.since, state.declined) == ("expired", state.valid_until, 1)


def test_withdrawing_is_one_step_and_idempotent(database: Databases, story: Story) -> None:
    """R32: one call gives, one call withdraws; the second one finds nothing to end."""
    with database.data.begin() as conn:
        consent_id = story.agree(conn)
        event = story.ledger.withdraw(conn, tenant=TENANT, account=ANN, scenario="login")
        assert event is not None
        assert (event.state, event.consent_id, event.seq) == ("withdrawn", consent_id, 2)
        record: Any = event.record
        assert record["event"]["event_state"] == "withdrawn"
        assert not story.withdraw(conn)
        assert story.ledger.live(conn, TENANT, ANN) == ()


def test_a_new_consent_waits_for_the_erasure_of_the_old(database: Databases, story: Story) -> None:
    """R40: while the old face is being erased nobody can agree anew, and afterwards it is another consent."""
    with database.data.begin() as conn:
        first = story.agree(conn)
        story.withdraw(conn)
        with pytest.raises(ConsentInvalid, match="still being erased"):
            story.agree(conn)
        doom(conn, "t1", scenario="login")
        with pytest.raises(ConsentInvalid, match="still being erased"):
            story.agree(conn)
        finish(conn, "t1", scenario="login")
        assert story.agree(conn) != first


def test_a_guardian_must_agree_for_a_child(database: Databases, story: Story) -> None:
    """R35: under 14 on the very day before the birthday, not on the birthday; refusing needs nobody."""
    born = date(2012, 3, 2)  # 14 tomorrow
    with database.data.begin() as conn:
        story.accounts.ensure(conn, tenant=TENANT, account=ANN, birth_date=born, now=story.now)
        with pytest.raises(GuardianRequired):
            story.agree(conn)
        story.ledger.record(conn, tenant=TENANT, account=ANN, request=story.request(conn, decision="refused"))
        story.accounts.ensure(conn, tenant=TENANT, account=ANN, guardian={"name": "Eve"}, now=story.now)
        story.agree(conn)
        last: Any = story.ledger.history(conn, TENANT, ANN)[-1].record
        assert last["event"]["entity_id"] == "guardian"
        story.later(days=1)
        story.agree(conn)
        last = story.ledger.history(conn, TENANT, ANN)[-1].record
        assert last["event"]["entity_id"] == "pii_principal"


def test_only_a_notice_in_force_can_be_agreed_to(database: Databases, story: Story) -> None:
    """R34: a material notice replaces the earlier ones once it is in force; before that it cannot be agreed to."""
    with database.data.begin() as conn:
        old = story.request(conn)
        new = story.notices.publish(
            conn,
            tenant=TENANT,
            scenario="login",
            notices={"en": "New."},
            material=True,
            effective_at=story.now + timedelta(days=7),
            now=story.now,
        )
        early = _altered(old, notice_version=2, notice_sha256=new.text("en").sha256)
        with pytest.raises(ConsentInvalid, match="not in force yet"):
            story.ledger.record(conn, tenant=TENANT, account=ANN, request=early)
        story.ledger.record(conn, tenant=TENANT, account=ANN, request=old)
        story.later(days=7)
        with pytest.raises(ConsentInvalid, match="replaced by 2"):
            story.ledger.record(conn, tenant=TENANT, account=ANN, request=old)
        state = story.ledger.state(conn, TENANT, ANN, "login")
        assert state is not None
        assert (state.state, state.stale, state.allows) == ("given", True, False)
        assert story.ledger.record(conn, tenant=TENANT, account=ANN, request=early).state == "renewed"


def test_a_retired_scenario_takes_no_new_consent_but_lets_go(database: Databases, story: Story) -> None:
    with database.data.begin() as conn:
        request = story.request(conn)
        story.agree(conn)
        story.scenarios.retire(conn, tenant=TENANT, scenario="login")
        with pytest.raises(ConsentInvalid, match="retired"):
            story.ledger.record(conn, tenant=TENANT, account=ANN, request=request)
        assert story.withdraw(conn)


def test_the_state_follows_from_the_events(database: Databases, story: Story) -> None:
    """R29: only given and renewed allow, and time alone ends them."""
    with database.data.begin() as conn:
        assert story.ledger.state(conn, TENANT, ANN, "login") is None
        story.agree(conn)
        state = story.ledger.state(conn, TENANT, ANN, "login")
        assert state is not None
        assert state.allows
        story.later(days=365)
        state = story.ledger.state(conn, TENANT, ANN, "login")
        assert state is not None
        assert (state.state, state.allows) == ("expired", False)


def test_history_cannot_be_changed(database: Databases, story: Story) -> None:
    """The database itself refuses to change or delete an event, whoever asks."""
    with database.data.begin() as conn:
        story.agree(conn)
    for statement in (update(consent_events).values(state="refused"), delete(consent_events)):
        with pytest.raises(IntegrityError, match="append-only"), database.data.begin() as conn:
            conn.execute(statement)
    if database.data.dialect == "postgresql":
        with pytest.raises(IntegrityError, match="append-only"), database.data.begin() as conn:
            conn.execute(text("TRUNCATE consent_events"))
    with database.data.read() as conn:
        assert len(story.ledger.history(conn, TENANT, ANN)) == 1


def test_a_signer_that_fails_leaves_nothing(database: Databases, story: Story) -> None:
    """No receipt, no consent: both are in one transaction."""

    class Broken(FakeSigner):
        def sign(self, claims: Any, *, typ: str) -> str:
            super().sign(claims, typ=typ)
            raise RuntimeError("the key is gone")

    broken = Story(signer=Broken())
    with pytest.raises(RuntimeError), database.data.begin() as conn:
        broken.agree(conn)
    with database.data.read() as conn:
        assert story.ledger.history(conn, TENANT, ANN) == ()
        assert conn.execute(live_consents.select()).first() is None
