"""A new signing key while the service runs: old receipts stay checkable, and a stolen key is believed no more."""

from pathlib import Path
from typing import NamedTuple

import pytest

from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import AuditUnavailable, SignatureInvalid
from faceauth.signing import TOKEN, keys_from_jwks
from faceauth.signing import check as check_signature
from faceauth.vault.keyring import create_keyring
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.signing_rotation import SigningKeys, SigningRotation
from tests.clocks import HandClock
from tests.databases import Databases
from tests.service import Service, failing, make_service


class Running(NamedTuple):
    """A service over a keyring file, and the rotation that an operator runs beside it."""

    service: Service
    place: KeyringPlace
    rotation: SigningRotation

    def rotate(self, *, distrust: bool = False) -> SigningKeys:
        return self.rotation.rotate(tenant=DEFAULT_TENANT, actor="test", distrust=distrust)

    def sign(self) -> str:
        return self.service.installation.signer.sign({"sub": "anna"}, typ=TOKEN)


@pytest.fixture
def running(database: Databases, tmp_path: Path, clock: HandClock) -> Running:
    place = KeyringPlace(tmp_path / "keyring")
    keyring = create_keyring(place.path, now=clock())
    service = make_service(database, keyring, tmp_path, clock, place=place)
    into = service.installation
    rotation = SigningRotation(place=place, data=into.data, keys=into.key_database, audit=into.audit)
    return Running(service, place, rotation)


def test_a_running_service_signs_with_the_new_key_and_still_checks_the_old(running: Running) -> None:
    """oidcc-server-rotate-keys: the provider's tokens are signed and published by the same."""
    signer = running.service.installation.signer
    before, old = running.sign(), str(signer.public_keys[0].kid)
    done = running.rotate()
    assert done.checking == (old,)
    after = running.sign()
    published = keys_from_jwks(signer.public_jwks())
    assert [key.kid for key in published] == [done.signing, old]
    for token in (before, after):
        assert check_signature(token, keys=published, expected_typ=TOKEN) == {"sub": "anna"}
    with pytest.raises(SignatureInvalid):
        check_signature(after, keys=published[1:], expected_typ=TOKEN)


def test_the_old_private_key_is_gone_and_the_keyring_opens_again(running: Running) -> None:
    secret = str(running.place.load().signing_keys[0].as_dict(private=True)["d"])
    for _ in range(3):
        running.rotate()
    kept = running.place.load().signing_keys
    assert [key.is_private for key in kept] == [True, False, False, False]
    assert secret not in running.place.path.read_text()


def test_a_distrusted_key_is_believed_no_more(running: Running) -> None:
    """Whoever stole it may write any time into a token: only taking it out of the set helps."""
    before = running.sign()
    done = running.rotate(distrust=True)
    assert done.checking == ()
    with pytest.raises(SignatureInvalid, match="does not know"):
        running.service.installation.signer.check(before, expected_typ=TOKEN)


def test_without_an_audit_record_nothing_is_exchanged(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """R49."""
    before = running.place.path.read_bytes()
    monkeypatch.setattr(type(running.service.installation.audit), "append", failing(AuditUnavailable("full")))
    with pytest.raises(AuditUnavailable):
        running.rotate()
    assert running.place.path.read_bytes() == before


def test_while_the_keyring_is_away_receipts_are_signed_with_the_last_key(running: Running) -> None:
    """R40: withdrawing waits for nobody."""
    running.place.path.rename(running.place.path.with_name("elsewhere"))
    assert running.service.installation.signer.check(running.sign(), expected_typ=TOKEN) == {"sub": "anna"}
