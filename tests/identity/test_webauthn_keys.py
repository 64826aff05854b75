"""WebAuthn through py_webauthn: what is taken, what counts as hardware, and every answer to something else."""

import copy
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from faceauth.clock import system_clock as system_now
from faceauth.errors import ConfigurationError, InvalidRequest, SignatureInvalid
from faceauth.identity.attestation_roots import read_roots
from faceauth.identity.signed import webauthn_challenge
from faceauth.identity.webauthn_keys import RelyingParty, relying_party
from tests.devices import BE, ORIGIN, UP, Authenticator, Maker, pack

PARTY = relying_party(ORIGIN, name="Face")
CHALLENGE, MESSAGE = b"c" * 32, b"what was shown"


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker(system_now())


@pytest.fixture
def strict(maker: Maker, tmp_path: Path) -> RelyingParty:
    """A relying party that knows the maker."""
    return relying_party(ORIGIN, name="Face", roots=read_roots(maker.write(tmp_path / "roots")))


def test_options_ask_for_es256_and_name_nobody(strict: RelyingParty) -> None:
    """User verification is preferred, and attestation is asked for only where it can be checked."""
    options = PARTY.options(challenge=CHALLENGE, user=b"u" * 32, account="anna", known=[b"old"])
    assert options["challenge"] == pack(CHALLENGE)
    assert options["rp"] == {"id": "localhost", "name": "Face"}
    assert options["user"]["id"] == pack(b"u" * 32)
    assert [one["alg"] for one in options["pubKeyCredParams"]] == [-7]
    assert [one["id"] for one in options["excludeCredentials"]] == [pack(b"old")]
    assert options["authenticatorSelection"]["userVerification"] == "preferred"
    assert options["attestation"] == "none"
    told = strict.options(challenge=CHALLENGE, user=b"u", account="anna", known=[])
    assert told["attestation"] == "direct"


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:8000", "http://[::1]:8000"])
def test_an_address_of_numbers_is_no_domain(issuer: str) -> None:
    """WebAuthn, 5.1.2; the text says what to do instead."""
    with pytest.raises(InvalidRequest, match="localhost"):
        relying_party(issuer).options(challenge=CHALLENGE, user=b"u", account="anna", known=[])


@pytest.mark.parametrize("attests", ["none", "self"])
def test_a_key_that_nobody_vouches_for_is_no_hardware(strict: RelyingParty, attests: Any) -> None:
    """Neither is one that vouches for itself, roots or not (WebAuthn, 8.2)."""
    for party in (PARTY, strict):
        made = party.register(Authenticator(attests=attests).create(CHALLENGE), expected_challenge=CHALLENGE)
        assert (made.attestation, made.hardware, made.sign_count) == ("none", False, 1)


def test_a_maker_that_is_known_vouches(strict: RelyingParty, maker: Maker) -> None:
    """And not for a key that may be copied to other devices, nor where nobody knows the maker."""
    device = Authenticator(attests="maker", maker=maker)
    made = strict.register(device.create(CHALLENGE), expected_challenge=CHALLENGE)
    assert (made.attestation, made.hardware) == ("packed", True)
    synced = Authenticator(attests="maker", maker=maker, flags=UP | BE)
    made = strict.register(synced.create(CHALLENGE), expected_challenge=CHALLENGE)
    assert (made.attestation, made.hardware) == ("packed", False)
    made = PARTY.register(
        Authenticator(attests="maker", maker=maker).create(CHALLENGE), expected_challenge=CHALLENGE
    )
    assert (made.attestation, made.hardware) == ("none", False)


def test_a_maker_that_is_not_known_is_refused(strict: RelyingParty) -> None:
    """A statement that leads to another root is a false one, not a missing one."""
    device = Authenticator(attests="maker", maker=Maker(system_now()))
    with pytest.raises(SignatureInvalid):
        strict.register(device.create(CHALLENGE), expected_challenge=CHALLENGE)


@pytest.mark.parametrize(
    "device",
    [
        Authenticator(origin="http://localhost:9000"),
        Authenticator(origin="https://evil.example"),
        Authenticator(rp_id="evil.example"),
        Authenticator(flags=0),
        Authenticator(key=ec.generate_private_key(ec.SECP384R1()), algorithm=-35),
        Authenticator(key=ec.generate_private_key(ec.SECP384R1()), algorithm=-7),
    ],
    ids=["port", "origin", "rp", "nobody there", "ES384", "ES256 on P-384"],
)
def test_a_credential_made_for_something_else_is_refused(device: Authenticator) -> None:
    """Phishing and other algorithms."""
    with pytest.raises(SignatureInvalid):
        PARTY.register(device.create(CHALLENGE), expected_challenge=CHALLENGE)


def spoilt(credential: dict[str, Any]) -> list[Any]:
    """Return credentials in which one thing is wrong."""
    found: list[Any] = [{}, {"id": 1}, {**credential, "type": "password"}, {**credential, "rawId": "AA"}]
    for name in credential["response"]:
        for value in (None, 5, "", "AAAA", "!", pack(b"\x00" * 200), pack(b"\xa1" * 2_000)):
            if name == "userHandle":
                continue
            one = copy.deepcopy(credential)
            one["response"][name] = value
            found.append(one)
    return found


def test_a_credential_that_was_tampered_with_is_refused() -> None:
    """R4: whatever a stranger's bytes make of the parser."""
    for one in [*spoilt(Authenticator(attests="self").create(CHALLENGE)), Authenticator().create(b"d" * 32)]:
        with pytest.raises(SignatureInvalid):
            PARTY.register(one, expected_challenge=CHALLENGE)


def test_every_bit_of_a_self_attested_credential_counts() -> None:
    """One bit of its authenticator data changed, it is refused."""
    made = Authenticator(attests="self").create(CHALLENGE)
    raw = made["response"]["attestationObject"]
    whole = bytearray(urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
    for at in range(len(whole) - 120, len(whole), 7):
        whole[at] ^= 1
        one = copy.deepcopy(made)
        one["response"]["attestationObject"] = pack(bytes(whole))
        with pytest.raises(SignatureInvalid):
            PARTY.register(one, expected_challenge=CHALLENGE)
        whole[at] ^= 1


def test_an_assertion_holds_for_its_message_and_key_alone() -> None:
    """The message is in the challenge; the counter is told for whoever stores it."""
    device, other = Authenticator(), Authenticator()
    key = PARTY.register(device.create(CHALLENGE), expected_challenge=CHALLENGE).public_key
    challenge = webauthn_challenge(MESSAGE)
    assert PARTY.check(device.get(challenge), MESSAGE, key=key) == 2
    assert PARTY.check(device.get(challenge), MESSAGE, key=key) == 3
    for wrong in (
        device.get(webauthn_challenge(b"another")),
        other.get(challenge),
        device.create(challenge),
        *spoilt(device.get(challenge)),
    ):
        with pytest.raises(SignatureInvalid):
            PARTY.check(wrong, MESSAGE, key=key)
    with pytest.raises(SignatureInvalid):
        PARTY.check(device.get(challenge), MESSAGE, key=b"no key")


def test_other_pages_and_apps_may_be_named() -> None:
    """A domain above the service's own, and an app's facet (DEVICES__RP_ID, DEVICES__ORIGINS)."""
    app = "android:apk-key-hash:abc"
    party = relying_party("https://face.shop.example", rp_id="shop.example", origins=("https://shop.example", app))
    for origin in ("https://face.shop.example", "https://shop.example", app):
        device = Authenticator(origin=origin, rp_id="shop.example")
        assert party.register(device.create(CHALLENGE), expected_challenge=CHALLENGE).sign_count == 1


def test_roots_that_cannot_be_read_stop_the_start(tmp_path: Path, maker: Maker) -> None:
    """A folder that does nothing would leave the operator thinking that it does."""
    assert read_roots(None) == {}
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd" / "paper").mkdir(parents=True)
    (tmp_path / "bad" / "packed").mkdir(parents=True)
    (tmp_path / "bad" / "packed" / "a.pem").write_text("nothing")
    for name in ("missing", "empty", "odd", "bad"):
        with pytest.raises(ConfigurationError, match="ATTESTATION_ROOTS"):
            read_roots(tmp_path / name)
    assert [len(roots) for roots in read_roots(maker.write(tmp_path / "good")).values()] == [1]
