"""What may not serve, and what is not restored: copies put in place by hand, harmed, or without their journal."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from faceauth.db.occupancy import occupy
from faceauth.errors import (
    ConfigurationError,
    FaceauthError,
    RestoreNeeded,
    SignatureInvalid,
    StorageError,
)
from faceauth.vault.journal import journal_of
from faceauth.vault.keyring import load_keyring
from tests.drill import Drill, destroy, only_ben_is_left

# --- what may not serve -----------------------------------------------------------------------------------------


def test_a_copy_put_in_place_by_hand_does_not_serve_until_it_is_restored(sqlite_drill: Drill) -> None:
    """R43: the copy says itself that it is one."""
    drill = sqlite_drill
    data, keys = drill.backup()
    drill.service.withdraw("anna")
    drill.close_account("carla")
    destroy(drill)
    new_data, new_keys = drill.databases()
    new_data.create()
    for copy, place in ((data, new_data), (keys, new_keys)):
        assert place.path is not None
        shutil.copy(copy.file, place.path)
    with pytest.raises(RestoreNeeded, match="faceauth restore"):
        drill.start()
    drill.restore(in_place=True)
    drill.start()
    only_ben_is_left(drill)


def test_an_older_file_put_back_by_hand_does_not_serve(sqlite_drill: Drill) -> None:
    """R43: no mark in it, but the key database and the journal know more than it."""
    drill = sqlite_drill
    drill.service.installation.data.truncate_wal()
    data, _ = drill.databases()
    assert data.path is not None
    shutil.copy(data.path, drill.folder / "old.db")
    drill.service.withdraw("anna")
    drill.close_account("carla")
    drill.stop()
    for ending in ("-wal", "-shm"):
        data.path.with_name(data.path.name + ending).unlink(missing_ok=True)
    shutil.copy(drill.folder / "old.db", data.path)
    with pytest.raises(RestoreNeeded, match="2 erasures are missing"):
        drill.start()
    drill.restore(in_place=True)
    drill.start()
    only_ben_is_left(drill)
    drill.stop()
    with pytest.raises(ConfigurationError, match="fit to serve"):
        drill.restore(in_place=True)


def test_without_its_journal_nothing_is_restored_unless_one_says_so(sqlite_drill: Drill) -> None:
    drill = sqlite_drill
    drill.backup()
    drill.service.withdraw("anna")
    journal = drill.journal_file.read_bytes()
    destroy(drill)
    drill.journal_file.unlink()
    with pytest.raises(RestoreNeeded, match="missing"):
        drill.restore()
    drill.journal_file.write_bytes(journal[:40])
    with pytest.raises(RestoreNeeded, match="missing"):
        drill.restore()
    drill.journal_file.write_bytes(journal.replace(b"anna", b"Anna"))
    with pytest.raises(StorageError, match="damaged"):
        drill.restore()
    drill.journal_file.unlink()
    # What is lost is lost: this is the one way in which somebody comes back, and it has to be asked for.
    assert drill.restore(without_journal=True).replayed == 0
    drill.start()


def test_a_journal_older_than_the_copy_is_refused(sqlite_drill: Drill) -> None:
    drill = sqlite_drill
    journal = drill.journal_file.read_bytes()
    drill.service.withdraw("anna")
    drill.backup()
    destroy(drill)
    drill.journal_file.write_bytes(journal)
    with pytest.raises(RestoreNeeded, match="lacks 1 erasures"):
        drill.restore()


def test_a_journal_begun_after_the_copy_is_refused(sqlite_drill: Drill) -> None:
    drill = sqlite_drill
    drill.backup()
    destroy(drill)
    drill.journal_file.unlink()
    drill.clock.forward(1)
    keyring = load_keyring(drill.settings.keyring_file)
    journal_of(drill.settings, drill.databases()[1], keyring, drill.clock).file.append()
    with pytest.raises(RestoreNeeded, match="begun after"):
        drill.restore()


def test_a_lost_journal_is_written_again_at_the_next_start(sqlite_drill: Drill) -> None:
    drill = sqlite_drill
    drill.service.withdraw("anna")
    drill.stop()
    drill.journal_file.unlink()
    drill.start()
    assert len(drill.service.installation.journal.file.read()) == 1


def test_nothing_is_restored_under_a_running_service(drill: Drill) -> None:
    drill.backup()
    data, _ = drill.databases()
    claim = occupy(data, alone=False)
    other = occupy(data, alone=False)
    try:
        with pytest.raises(StorageError, match="stop the service"):
            drill.restore()
        other.close()
        with pytest.raises(StorageError, match="stop the service"):
            drill.restore()
    finally:
        claim.close()
    alone = occupy(data, alone=True)
    with pytest.raises(StorageError, match="being restored"):
        occupy(data, alone=False)
    alone.close()
    occupy(data, alone=False).close()
    data.dispose()


def test_a_database_that_is_there_is_not_overwritten(sqlite_drill: Drill) -> None:
    drill = sqlite_drill
    drill.backup()
    drill.stop()
    with pytest.raises(ConfigurationError, match="not overwritten"):
        drill.restore()
    drill.start()
    assert drill.logs_in("anna")


def harm_bytes(folder: Path) -> None:
    (file,) = folder.glob("data/*/faceauth.db")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def harm_manifest(folder: Path) -> None:
    (file,) = folder.glob("data/*/manifest.json")
    file.write_text(file.read_text().replace("bytes", "bites"))


def resign_nothing(folder: Path) -> None:
    (file,) = folder.glob("data/*/manifest.json")
    said = json.loads(file.read_text())
    said["made_at"] = "2026-01-01T00:00:00+00:00"
    file.write_text(json.dumps(said))


def cut(folder: Path) -> None:
    (file,) = folder.glob("keys/*/faceauth-keys.db")
    file.write_bytes(file.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        (harm_bytes, StorageError),
        (harm_manifest, SignatureInvalid),
        (resign_nothing, SignatureInvalid),
        (cut, StorageError),
    ],
)
def test_a_harmed_backup_is_not_restored(
    sqlite_drill: Drill, harm: Callable[[Path], None], error: type[FaceauthError]
) -> None:
    """R48."""
    drill = sqlite_drill
    drill.backup()
    destroy(drill)
    harm(drill.folder / "backups")
    with pytest.raises(error):
        drill.restore()
    assert not drill.databases()[0].exists()
    with pytest.raises(StorageError):
        drill.start()
