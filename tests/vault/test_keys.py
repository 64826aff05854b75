"""The keyring file, and what its keys wrap."""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from faceauth.errors import (
    AlreadyExists,
    FaceauthError,
    KeyringForeign,
    KeyringMissing,
    KeyUnavailable,
    SealBroken,
    StorageError,
)
from faceauth.signing import Signer
from faceauth.vault.keyring import Keyring, check_installation, create_keyring, load_keyring, new_signing_key
from faceauth.vault.keys import KeyringProvider
from faceauth.vault.keystore import wrap_context

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "wrapped-keys.json").read_text())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "faceauth.keyring"


def secrets_of(keyring: Keyring) -> list[bytes]:
    return [*map(bytes, keyring.kek.values()), keyring.pseudonym_key, keyring.replay_key]


def test_comes_back_as_it_was_made(path: Path) -> None:
    made = create_keyring(path, now=NOW)
    read = load_keyring(path)
    assert secrets_of(read) == secrets_of(made)
    assert (read.installation_id, read.created_at, read.active, read.minimum) == (made.installation_id, NOW, 1, 1)
    token = Signer(made.signing_keys).sign({"a": 1}, typ="JWT")
    assert Signer(read.signing_keys).check(token, expected_typ="JWT") == {"a": 1}


def test_no_two_secrets_are_the_same(tmp_path: Path) -> None:
    one, two = (create_keyring(tmp_path / name, now=NOW) for name in "ab")
    assert len({*secrets_of(one), *secrets_of(two)}) == 6
    assert one.installation_id != two.installation_id
    assert one.signing_keys[0].kid != two.signing_keys[0].kid


def test_is_private_and_leaves_no_draft(path: Path) -> None:
    create_keyring(path, now=NOW)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_is_never_written_over(path: Path) -> None:
    made = create_keyring(path, now=NOW)
    with pytest.raises(AlreadyExists):
        create_keyring(path, now=NOW)
    assert secrets_of(load_keyring(path)) == secrets_of(made)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be made"):
        create_keyring(tmp_path / "file" / "keyring", now=NOW)


def test_missing_says_what_to_do(path: Path) -> None:
    with pytest.raises(KeyringMissing, match="faceauth init"):
        load_keyring(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o601, 0o777])
def test_refused_when_others_can_reach_it(path: Path, mode: int) -> None:
    create_keyring(path, now=NOW)
    path.chmod(mode)
    with pytest.raises(KeyringMissing, match="chmod 600"):
        load_keyring(path)


def test_a_folder_is_no_keyring(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(KeyringMissing):
        load_keyring(path)


def test_every_cut_and_every_changed_byte_is_noticed(path: Path) -> None:
    create_keyring(path, now=NOW)
    whole = path.read_bytes()
    key = json.loads(whole)["replay_key"].encode()
    starts = [*range(0, len(whole) - 2, 7)]
    broken = [whole[:end] for end in starts]
    broken += [
        whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in starts if whole[at : at + 1].strip()
    ]
    for data in broken:
        path.write_bytes(data)
        with pytest.raises(KeyringMissing) as failure:
            load_keyring(path)
        assert key.decode() not in str(failure.value)
        assert failure.value.__cause__ is None


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_other_content_is_refused(path: Path, data: bytes) -> None:
    create_keyring(path, now=NOW)
    path.write_bytes(data)
    with pytest.raises(KeyringMissing):
        load_keyring(path)


def test_secrets_hide_in_repr(path: Path) -> None:
    keyring = create_keyring(path, now=NOW)
    shown = repr(keyring)
    for secret in secrets_of(keyring):
        assert repr(secret)[2:10] not in shown
        assert secret.hex()[:8] not in shown
    assert "ECKey" not in shown


def test_another_installations_database_is_refused(path: Path) -> None:
    keyring = create_keyring(path, now=NOW)
    check_installation(keyring, expected_installation=keyring.installation_id)
    with pytest.raises(KeyringForeign):
        check_installation(keyring, expected_installation="0" * 32)


def test_signing_keys_come_from_the_given_randomness() -> None:
    draws = iter([b"\xff" * 32, b"\0" * 32, b"\1" * 32])
    key = new_signing_key(lambda _: next(draws))
    assert key.as_dict(private=True)["d"] == new_signing_key(lambda _: b"\1" * 32).as_dict(private=True)["d"]


def provider(path: Path, **changed: Any) -> KeyringProvider:
    values = {"kek": {1: bytes.fromhex(VECTORS["key_encryption_key"])}}
    return KeyringProvider(dataclasses.replace(create_keyring(path, now=NOW), **values | changed))


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_wrapped_vectors(path: Path, case: dict[str, Any]) -> None:
    """R45: a wrapped key opens as documented, and broken ones are refused for the right reason."""
    record, keys = bytes.fromhex(case["record"]), provider(path)
    if "plain" in case:
        assert keys.unwrap(record, context=bytes.fromhex(VECTORS["context"])).hex() == case["plain"]
    else:
        with pytest.raises(FaceauthError) as failure:
            keys.unwrap(record, context=bytes.fromhex(VECTORS["context"]))
        assert failure.value.code == case["error"]


def test_every_bit_flip_of_a_wrapped_key_is_noticed(path: Path) -> None:
    """R45, R48: each bit of a record; one in its version asks for a key that is not there."""
    keys = provider(path)
    good = next(bytes.fromhex(case["record"]) for case in VECTORS["cases"] if "plain" in case)
    context = bytes.fromhex(VECTORS["context"])
    for bit in range(len(good) * 8):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(KeyUnavailable if 1 <= bit // 8 < 5 else SealBroken):
            keys.unwrap(bytes(data), context=context)


@pytest.mark.parametrize("field", range(4))
def test_a_wrapped_key_opens_in_its_own_row_only(path: Path, field: int) -> None:
    """R45: tenant, account, id and generation are bound to it."""
    keys, row = provider(path), ("shop", "anna", "key_1", 1)
    other: list[Any] = list(row)
    other[field] = 2 if field == 3 else "other"
    wrapped = keys.wrap(b"k" * 32, context=wrap_context(*row))
    assert bytes(keys.unwrap(wrapped, context=wrap_context(*row))) == b"k" * 32
    with pytest.raises(SealBroken):
        keys.unwrap(wrapped, context=wrap_context(*other))


def test_wraps_under_the_active_version_and_refuses_below_the_minimum(path: Path) -> None:
    """R45: a rotated keyring wraps with the new key, still opens the old, until the minimum moves."""
    keks = {1: b"1" * 32, 2: b"2" * 32}
    old = provider(path, kek=keks).wrap(b"k" * 32, context=b"c")
    rotated = provider(path.with_name("b"), kek=keks, active=2)
    assert bytes(rotated.unwrap(old, context=b"c")) == b"k" * 32
    assert rotated.wrap(b"k" * 32, context=b"c")[1:5] == b"\0\0\0\2"
    strict = provider(path.with_name("c"), kek=keks, active=2, minimum=2)
    with pytest.raises(KeyUnavailable, match="below 2"):
        strict.unwrap(old, context=b"c")


def test_versions_that_make_no_sense_are_refused(path: Path) -> None:
    keyring = create_keyring(path, now=NOW)
    for changed in ({"active": 2}, {"minimum": 2}, {"minimum": 0}, {"kek": {1: b"short"}}, {"signing_keys": ()}):
        with pytest.raises(ValueError, match=r"versions|length"):
            dataclasses.replace(keyring, **changed)


def test_a_damaged_version_is_that_keys_own_matter(path: Path) -> None:
    """R48: among others it is damage, and they open; alone it may be an old keyring, and is unavailable."""
    keys = provider(path)
    good = keys.wrap(b"k" * 32, context=b"c")
    damaged = [good[:1] + bytes([good[1] ^ 64]) + good[2:], b"x" * 61, good[:3]]
    opened, *broken = keys.unwrap_many([(record, b"c") for record in (good, *damaged)])
    assert not isinstance(opened, SealBroken)
    assert bytes(opened) == b"k" * 32
    assert all(isinstance(one, SealBroken) for one in broken)
    with pytest.raises(KeyUnavailable, match="newest keyring"):
        keys.unwrap(damaged[0], context=b"c")
