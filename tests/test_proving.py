"""A device key through the pipeline: what a scenario asks, what a token says, and every way to misuse a key."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from faceauth.audit.events import Event
from faceauth.binding import Binding
from faceauth.db.audit_tables import audit_log
from faceauth.db.device_tables import device_keys
from faceauth.db.schema import attempts
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.identity.attestation_roots import read_roots
from faceauth.identity.webauthn_keys import relying_party
from faceauth.liveness.transaction import make_transaction
from faceauth.sessions import OpenedSession, SessionView
from faceauth.types import DeviceKeyPolicy
from tests.databases import Databases
from tests.devices import ORIGIN, Authenticator, Maker, RawDevice, message_of, post
from tests.service import BLUE, RED, Service, frames

Device = RawDevice | Authenticator
FACE, FACE_DEVICE = "urn:faceauth:acr:face", "urn:faceauth:acr:face-device"


@pytest.fixture
def database(sqlite_database: Databases) -> Databases:
    """None of this hangs on the kind of database; what does is in test_binding.py."""
    return sqlite_database


@pytest.fixture
def door(enrolled: Service) -> Service:
    """Anna is enrolled, at an address that WebAuthn can use."""
    installation, party = enrolled.installation, relying_party(ORIGIN)
    pipeline = installation.pipeline
    proving = replace(pipeline.proving, relying_party=party)
    enrolled.installation = replace(installation, relying_party=party, pipeline=replace(pipeline, proving=proving))
    return enrolled


def ask(service: Service, policy: DeviceKeyPolicy, scenario: str = "login") -> None:
    with service.installation.data.begin() as conn:
        service.installation.scenarios.ask_device_key(
            conn, tenant=DEFAULT_TENANT, scenario=scenario, policy=policy
        )


def view(service: Service, opened: OpenedSession) -> SessionView:
    return service.installation.desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)


def outcome(service: Service, opened: OpenedSession) -> tuple[str, str | None, tuple[str, ...], str | None]:
    seen = view(service, opened)
    return seen.session.state, seen.session.reason, seen.amr, seen.acr


def misuses(service: Service) -> list[tuple[str, str | None]]:
    with service.installation.data.read() as conn:
        found = conn.execute(
            select(audit_log.c.details)
            .where(audit_log.c.event == str(Event.DEVICE_MISUSED))
            .order_by(audit_log.c.seq)
        )
        return [(row.details["reason"], row.details.get("device_id")) for row in found]


PROVEN = ("accepted", None, ("face", "swk", "mfa"), FACE_DEVICE)
ALONE = ("accepted", None, ("face",), FACE)
REFUSED = ("denied", "not_enrolled", (), None)
INJECTED = ("denied", "injection", (), None)


@pytest.mark.parametrize(
    ("policy", "signs", "expected"),
    [
        ("required", True, PROVEN),
        ("required", False, REFUSED),
        ("preferred", True, PROVEN),
        ("preferred", False, ALONE),
        ("none", True, ALONE),
        ("none", False, ALONE),
    ],
)
def test_what_a_scenario_asks_and_what_its_token_says(
    door: Service, policy: DeviceKeyPolicy, signs: bool, expected: tuple[Any, ...]
) -> None:
    """R17: `mfa` only when a device key was proven in the same transaction."""
    device = RawDevice()
    device.bind(door)
    ask(door, policy)
    opened = door.open("verify")
    assert opened.challenge.device_key == policy
    if signs:
        post(door, opened, device, seed=1)
    else:
        door.post(opened)
    assert outcome(door, opened) == expected
    token = view(door, opened).id_token
    assert (token is None) == (expected[0] == "denied")
    if token is not None:
        claims = door.installation.tokens.check(token, expected_audience=DEFAULT_TENANT)
        assert (claims.amr, claims.acr) == expected[2:]
        assert ("mfa" in claims.amr) == (signs and policy != "none")
    assert (view(door, opened).session.device_id == device.device_id) == (expected == PROVEN)


def test_a_signature_does_not_make_up_for_a_face(door: Service) -> None:
    """R17: `face` is there only when the face passed; the key alone proves nothing here."""
    device = RawDevice()
    device.bind(door)
    opened = door.open("verify")
    assert post(door, opened, device, BLUE, seed=1).state == "denied"
    assert outcome(door, opened) == ("denied", "mismatch", (), None)
    assert view(door, opened).session.device_id is None


def test_a_webauthn_key_signs_session_after_session(door: Service) -> None:
    """Its counter grows; the last use is noted with the acceptance alone."""
    phone = Authenticator()
    bound = phone.bind(door)
    for number in range(2):
        door.clock.forward(1)
        opened = door.open("verify")
        assert post(door, opened, phone, seed=number).state == "accepted"
        assert outcome(door, opened) == PROVEN
    used = door.clock()
    door.clock.forward(1)
    assert post(door, door.open("verify"), phone, BLUE, seed=9).state == "denied"
    listed = Binding.of(door.installation).list(tenant=DEFAULT_TENANT, account="anna")
    assert [(one.device_id, one.last_used_at) for one in listed] == [(bound.device_id, used)]


def test_attested_hardware_is_told_as_such(door: Service, tmp_path: Any) -> None:
    """RFC 8176: `hwk`."""
    from faceauth.clock import system_clock  # noqa: PLC0415  certificates are checked against the machine's time

    maker = Maker(system_clock())
    party = relying_party(ORIGIN, roots=read_roots(maker.write(tmp_path / "roots")))
    door.installation = replace(door.installation, relying_party=party)
    phone = Authenticator(attests="maker", maker=maker)
    assert phone.bind(door).hardware
    opened = door.open("verify")
    post(door, opened, phone, seed=1)
    assert outcome(door, opened) == ("accepted", None, ("face", "hwk", "mfa"), FACE_DEVICE)


def test_a_key_without_a_counter_is_taken(door: Service) -> None:
    """Synced passkeys always say 0 (WebAuthn, 6.1.1)."""
    phone = Authenticator(counts=False)
    phone.bind(door)
    for number in range(2):
        opened = door.open("verify")
        post(door, opened, phone, seed=number)
        assert outcome(door, opened) == PROVEN


@pytest.mark.parametrize("back", [0, 1, 2])
def test_a_counter_that_goes_back_denies_and_is_audited(door: Service, back: int) -> None:
    """Somebody has a copy of the key (WebAuthn, 6.1.1)."""
    phone = Authenticator()
    bound = phone.bind(door)
    post(door, door.open("verify"), phone, seed=1)
    assert phone.counter == 2
    phone.counter = back - 1
    opened = door.open("verify")
    post(door, opened, phone, seed=2)
    assert outcome(door, opened) == INJECTED
    assert misuses(door) == [("counter", bound.device_id)]


def of_another_session(door: Service, device: RawDevice) -> dict[str, Any]:
    """A signature over the same frames, for another session of the same person."""
    return {"signature": device.answer(b"another session")["signature"]}


WRONG: dict[str, Callable[[Service, RawDevice], dict[str, Any]]] = {
    "another session": of_another_session,
    "another key": lambda _, device: {
        "signature": RawDevice().answer(b"x" + device.device_id.encode())["signature"]
    },
    "no signature": lambda *_: {"signature": None},
    "empty": lambda *_: {"signature": ""},
    "a number": lambda *_: {"signature": 5},
    "long": lambda *_: {"signature": "A" * 5_000},
    "not base64": lambda *_: {"signature": "é!"},
    "the other kind": lambda *_: {"kind": "webauthn"},
    "the other kind, with something": lambda *_: {"kind": "webauthn", "assertion": {"id": "AAAA"}},
    "an id that is no text": lambda *_: {"kind": "webauthn", "assertion": {"id": 5}},
    "no kind": lambda *_: {"kind": None},
    "a kind that is none": lambda *_: {"kind": ["raw"]},
    "no such device": lambda *_: {"device_id": "device_none"},
    "no device": lambda *_: {"device_id": None},
    "a long device": lambda *_: {"device_id": "d" * 5_000},
    "a device with a NUL": lambda *_: {"device_id": "d\x00"},
    "a device with half a character": lambda *_: {"device_id": "d\ud800"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_signature_that_does_not_hold_is_an_injection(door: Service, wrong: str) -> None:
    """R4, also where a key is only preferred: a signature that is sent counts. Audited and charged."""
    device = RawDevice()
    device.bind(door)
    opened = door.open("verify")
    assert post(door, opened, device, seed=1, **WRONG[wrong](door, device)).state == "denied"
    assert outcome(door, opened) == INJECTED
    known = device.device_id if "signature" in WRONG[wrong](door, device) else None
    assert misuses(door) == [("signature" if known else "unknown", known)]
    with door.installation.data.read() as conn:
        assert conn.scalar(select(attempts.c.consecutive)) == 1


@pytest.mark.parametrize("signature", [{}, [], "text", 5, True, [[]]])
def test_what_is_no_object_is_an_injection(door: Service, signature: object) -> None:
    """R4: whatever JSON can say."""
    opened = door.open("verify")
    parts = frames(RED, seed=77)
    timeline = [{"step": opened.challenge.steps[0].id, "t_ms": 80 * number} for number in range(len(parts))]
    door.installation.pipeline.submit(opened.session_id, opened.client_token, parts, timeline, signature=signature)
    assert outcome(door, opened) == INJECTED


def test_a_frame_changed_after_the_signature_is_noticed(door: Service) -> None:
    """The signature is over the frames, as the service received them."""
    device = RawDevice()
    device.bind(door)
    opened = door.open("verify")
    parts = frames(RED, seed=5)
    timeline = [{"step": opened.challenge.steps[0].id, "t_ms": 80 * number} for number in range(len(parts))]
    signature = device.answer(message_of(opened, parts, timeline))
    parts[2] = frames(RED, seed=6)[2]
    submit = door.installation.pipeline.submit
    assert submit(opened.session_id, opened.client_token, parts, timeline, signature=signature).state == "denied"
    assert outcome(door, opened) == INJECTED


def test_another_persons_key_is_none_of_ones_own(door: Service) -> None:
    """A stolen session does not go through with the thief's own phone."""
    door.agree("bea")
    thief = RawDevice()
    thief.bind(door, "bea")
    opened = door.open("verify")
    post(door, opened, thief, seed=1)
    assert outcome(door, opened) == INJECTED
    assert misuses(door) == [("unknown", None)]


def test_a_revoked_key_proves_nothing_and_one_revoked_meanwhile_neither(
    door: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction that accepts looks again."""
    device = RawDevice()
    bound = device.bind(door)
    binding, opened = Binding.of(door.installation), door.open("verify")
    proving = type(door.installation.pipeline.proving)
    confirm = proving.confirm

    def revoke_first(self: Any, conn: Any, session: Any, *, account: str) -> None:
        conn.execute(device_keys.delete())
        confirm(self, conn, session, account=account)

    monkeypatch.setattr(proving, "confirm", revoke_first)
    assert post(door, opened, device, seed=1).state == "denied"
    assert outcome(door, opened) == INJECTED
    assert misuses(door) == [("revoked", bound.device_id)]
    monkeypatch.undo()
    binding.revoke(bound.device_id, tenant=DEFAULT_TENANT, account="anna", actor="test")
    again = door.open("verify")
    post(door, again, device, seed=2)
    assert outcome(door, again) == INJECTED


def test_enrolling_needs_no_key_and_takes_one(door: Service) -> None:
    """R14's other factor stands in for it, and a key may be bound before the face."""
    ask(door, "required")
    assert door.post(door.open("enrol")).state == "accepted"
    device = RawDevice()
    device.bind(door)
    opened = door.open("enrol")
    assert post(door, opened, device, seed=1).state == "accepted"
    assert view(door, opened).session.device_id == device.device_id
    wrong = door.open("enrol")
    assert post(door, wrong, device, seed=2, signature="AAAA").state == "denied"


def test_a_search_takes_the_key_of_whom_it_finds_alone(door: Service) -> None:
    """The face says who it is, and the key must be that person's."""
    door.make_door(device_key="required")
    door.agree(scenario="door")
    door.agree("bea")
    assert door.post(door.open("enrol", scenario="door")).state == "accepted"
    own, other = RawDevice(), RawDevice()
    own.bind(door)
    other.bind(door, "bea")
    for device, expected in ((own, PROVEN), (other, INJECTED)):
        opened = door.open("identify", None, "door")
        post(door, opened, device, seed=len(device.device_id) + (device is own))
        assert outcome(door, opened) == expected
    assert misuses(door) == [("account", other.device_id)]
    without = door.open("identify", None, "door")
    door.post(without)
    assert outcome(door, without) == REFUSED


def test_a_transaction_is_what_is_signed(door: Service) -> None:
    """What you see is what you sign: the text is in the chain, and so in the device's signature and the token."""
    device = RawDevice()
    device.bind(door)
    desk = door.installation.desk
    texts = {text: make_transaction(text) for text in ("Pay 30 EUR to Bea", "Pay 90 EUR to Bea")}
    opened, other = (
        desk.open(
            tenant=DEFAULT_TENANT,
            purpose="verify",
            scenario="login",
            account="anna",
            reauthenticated_at=None,
            actor="test",
            transaction=transaction,
        )
        for transaction in texts.values()
    )
    swapped = replace(opened, challenge=replace(opened.challenge, transaction=other.challenge.transaction))
    post(door, swapped, device, seed=1)
    assert outcome(door, opened) == INJECTED
    post(door, other, device, seed=2)
    assert outcome(door, other) == PROVEN
    claims = door.installation.tokens.check(str(view(door, other).id_token), expected_audience=DEFAULT_TENANT)
    assert claims.transaction_sha256 == texts["Pay 90 EUR to Bea"].sha256.hex()


def test_closing_the_account_leaves_no_trace_of_the_key(door: Service) -> None:
    """R40: not in the sessions either."""
    device = RawDevice()
    device.bind(door)
    opened = door.open("verify")
    post(door, opened, device, seed=1)
    door.installation.lifecycle.close_account(tenant=DEFAULT_TENANT, account="anna", actor="test")
    assert view(door, opened).session.device_id is None
    with door.installation.data.read() as conn:
        assert conn.scalar(select(func.count()).select_from(device_keys)) == 0
