"""What a backup holds, and what not."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from faceauth.db.schema import data_keys
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import (
    ConfigurationError,
    RestoreNeeded,
)
from faceauth.restoring import Restore
from faceauth.vault.replay import take_up
from faceauth.vault.scan import scan
from tests.drill import Drill, destroy


class Crash(Exception):
    """The process ends here."""


# --- the backup itself -------------------------------------------------------------------------------------------


def test_the_newest_copy_of_the_keys_is_the_only_one(sqlite_drill: Drill) -> None:
    """R43: what is destroyed is in no byte of the folder any more, the copies of the data included."""
    drill = sqlite_drill
    drill.backup()
    into = drill.service.installation
    with into.key_database.read() as conn:
        wrapped = list(conn.scalars(select(data_keys.c.wrapped).where(data_keys.c.account == "anna")))
    folder = drill.folder / "backups"
    assert scan([folder], wrapped)
    drill.service.withdraw("anna")
    drill.backup()
    assert len(list((folder / "keys").iterdir())) == 1
    assert len(list((folder / "data").iterdir())) == 2
    assert not scan([folder], wrapped)


def test_a_backup_holds_no_secret_and_no_face(sqlite_drill: Drill) -> None:
    """R43, R47: neither the keyring nor anything that opens what is sealed."""
    drill = sqlite_drill
    drill.backup()
    into = drill.service.installation
    secrets = [*into.keyring.kek.values(), into.keyring.pseudonym_key, into.keyring.replay_key]
    with into.data.read() as conn:
        opened = into.references.open_account(
            conn, tenant=DEFAULT_TENANT, account="anna", scenario="login", model_digest=b"c" * 32
        )
    faces = [reference.vector.tobytes() for reference in opened]
    assert faces
    assert not scan([drill.folder / "backups"], [bytes(secret) for secret in secrets] + faces)


def test_a_folder_with_something_else_is_left_alone(sqlite_drill: Drill) -> None:
    drill = sqlite_drill
    other = drill.folder / "photographs"
    other.mkdir()
    (other / "anna.jpg").write_bytes(b"x")
    with pytest.raises(ConfigurationError, match="no backup"):
        drill.backup(other)
    assert [path.name for path in other.iterdir()] == ["anna.jpg"]
    (other / "faceauth-backup.json").write_text(json.dumps({"format": "faceauth-backup-1", "installation": "0"}))
    with pytest.raises(ConfigurationError, match="another installation"):
        drill.backup(other)


def test_a_half_restored_copy_is_not_backed_up(sqlite_drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    drill = sqlite_drill
    drill.backup()
    destroy(drill)

    def crash(*_: Any, **__: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Restore, "_finish", crash)
        with pytest.raises(Crash):
            drill.restore()
    data, keys = drill.databases()
    into = drill.service.installation
    with pytest.raises(RestoreNeeded):
        drill.backups().write(
            data,
            keys,
            audit=into.audit,
            tenant=DEFAULT_TENANT,
            actor="test",
            clock=drill.clock,
            progress=lambda *_: None,
        )
    data.dispose()
    keys.dispose()


def test_looking_before_serving_finds_nothing_wrong_with_what_is_whole(sqlite_drill: Drill) -> None:
    drill = sqlite_drill
    into = drill.service.installation
    drill.service.withdraw("anna")
    take_up(into.data, into.journal)
    lines = drill.journal_file.read_bytes()
    take_up(into.data, into.journal)
    assert drill.journal_file.read_bytes() == lines
