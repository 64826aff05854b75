"""The restore drill: backup, erase, lose all, restore; nothing comes back, and the living log in (R43, R60)."""

import shutil
from typing import Any

import pytest
from sqlalchemy import select

from faceauth.binding import Binding
from faceauth.db.schema import KEY_METADATA, METADATA
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import (
    Locked,
    NotAuthenticated,
    StorageError,
)
from faceauth.restoring import Restore
from tests.devices import RawDevice
from tests.drill import Drill, destroy, only_ben_is_left


def test_after_a_restore_nothing_erased_is_back_and_the_living_log_in(drill: Drill) -> None:
    """R43, R60: the backup knows all three, the keys of two were destroyed after it."""
    drill.backup()
    first = drill.service.withdraw("anna")
    drill.close_account("carla")
    destroy(drill)
    done = drill.restore()
    assert (done.replayed, done.unreadable) == (2, 0)
    drill.start()
    only_ben_is_left(drill)
    claims: Any = drill.service.installation.signer.check(
        drill.service.withdraw("anna"), expected_typ="deletion-receipt+jwt"
    )
    old: Any = drill.service.installation.signer.check(first, expected_typ="deletion-receipt+jwt")
    assert claims["jti"] == old["jti"]  # the same erasure, under its old name


def test_old_data_and_old_keys_together_bring_nothing_back(drill: Drill) -> None:
    """R43: somebody kept a copy of the keys against the docs; the journal beside the keyring knows."""
    drill.backup()
    kept = drill.keep(drill.folder / "backups", "kept")
    drill.service.withdraw("anna")
    drill.close_account("carla")
    destroy(drill)
    done = drill.restore(kept)
    assert done.replayed == 2
    assert done.keys_destroyed == 0  # each was destroyed by its own erasure, which ran again
    drill.start()
    only_ben_is_left(drill)


def test_old_keys_beside_newer_data_are_destroyed_again(sqlite_drill: Drill) -> None:
    """R43: the data knows the erasures, the old keys are back."""
    drill = sqlite_drill
    drill.backup()
    kept = drill.keep(drill.folder / "backups" / "keys", "kept/keys")
    drill.service.withdraw("anna")
    drill.close_account("carla")
    shutil.copy(drill.folder / "backups" / "faceauth-backup.json", kept.parent)
    drill.backup()
    shutil.rmtree(drill.folder / "backups" / "keys")
    shutil.copytree(kept, drill.folder / "backups" / "keys")
    destroy(drill)
    done = drill.restore()
    assert (done.replayed, done.keys_destroyed) == (0, 2)
    drill.start()
    only_ben_is_left(drill)


def test_the_keys_that_are_there_are_kept(sqlite_drill: Drill) -> None:
    """Only the data was lost: what is there of the keys is newer than any copy."""
    drill = sqlite_drill
    drill.backup()
    drill.service.withdraw("anna")
    drill.close_account("carla")
    drill.stop()
    data, _ = drill.databases()
    assert data.path is not None
    for file in data.path.parent.glob("faceauth.db*"):
        file.unlink()
    done = drill.restore()
    assert done.keys is None
    assert (done.replayed, done.keys_destroyed) == (2, 0)
    drill.start()
    only_ben_is_left(drill)


def test_what_must_not_go_on_ends(sqlite_drill: Drill) -> None:
    """R10, R12: open sessions, guesses made since, API keys that may have been revoked since."""
    drill = sqlite_drill
    into = drill.service.installation
    with into.data.begin() as conn:
        key = into.apikeys.create(conn, tenant=DEFAULT_TENANT, role="application", label="shop")
    opened = drill.service.open("verify", "ben")
    RawDevice().bind(drill.service, "ben")
    Binding.of(into).ask(tenant=DEFAULT_TENANT, account="ben", kind="raw")
    drill.backup()
    destroy(drill)
    done = drill.restore()
    assert (done.settled.sessions, done.settled.api_keys, done.settled.device_keys) == (1, 1, 1)
    assert done.settled.accounts == 3
    drill.start()
    assert drill.service.reason(opened)[0] == "expired"
    into = drill.service.installation
    with into.data.read() as conn, pytest.raises(NotAuthenticated):
        into.apikeys.authenticate(conn, key.secret)
    with into.data.begin() as conn, pytest.raises(Locked):
        into.attempts.charge(conn, tenant=DEFAULT_TENANT, account="ben")
    drill.clock.forward(31)
    assert drill.logs_in("ben")


def test_device_keys_are_kept_when_the_operator_says_so(sqlite_drill: Drill) -> None:
    """R17: else one that was revoked since, with a stolen phone, would prove its owner again."""
    drill = sqlite_drill
    bound = RawDevice().bind(drill.service, "ben")
    drill.backup()
    destroy(drill)
    assert drill.restore(keep_device_keys=True).settled.device_keys == 0
    drill.start()
    listed = Binding.of(drill.service.installation).list(tenant=DEFAULT_TENANT, account="ben")
    assert [one.device_id for one in listed] == [bound.device_id]


def test_api_keys_are_kept_when_the_operator_says_so(sqlite_drill: Drill) -> None:
    drill = sqlite_drill
    into = drill.service.installation
    with into.data.begin() as conn:
        key = into.apikeys.create(conn, tenant=DEFAULT_TENANT, role="application", label="shop")
    drill.backup()
    destroy(drill)
    assert drill.restore(keep_api_keys=True).settled.api_keys == 0
    drill.start()
    with drill.service.installation.data.read() as conn:
        assert drill.service.installation.apikeys.authenticate(conn, key.secret).key_id == key.key_id


def test_every_row_comes_back_as_it_was(drill: Drill) -> None:
    """Also through the SQLite file that a copy of PostgreSQL is; audit log, ledger and receipts included."""
    drill.service.withdraw("anna")
    drill.backup()

    def rows() -> dict[str, list[tuple[Any, ...]]]:
        found = {}
        for database, metadata in zip(drill.databases(), (METADATA, KEY_METADATA), strict=True):
            with database.read() as conn:
                for table in metadata.sorted_tables:
                    found[table.name] = sorted((tuple(row) for row in conn.execute(select(table))), key=repr)
            database.dispose()
        return found

    before = rows()
    destroy(drill)
    drill.restore(keep_api_keys=True, keep_device_keys=True)
    after = rows()
    changed = {"attempts", "audit_log", "audit_head"}
    assert {name: after[name] for name in after if name not in changed} == {
        name: before[name] for name in before if name not in changed
    }
    assert len(after["audit_log"]) == len(before["audit_log"]) + 1


# --- cut short ---------------------------------------------------------------------------------------------------


class Crash(Exception):
    """The process ends here."""


CUTS = [
    *(("_put", 1, True), ("_put", 2, False), ("_put", 2, True), ("_check_owner", 1, True)),
    *(("_withdraw", 1, False), ("_withdraw", 2, True), ("_finish", 1, False), ("_finish", 1, True)),
]


def cut_short(drill: Drill, monkeypatch: pytest.MonkeyPatch, step: str, nth: int, *, done: bool) -> None:
    """Restore, with an end before or after the work of the nth call of a step; then again, to the end."""
    drill.backup()
    drill.service.withdraw("anna")
    drill.close_account("carla")
    destroy(drill)
    times = 0
    real = getattr(Restore, step)

    def crash(self: Restore, *args: Any, **more: Any) -> Any:
        nonlocal times
        times += 1
        if times == nth and not done:
            raise Crash
        answer = real(self, *args, **more)
        if times == nth:
            raise Crash
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(Restore, step, crash)
        with pytest.raises(Crash):
            drill.restore()
    if (step, done) != ("_finish", True):
        with pytest.raises(StorageError):
            drill.start()
        drill.restore()
    drill.start()
    only_ben_is_left(drill)


@pytest.mark.parametrize(("step", "nth", "done"), CUTS)
def test_a_restore_that_is_cut_short_does_not_serve_and_goes_on(
    sqlite_drill: Drill, monkeypatch: pytest.MonkeyPatch, step: str, nth: int, done: bool
) -> None:
    """R57, R60: before or after a step's work."""
    cut_short(sqlite_drill, monkeypatch, step, nth, done=done)


@pytest.mark.postgresql
@pytest.mark.parametrize("done", [False, True])
def test_so_it_is_on_postgresql(postgresql_drill: Drill, monkeypatch: pytest.MonkeyPatch, done: bool) -> None:
    """Rows come in one transaction, the keys' first; what is marked does not serve there either."""
    cut_short(postgresql_drill, monkeypatch, "_put", 2, done=done)
