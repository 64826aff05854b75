"""Device keys from the account's side: bound once with another factor, seen, renamed, revoked, erased."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from faceauth.audit.events import Event
from faceauth.binding import Asked, Binding
from faceauth.db.audit_tables import audit_log
from faceauth.db.device_tables import device_challenges, device_keys
from faceauth.db.tenants import DEFAULT_TENANT, ensure_tenant
from faceauth.errors import (
    AlreadyExists,
    InvalidRequest,
    ReauthenticationRequired,
    SignatureInvalid,
    UnknownAccount,
    UnknownDevice,
)
from faceauth.identity.devices import MOST
from faceauth.identity.signed import binding_message
from faceauth.identity.webauthn_keys import relying_party
from tests.devices import ORIGIN, Authenticator, RawDevice
from tests.service import Service

WHO: dict[str, Any] = {"tenant": DEFAULT_TENANT, "account": "anna"}


@pytest.fixture
def people(service: Service) -> Service:
    """Anna and Bea have accounts, at an address that WebAuthn can use."""
    service.agree("anna")
    service.agree("bea")
    service.installation = replace(service.installation, relying_party=relying_party(ORIGIN))
    return service


def binding(service: Service) -> Binding:
    return Binding.of(service.installation)


def bind(service: Service, device: RawDevice, asked: Asked, **change: Any) -> None:
    said: dict[str, Any] = {
        **WHO,
        "label": "App",
        "reauthenticated_at": service.clock(),
        "actor": "test",
        **change,
    }
    binding(service).bind_raw(device.jwk, device.sign(binding_message(asked.challenge)), **said)


def rows(service: Service) -> tuple[int, int]:
    """Count keys and challenges."""
    with service.installation.data.read() as conn:
        keys = conn.scalar(select(func.count()).select_from(device_keys)) or 0
        return keys, conn.scalar(select(func.count()).select_from(device_challenges)) or 0


def events(service: Service) -> list[tuple[str, str]]:
    with service.installation.data.read() as conn:
        found = conn.execute(select(audit_log.c.event, audit_log.c.details).order_by(audit_log.c.seq))
        return [(row.event, row.details["device_id"]) for row in found if ":device:" in row.event]


def test_both_kinds_are_bound_seen_renamed_and_revoked(people: Service) -> None:
    """Each act is audited, and what the owner sees holds no key."""
    app, now = RawDevice().bind(people), people.clock()
    people.clock.forward(1)
    phone = Authenticator().bind(people)
    found = binding(people).list(**WHO)
    assert [(one.device_id, one.kind, one.label, one.attestation, one.hardware) for one in found] == [
        (app.device_id, "raw", "App", "none", False),
        (phone.device_id, "webauthn", "Phone", "none", False),
    ]
    assert found[0].created_at == now
    assert found[0].last_used_at is None
    renamed = binding(people).rename(app.device_id, **WHO, label="Old app", actor="test")
    assert renamed.label == "Old app"
    binding(people).revoke(app.device_id, **WHO, actor="test")
    assert [one.device_id for one in binding(people).list(**WHO)] == [phone.device_id]
    with pytest.raises(UnknownDevice):
        binding(people).revoke(app.device_id, **WHO, actor="test")
    assert events(people) == [
        (Event.DEVICE_BOUND, app.device_id),
        (Event.DEVICE_BOUND, phone.device_id),
        (Event.DEVICE_RENAMED, app.device_id),
        (Event.DEVICE_REVOKED, app.device_id),
    ]


@pytest.mark.parametrize("age", [None, 301, -31])
def test_binding_takes_a_fresh_proof_of_another_factor(people: Service, age: int | None) -> None:
    """R14: as enrolling a face does."""
    asked = binding(people).ask(**WHO, kind="raw")
    proof = None if age is None else people.clock() - timedelta(seconds=age)
    with pytest.raises(ReauthenticationRequired):
        bind(people, RawDevice(), asked, reauthenticated_at=proof)
    assert rows(people)[0] == 0


def test_a_challenge_is_answered_once_in_time_and_for_its_account(people: Service) -> None:
    """A binding that somebody recorded binds nothing again."""
    first, second = RawDevice(), RawDevice()
    asked = binding(people).ask(**WHO, kind="raw")
    with pytest.raises(InvalidRequest):
        bind(people, first, asked, account="bea")
    bea = binding(people).ask(tenant=DEFAULT_TENANT, account="bea", kind="raw")
    with pytest.raises(SignatureInvalid):
        bind(people, first, bea)
    with pytest.raises(SignatureInvalid):
        bind(people, first, asked, account="bea")
    bind(people, first, asked)
    with pytest.raises(InvalidRequest):
        bind(people, second, asked)
    late = binding(people).ask(**WHO, kind="raw")
    newer = binding(people).ask(**WHO, kind="raw")
    with pytest.raises(SignatureInvalid):
        bind(people, second, late)
    people.clock.forward(300)
    with pytest.raises(InvalidRequest):
        bind(people, second, newer)


def test_a_key_belongs_to_one_account(people: Service) -> None:
    """Or one person's phone would prove another's login; another tenant's people are not asked."""
    device = RawDevice()
    device.bind(people)
    with pytest.raises(AlreadyExists):
        device.bind(people, "bea")
    phone = Authenticator()
    phone.bind(people)
    with pytest.raises(AlreadyExists):
        phone.bind(people, "bea")
    with people.installation.data.begin() as conn:
        ensure_tenant(conn, tenant="other", now=people.clock())
        people.installation.accounts.ensure(conn, tenant="other", account="anna", now=people.clock())
    asked = binding(people).ask(tenant="other", account="anna", kind="raw")
    bind(people, device, asked, tenant="other")
    with pytest.raises(UnknownDevice):
        binding(people).rename(device.device_id, tenant="other", account="anna", label="x", actor="test")


def test_an_account_has_so_many_keys_and_no_more(people: Service) -> None:
    """A bound on what a stolen backend key can add."""
    for _ in range(MOST):
        RawDevice().bind(people)
    with pytest.raises(InvalidRequest, match="at most"):
        RawDevice().bind(people)


@pytest.mark.parametrize("label", ["", " ", "x" * 101, "a\nb", "\u202eevil"])
def test_a_label_can_be_seen(people: Service, label: str) -> None:
    """It is shown to its owner and to administrators."""
    asked = binding(people).ask(**WHO, kind="raw")
    with pytest.raises(InvalidRequest):
        bind(people, RawDevice(), asked, label=label)
    device = RawDevice().bind(people)
    with pytest.raises(InvalidRequest):
        binding(people).rename(device.device_id, **WHO, label=label, actor="test")


def test_nothing_is_bound_to_nobody(people: Service) -> None:
    """404, as everywhere."""
    for act in (
        lambda: binding(people).ask(tenant=DEFAULT_TENANT, account="nobody", kind="raw"),
        lambda: binding(people).list(tenant=DEFAULT_TENANT, account="nobody"),
    ):
        with pytest.raises(UnknownAccount):
            act()


def test_the_authenticator_is_told_no_name_and_the_same_one_each_time(people: Service) -> None:
    """WebAuthn, 14.6.1: the user handle says nothing of the person, and is another for another account."""
    handles = [
        (binding(people).ask(tenant=DEFAULT_TENANT, account=who, kind="webauthn").options or {})["user"]["id"]
        for who in ("anna", "anna", "bea")
    ]
    assert handles[0] == handles[1] != handles[2]
    Authenticator().bind(people)
    options = binding(people).ask(**WHO, kind="webauthn").options or {}
    assert len(options["excludeCredentials"]) == 1


def test_the_export_has_them_and_closing_the_account_takes_them(people: Service) -> None:
    """R40, R41: the owner takes along what is kept, and nothing stays."""
    device = RawDevice().bind(people, label="My phone")
    RawDevice().bind(people, "bea")
    binding(people).ask(**WHO, kind="raw")
    exported: Any = people.installation.lifecycle.export(**WHO)["devices"]
    assert [(one["device_id"], one["label"], one["kind"]) for one in exported] == [
        (device.device_id, "My phone", "raw")
    ]
    assert "public_key" not in str(exported)
    people.withdraw()
    assert rows(people) == (2, 1)
    people.installation.lifecycle.close_account(**WHO, actor="test")
    assert rows(people) == (1, 0)


def test_the_person_sees_it_in_the_activity(people: Service) -> None:
    """A key that somebody else bound would be seen there."""
    RawDevice().bind(people)
    with people.installation.data.read() as conn:
        found = people.installation.audit.activity(conn, DEFAULT_TENANT, "anna")
    assert str(found[-1].event) == "person:device:bound"


def test_at_an_address_of_numbers_only_raw_keys_are_bound(service: Service) -> None:
    """The default ISSUER is 127.0.0.1: the text says what to set."""
    service.agree()
    party = service.installation.relying_party
    assert (party.rp_id, party.origins) == ("127.0.0.1", ("http://127.0.0.1:8000",))
    with pytest.raises(InvalidRequest, match="FACEAUTH_ISSUER"):
        binding(service).ask(**WHO, kind="webauthn")
    assert RawDevice().bind(service).kind == "raw"
