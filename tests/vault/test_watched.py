"""The keyring of a running service, and how its file is exchanged."""

import dataclasses
import json
import os
from pathlib import Path

import pytest

from faceauth.errors import KeyUnavailable, StorageError
from faceauth.vault import keyring as keyring_module
from faceauth.vault.keyring import Keyring, create_keyring, load_keyring, replace_keyring
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.watched import WatchedKeyring
from tests.vault.world import START


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keyring"


@pytest.fixture
def made(path: Path) -> Keyring:
    return create_keyring(path, now=START)


def next_of(keyring: Keyring) -> Keyring:
    return dataclasses.replace(keyring, kek={**keyring.kek, 2: b"2" * 32}, active=2, rotating=True)


def test_it_follows_its_file(path: Path, made: Keyring) -> None:
    """R45: and reads it once for each change."""
    watched = WatchedKeyring(KeyringPlace(path), expected_installation=made.installation_id)
    assert watched().active == 1
    assert watched() is watched()
    replace_keyring(path, next_of(made))
    assert (watched().active, watched().rotating) == (2, True)


def test_a_keyring_that_is_gone_opens_nothing_until_it_is_back(path: Path, made: Keyring) -> None:
    """What was read before is not used instead: nothing falls back."""
    watched = WatchedKeyring(KeyringPlace(path), expected_installation=made.installation_id)
    watched()
    path.rename(path.with_name("away"))
    with pytest.raises(KeyUnavailable, match="put it back"):
        watched()
    path.with_name("away").rename(path)
    assert watched().kek == made.kek


def test_a_keyring_that_others_may_read_is_refused_at_once(path: Path, made: Keyring) -> None:
    watched = WatchedKeyring(KeyringPlace(path), expected_installation=made.installation_id)
    watched()
    path.chmod(0o644)
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        watched()


def test_another_installations_keyring_is_refused(path: Path, made: Keyring) -> None:
    watched = WatchedKeyring(KeyringPlace(path), expected_installation=made.installation_id)
    replace_keyring(path, dataclasses.replace(made, installation_id="0" * 32))
    with pytest.raises(KeyUnavailable, match="installation"):
        watched()


def test_the_file_stays_private_and_no_draft_stays(path: Path, made: Keyring) -> None:
    path.with_name(".keyring.new").write_text("what a crash left")
    replace_keyring(path, next_of(made))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["keyring"]
    assert load_keyring(path).kek == next_of(made).kek


def test_behind_a_link_the_file_is_exchanged(path: Path, made: Keyring, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    replace_keyring(link, next_of(made))
    assert link.is_symlink()
    assert load_keyring(path).active == 2


@pytest.mark.parametrize("name", ["write_draft", "fsync"])
def test_a_failed_exchange_leaves_the_old_file(
    path: Path, made: Keyring, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """R57: a full disk, for one."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keyring_module if name == "write_draft" else os, name, full)
    with pytest.raises(StorageError, match="No space left"):
        replace_keyring(path, next_of(made))
    monkeypatch.undo()
    assert load_keyring(path).kek == made.kek
    assert [file.name for file in path.parent.iterdir()] == ["keyring"]


def test_a_keyring_from_before_rotation_is_read(path: Path, made: Keyring) -> None:
    """Files made by earlier versions do not say whether a rotation is under way."""
    body = json.loads(path.read_text())
    del body["sha256"], body["rotating"]
    path.write_text(json.dumps(body | {"sha256": keyring_module._checksum(body)}))
    assert load_keyring(path).rotating is False
