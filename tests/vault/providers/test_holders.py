"""Whoever holds the key-encryption keys, the same holds: versions, binding, destruction, and denial when away."""

import hashlib
import json
from pathlib import Path

import pytest

from faceauth.errors import FaceauthError, KeyringForeign, KeyringMissing, KeyUnavailable, SealBroken
from faceauth.vault.keks import Plain, Wrapped
from faceauth.vault.keyring import create_keyring, load_keyring
from faceauth.vault.keys import KeyringProvider
from faceauth.vault.keystore import wrap_context
from faceauth.vault.secret import KeyBytes
from tests.clocks import START
from tests.vault.providers.holding import Holding

KEY = bytes(range(7, 39))
ROW = wrap_context("shop", "anna", "key_1", 1)


class Rewrite:
    """Changes one field of a keyring file and mends the sum that guards against accidents."""

    def __call__(self, path: Path, field: str) -> None:
        body = json.loads(path.read_text())
        del body["sha256"]
        body[field] = {"minimum": 0, "installation_id": "0" * 32, "destroyed": [9]}[field]
        sum_of_it = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        path.write_text(json.dumps(body | {"sha256": sum_of_it}))


@pytest.fixture
def rewrite() -> Rewrite:
    return Rewrite()


@pytest.fixture
def provider(holding: Holding, tmp_path: Path) -> KeyringProvider:
    place = holding.place(tmp_path / "keyring")
    return place.provider(place.create(now=START))


def test_what_is_wrapped_opens_for_its_own_row_only(provider: KeyringProvider) -> None:
    """R45: and twice the same key gives two records."""
    one, two = provider.wrap(KEY, context=ROW), provider.wrap(KEY, context=ROW)
    assert one != two
    assert KEY not in one
    assert bytes(provider.unwrap(one, context=ROW)) == KEY
    for row in (("mall", "anna", "key_1", 1), ("shop", "ben", "key_1", 1), ("shop", "anna", "key_2", 1)):
        with pytest.raises(SealBroken):
            provider.unwrap(one, context=wrap_context(*row))
    with pytest.raises(SealBroken):
        provider.unwrap(one, context=wrap_context("shop", "anna", "key_1", 2))


def test_every_bit_of_a_wrapped_key_counts(provider: KeyringProvider) -> None:
    """R45, R48: all of them; in the version they ask for a key that is not there."""
    good = provider.wrap(KEY, context=ROW)
    flipped = []
    for bit in range(len(good) * 8):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        flipped.append(bytes(data))
    here = [record for bit, record in enumerate(flipped) if not 1 <= bit // 8 < 5]
    for found in provider.unwrap_many([(record, ROW) for record in here]):
        assert isinstance(found, SealBroken)
    for record in [flipped[8], flipped[32], flipped[39]]:
        with pytest.raises((KeyUnavailable, SealBroken)):
            provider.unwrap(record, context=ROW)
    for end in (0, 4, 5, 20, len(good) - 1):
        with pytest.raises((KeyUnavailable, SealBroken)):
            provider.unwrap(good[:end], context=ROW)


def test_one_broken_key_among_many_is_that_one_alone(provider: KeyringProvider) -> None:
    """R48: the others open, in their order."""
    keys = [bytes([number]) * 32 for number in range(45)]
    records = provider.wrap_many([(key, ROW) for key in keys])
    records[30] = records[30][:-3] + bytes(3)
    found = provider.unwrap_many([(record, ROW) for record in records])
    assert [place for place, one in enumerate(found) if isinstance(one, SealBroken)] == [30]
    assert [bytes(one) for one in found if isinstance(one, KeyBytes)] == keys[:30] + keys[31:]


def test_versions_are_made_used_and_destroyed(holding: Holding, tmp_path: Path) -> None:
    """R45, R52: what was wrapped under a destroyed version opens no more, and no version comes twice."""
    place = holding.place(tmp_path / "keyring")
    holder = place.holder
    assert holder is not None
    first = holder.make(after=0)
    (old,) = holder.wrap([Plain(KeyBytes(KEY), ROW)], version=first)
    holding.add()
    holder.close()
    holder = holding.place(tmp_path / "keyring").holder
    assert holder is not None
    second = holder.make(after=first)
    assert second > first
    assert {first, second} <= set(holder.versions())
    (new,) = holder.wrap([Plain(KeyBytes(KEY), ROW)], version=second)
    assert holder.unwrap([Wrapped(old, first, ROW), Wrapped(new, second, ROW)]) == [KeyBytes(KEY), KeyBytes(KEY)]
    told = holder.destroy(first)
    assert told == holder.destroy(first)
    if holding.settings.provider == "environment":
        assert "take version 1 out" in told  # the operator's to do; the keyring refuses it meanwhile
        return
    assert first not in holder.versions()
    assert holder.unwrap([Wrapped(new, second, ROW)]) == [KeyBytes(KEY)]
    with pytest.raises(KeyUnavailable):
        holder.unwrap([Wrapped(old, first, ROW)])


def test_down_means_unavailable_and_up_means_back(holding: Holding, tmp_path: Path) -> None:
    """R57: never an answer from elsewhere."""
    place = holding.place(tmp_path / "keyring")
    keys = place.provider(place.create(now=START))
    record = keys.wrap(KEY, context=ROW)
    if holding.settings.provider == "environment":
        pytest.skip("it is in this process, or the service does not start")
    holding.down()
    with pytest.raises(KeyUnavailable):
        keys.unwrap(record, context=ROW)
    with pytest.raises(KeyUnavailable):
        keys.wrap(KEY, context=ROW)
    with pytest.raises(KeyUnavailable):
        place.load()
    holding.up()
    assert bytes(keys.unwrap(record, context=ROW)) == KEY


def test_the_keyring_file_shows_no_secret_and_needs_its_holder(holding: Holding, tmp_path: Path) -> None:
    """The other secrets are sealed under the holder's key; what is in the clear cannot be changed without it."""
    path = tmp_path / "keyring"
    place = holding.place(path)
    made, read = place.create(now=START), place.load()
    assert (read.pseudonym_key, read.replay_key) == (made.pseudonym_key, made.replay_key)
    assert [key.as_dict(private=True) for key in read.signing_keys] == [
        key.as_dict(private=True) for key in made.signing_keys
    ]
    text = path.read_text()
    assert "pseudonym_key" not in text
    assert '"d"' not in text
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyringForeign, match="made for the key provider"):
        load_keyring(path)
    create_keyring(tmp_path / "plain", now=START)
    with pytest.raises(KeyringForeign, match="made for the key provider file"):
        load_keyring(tmp_path / "plain", place.holder, provider=place.provider_name)


@pytest.mark.parametrize("field", ["minimum", "installation_id", "destroyed"])
def test_what_stands_in_the_clear_is_bound(holding: Holding, tmp_path: Path, field: str, rewrite: Rewrite) -> None:
    """R45: whoever can write the file but has no key cannot lower the minimum."""
    path = tmp_path / "keyring"
    place = holding.place(path)
    place.create(now=START)
    rewrite(path, field)
    with pytest.raises(KeyringMissing, match="damaged"):
        place.load()


def test_errors_are_ours(provider: KeyringProvider) -> None:
    """R57: whatever bytes come, nothing but our own errors leaves."""
    for data in (b"", b"\x01", b"\x02\0\0\0\x01vault:v1:====", b"\xff" * 61, bytes(61)):
        with pytest.raises(FaceauthError):
            provider.unwrap(data, context=ROW)
