"""Restores a backup; an old copy of the data is brought up to what was erased since, and only then serves (R43).

Until the last transaction of a restore the data is marked as a copy, and nothing opens it; so an interrupted
restore is run again and goes on. docs/backup.md says what comes back, what does not, and what is lost when what.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.clock import Clock
from faceauth.consent.ledger import ConsentLedger
from faceauth.db.copies import check_pages, clear_mark, copy_mark, copy_rows, has_rows, has_tables, is_unused
from faceauth.db.engine import Database
from faceauth.db.occupancy import occupy
from faceauth.db.restored import Settled, sealed_under, settle
from faceauth.db.schema import KEY_METADATA, METADATA
from faceauth.db.upgrade import check, upgrade
from faceauth.errors import ConfigurationError, RestoreNeeded, StorageError
from faceauth.vault import tombstones
from faceauth.vault.backup import Backups, Copy
from faceauth.vault.erasure import Erasure
from faceauth.vault.journal import Journal, Noted
from faceauth.vault.keyring import Keyring, bind_installation
from faceauth.vault.keystore import DataKeys
from faceauth.vault.replay import complete_journal, destroy_returned

_CHUNK = 1 << 20

_JOURNAL = (
    "The journal of erasures {path} {what}. Put its newest copy there. If it is lost, say --without-journal: what "
    "was erased after the last backup of the keys may then come back."
)

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    `data` and `keys` name the copies that were put in place, None where what was there was kept. `replayed`
    erasures were done again, `keys_destroyed` data keys had come back and were destroyed again, and `unreadable`
    references are sealed under a key that is nowhere any more.
    """

    data: str | None
    keys: str | None
    replayed: int
    keys_destroyed: int
    unreadable: int
    settled: Settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """Puts copies in the place of lost databases, and replays erasures."""

    data: Database
    keys: Database
    keyring: Keyring
    journal: Journal
    data_keys: DataKeys
    erasure: Erasure
    ledger: ConsentLedger
    audit: AuditLog
    clock: Clock
    failures: int
    """In a row: what every account counts as having after a restore."""

    def run(
        self,
        backups: Backups | None,
        *,
        name: str | None,
        tenant: str,
        actor: str,
        without_journal: bool,
        keep_api_keys: bool,
        keep_device_keys: bool,
        progress: Progress,
    ) -> Restored:
        """Restore the newest copy of the data, or the one of that `name`, and the copy of the keys.

        Databases that are there are kept: the data only if it is the same copy, half restored, or with `backups`
        None; the keys always, for what is there is no older than a copy of it.

        Raises:
            ConfigurationError: There is a database in the place, no such copy, or nothing to restore.
            RestoreNeeded: The journal is missing or older than a copy, and `without_journal` is not said.
            SignatureInvalid: A manifest was altered, or is another installation's.
            KeyringForeign: Database or journal belong to another installation.
            DatabaseNewer: A copy was written by a newer version.
            StorageError: The service runs, a copy is damaged, or something cannot be written. Run it again.
        """
        self._make_folder()
        claim = occupy(self.data, alone=True)
        try:
            placed: tuple[str | None, str | None] = None, None
            if backups is not None:
                chosen = _choose(backups, name)
                if not without_journal:
                    self._check_journal_since(chosen)
                placed = self._place(chosen, backups.list("keys"), progress)
            self._check_owner()
            if backups is None:
                self._check_needed()
            if not without_journal:
                self._check_journal_complete()
            replayed = self._replay(progress)
            destroyed = destroy_returned(self.data, self.journal, self.data_keys)
            kept = {"keep_api_keys": keep_api_keys, "keep_device_keys": keep_device_keys}
            settled = self._finish(replayed, tenant=tenant, actor=actor, **kept)
            return Restored(*placed, replayed, len(destroyed), self._unreadable(), settled)
        finally:
            claim.close()

    # --- copies into their places -----------------------------------------------------------------------------

    def _place(self, chosen: Copy, keys: tuple[Copy, ...], progress: Progress) -> tuple[str | None, str | None]:
        data_there, keys_there = self._half_restored(chosen), has_rows(self.keys, KEY_METADATA)
        if not (keys or keys_there):
            raise ConfigurationError(
                "There is no copy of the keys, nor a key database. Name its folder: --keys-from"
            )
        with tempfile.TemporaryDirectory(prefix="faceauth-restore-", dir=self._folder()) as folder:
            drafts = {which: Database(f"sqlite:///{folder}/{which}.db") for which in ("data", "keys")}
            try:
                for copy in (chosen, keys[-1] if keys else None):
                    if copy is not None:
                        _fetch(copy, drafts[copy.which], progress)
                upgrade(drafts["data"], drafts["keys"])
                # The keys first: when the data is there, a restore that is run again finds the keys there too.
                if not keys_there:
                    self._put(drafts["keys"], self.keys, progress)
                if not data_there:
                    self._put(drafts["data"], self.data, progress)
            finally:
                for draft in drafts.values():
                    draft.dispose()
        return None if data_there else chosen.folder.name, None if keys_there else keys[-1].folder.name

    def _half_restored(self, chosen: Copy) -> bool:
        """Say whether an interrupted restore of this very copy is there."""
        if not has_tables(self.data):
            return False
        with self.data.read() as conn:
            if is_unused(conn):
                return False
            mark = copy_mark(conn)
        if mark == chosen.folder.name:
            return True
        what = "a database" if mark is None else f"the copy {mark}, half restored,"
        raise ConfigurationError(
            f"There is {what} at {self.data.place}. It is not overwritten: move it away, or name an empty one."
        )

    def _make_folder(self) -> None:
        if self.data.path is None:
            return
        try:
            self.data.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self.data.path.parent} cannot be made ({error.strerror}).") from error

    def _folder(self) -> Path | None:
        return None if self.data.path is None else self.data.path.parent

    def _put(self, draft: Database, place: Database, progress: Progress) -> None:
        """Give the database at `place` what is in `draft`: in one rename, or in one transaction."""
        which = "data" if place is self.data else "keys"
        if place.path is None or draft.path is None:
            upgrade(self.data, self.keys)
            metadata = METADATA if which == "data" else KEY_METADATA
            copy_rows(draft, place, metadata, lambda done, of: progress(f"restoring {which}", done, of))
            return
        draft.truncate_wal()
        draft.dispose()
        place.dispose()
        try:
            for ending in ("-wal", "-shm"):
                place.path.with_name(place.path.name + ending).unlink(missing_ok=True)
            draft.path.chmod(0o600)
            draft.path.replace(place.path)
            _sync(place.path.parent)
        except OSError as error:
            raise StorageError(
                f"{place.path} cannot be put in place ({error.strerror}). Check its folder."
            ) from error

    # --- up to what was erased --------------------------------------------------------------------------------

    def _check_owner(self) -> None:
        if not (has_tables(self.data) and has_tables(self.keys)):
            raise ConfigurationError("There is no database here to replay erasures in. Name a backup to restore.")
        upgrade(self.data, self.keys)
        check(self.data, self.keys)
        with self.data.begin() as conn:
            bind_installation(conn, self.keyring)

    def _check_needed(self) -> None:
        """Refuse to end sessions and revoke keys where nothing was put back."""
        with self.data.read() as conn:
            fit = copy_mark(conn) is None and self.journal.known().keys() <= tombstones.every_id(conn)
        if fit:
            raise ConfigurationError(f"{self.data.place} is fit to serve; there is nothing to restore.")

    def _check_journal_since(self, chosen: Copy) -> None:
        since = self.journal.file.since()
        if since is None or since > chosen.made_at:
            what = "is missing" if since is None else "was begun after this backup"
            raise RestoreNeeded(_JOURNAL.format(path=self.journal.file.path, what=what))

    def _check_journal_complete(self) -> None:
        with self.data.read() as conn:
            known = tombstones.every_id(conn) | self.journal.in_keys().keys()
        missing = len(known - self.journal.file.read().keys())
        if missing:
            what = f"lacks {missing} erasures"
            raise RestoreNeeded(_JOURNAL.format(path=self.journal.file.path, what=what))

    def _replay(self, progress: Progress) -> int:
        complete_journal(self.data, self.journal)
        with self.data.read() as conn:
            ids = tombstones.every_id(conn)
        missing = [noted for name, noted in self.journal.known().items() if name not in ids]
        missing.sort(key=lambda noted: (noted.requested_at, noted.tombstone_id))
        for done, noted in enumerate(missing, 1):
            with self.data.begin() as conn:
                self._withdraw(conn, noted)
                self.erasure.replay(conn, noted)
            self.erasure.run(noted.tombstone_id)
            progress("replaying erasures", done, len(missing))
        self.erasure.resume()
        left = len(self.erasure.unfinished())
        if left:
            raise StorageError(
                f"{left} erasures cannot be finished; the log says why. Mend it, then run this again."
            )
        return len(missing)

    def _withdraw(self, conn: Connection, noted: Noted) -> None:
        """Let the ledger say what the erasure did: who withdrew, withdrew, and must be asked again."""
        scope = noted.scope
        who = {"tenant": scope.tenant, "account": scope.account}
        if scope.whole_account:
            for scenario in self.ledger.live(conn, **who):
                self.ledger.withdraw(conn, **who, scenario=scenario)
        elif scope.scenario is not None:
            self.ledger.withdraw(conn, **who, scenario=scope.scenario)

    def _finish(self, replayed: int, *, tenant: str, actor: str, **kept: bool) -> Settled:
        with self.data.begin() as conn:
            settled = settle(conn, now=self.clock(), failures=self.failures, **kept)
            clear_mark(conn)
            self.audit.append(
                conn, Event.BACKUP_RESTORED, tenant=tenant, account=None, actor=actor, details={"count": replayed}
            )
        self.data.truncate_wal()
        return settled

    def _unreadable(self) -> int:
        with self.data.read() as conn:
            wanted = sealed_under(conn)
        there = set(self.journal.present(wanted))
        return sum(count for name, count in wanted.items() if name not in there)


def _choose(backups: Backups, name: str | None) -> Copy:
    """Return the newest copy of the data, or the one of that name."""
    copies = {copy.folder.name: copy for copy in backups.list("data")}
    if not copies or (name is not None and name not in copies):
        known = ", ".join(copies) or "none"
        raise ConfigurationError(f"There is no such copy of the data. There are: {known}.")
    return copies[name or max(copies)]


def _fetch(copy: Copy, draft: Database, progress: Progress) -> None:
    """Copy a file out of the backup and check what arrived.

    Raises:
        StorageError: It is not what its manifest says, or damaged inside.
    """
    assert draft.path is not None  # noqa: S101  for mypy: drafts are SQLite files
    digest, done = hashlib.sha256(), 0
    try:
        with (
            copy.file.open("rb") as source,
            open(os.open(draft.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target,  # noqa: PTH123  only open() takes a descriptor
        ):
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
                done += len(chunk)
                progress(f"reading {copy.which}", done, copy.size)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise StorageError(f"{copy.file} cannot be read ({error.strerror}). Take another copy.") from error
    if (digest.hexdigest(), done) != (copy.sha256, copy.size):
        raise StorageError(f"{copy.file} is not what its manifest says: damaged or exchanged. Take another copy.")
    check_pages(draft.path)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
