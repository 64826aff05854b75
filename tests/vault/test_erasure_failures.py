"""Every I/O, key, clock and audit call of an erasure fails in turn; and every step of a backup (R57)."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from faceauth.audit.log import AuditLog
from faceauth.db.engine import Database
from faceauth.errors import AuditUnavailable, FaceauthError, KeyUnavailable, StorageError
from faceauth.signing import Signer
from faceauth.vault import backup
from faceauth.vault.backup import Backups
from faceauth.vault.journal import JournalFile
from faceauth.vault.keys import KeyringProvider
from tests.databases import copied_sqlite
from tests.vault.story import Story, gone, keeps, refuses
from tests.vault.world import World, vectors

Failure = tuple[type, str, Exception]

FAILURES: list[Failure] = [
    (Database, "begin", StorageError("full")),
    (Database, "read", StorageError("gone")),
    (Database, "truncate_wal", StorageError("held")),
    (KeyringProvider, "wrap", KeyUnavailable("down")),
    (KeyringProvider, "unwrap", KeyUnavailable("down")),
    (AuditLog, "append", AuditUnavailable("no")),
    (Signer, "sign", RuntimeError("no entropy")),
    (JournalFile, "append", StorageError("read-only")),
    (World, "clock", OSError("no clock")),
]


class FailingOnce:
    """Stands in for a method; its nth call fails before it does anything."""

    def __init__(self, real: Callable[..., Any], nth: int, error: Exception) -> None:
        self._real, self._nth, self._error = real, nth, error
        self.calls = 0

    def method(self) -> Callable[..., Any]:
        """Return it as a class can hold it."""

        def call(*args: Any, **more: Any) -> Any:
            self.calls += 1
            if self.calls == self._nth:
                raise self._error
            return self._real(*args, **more)

        return call


def told(world: World) -> Story:
    """Tell the story of the other tests on this installation."""
    anna, door, ben = world.agree("anna"), world.agree("anna", "door"), world.agree("ben")
    found = Story(world, anna, door, ben, world.enrol(anna))
    world.enrol(door)
    world.enrol(ben)
    found.kept = {"door": vectors(world.open(door)), "ben": vectors(world.open(ben))}
    return found


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: f"{failure[0].__name__}.{failure[1]}")
def test_an_erasure_that_meets_a_failure_stays_shut_and_goes_on(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Failure
) -> None:
    """R40, R57: each call of the erasure fails in turn; the gate is shut, the others stay, and it ends well."""
    owner, name, error = failure
    nth, met = 0, 0
    while True:
        nth += 1
        folder = tmp_path / str(nth)
        with copied_sqlite(sqlite_template, folder) as pair:
            story = told(World(pair, folder))
            world = story.world
            tombstone = world.request("anna", scenario="login")
            failing = FailingOnce(getattr(owner, name), nth, error)
            with monkeypatch.context() as broken:
                broken.setattr(owner, name, failing.method())
                try:
                    world.erasure().run(tombstone)
                except (FaceauthError, RuntimeError, OSError):
                    met += 1
            if failing.calls < nth:
                break
            refuses(story)
            keeps(story)
            token = world.erasure().run(tombstone).token
            keeps(story)
            gone(story, token)
        # The first calls one by one, then fewer: an erasure of this story reads and writes dozens of times.
        nth += nth // 4
    assert met >= 1


STEPS = ["copy_database", "mark_copy", "_digest", "_write", "_sync", "_overwrite_and_remove"]


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("step", STEPS)
def test_a_backup_that_fails_leaves_the_one_before(
    sqlite_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, nth: int
) -> None:
    """R57: what was there can still be restored, and the next backup clears away what was begun."""
    world = sqlite_world
    world.enrol(world.agree("anna"))
    backups = Backups(tmp_path / "backups", installation=world.ring.installation_id, signer=world.signer)

    def make() -> None:
        backups.write(
            world.data,
            world.databases.keys,
            audit=world.audit,
            tenant="shop",
            actor="test",
            clock=world.clock,
            progress=lambda *_: None,
        )

    make()
    (data,), (keys,) = backups.list("data"), backups.list("keys")
    failing = FailingOnce(getattr(backup, step), nth, OSError(28, "No space left on device"))
    with monkeypatch.context() as broken:
        broken.setattr(backup, step, failing.method())
        with suppress(StorageError, OSError):
            make()
    if failing.calls < nth:
        return  # one such call in a backup
    assert data in backups.list("data")
    assert backups.list("keys")
    assert backups.list("keys")[0] == keys or len(backups.list("keys")) == 1
    make()
    assert len(backups.list("keys")) == 1
    left = [path.name for path in (tmp_path / "backups").rglob(".*")]
    assert left == []
