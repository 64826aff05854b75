"""Attestations in the vendors' own forms: what leads to a root counts, nothing that is bent (WebAuthn, 8)."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from faceauth.clock import system_clock as system_now
from faceauth.errors import SignatureInvalid
from faceauth.identity.attestation_roots import read_roots
from faceauth.identity.webauthn_keys import RelyingParty, relying_party
from tests.devices import BE, ORIGIN, UP, Maker
from tests.identity.test_webauthn_keys import CHALLENGE, PARTY
from tests.vendors import DECRYPT, IMPORTED, VendorDevice

VENDORS = ("android-key", "apple", "fido-u2f")


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker(system_now())


def party(maker: Maker, folder: Path, vendor: str) -> RelyingParty:
    return relying_party(ORIGIN, name="Face", roots=read_roots(maker.write(folder, vendor)))


def device(maker: Maker, vendor: Any, **more: Any) -> VendorDevice:
    return VendorDevice(maker=maker, vendor=vendor, now=system_now(), **more)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_statement_that_leads_to_a_root_makes_it_hardware(maker: Maker, tmp_path: Path, vendor: str) -> None:
    """Unless the key may be copied to other devices."""
    strict = party(maker, tmp_path, vendor)
    made = strict.register(device(maker, vendor).create(CHALLENGE), expected_challenge=CHALLENGE)
    assert (made.attestation, made.hardware) == (vendor, True)
    synced = device(maker, vendor, flags=UP | BE).create(CHALLENGE)
    made = strict.register(synced, expected_challenge=CHALLENGE)
    assert (made.attestation, made.hardware) == (vendor, False)


@pytest.mark.parametrize("vendor", ["android-key", "apple"])
def test_a_statement_that_leads_to_another_root_is_refused(maker: Maker, vendor: str) -> None:
    """Without roots of the operator's the vendor's own still hold."""
    with pytest.raises(SignatureInvalid):
        PARTY.register(device(maker, vendor).create(CHALLENGE), expected_challenge=CHALLENGE)


def test_a_u2f_key_counts_for_nothing_where_no_root_is_known(maker: Maker) -> None:
    made = PARTY.register(device(maker, "fido-u2f").create(CHALLENGE), expected_challenge=CHALLENGE)
    assert (made.attestation, made.hardware) == ("none", False)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("more", [{"of_client": b"x" * 32}, {"for_key": ec.generate_private_key(ec.SECP256R1())}])
def test_a_statement_about_something_else_is_refused(
    maker: Maker, tmp_path: Path, vendor: str, more: dict[str, Any]
) -> None:
    """Another challenge, or another key."""
    made = device(maker, vendor, **more).create(CHALLENGE)
    with pytest.raises(SignatureInvalid):
        party(maker, tmp_path, vendor).register(made, expected_challenge=CHALLENGE)


@pytest.mark.parametrize("says", [{"origin": IMPORTED}, {"purpose": DECRYPT}, {"everywhere": True}])
def test_an_android_key_is_made_in_the_phone_to_sign_here(
    maker: Maker, tmp_path: Path, says: dict[str, Any]
) -> None:
    """WebAuthn, 8.4: not brought there, for no other use, for no other app."""
    made = device(maker, "android-key", says=says).create(CHALLENGE)
    with pytest.raises(SignatureInvalid):
        party(maker, tmp_path, "android-key").register(made, expected_challenge=CHALLENGE)
