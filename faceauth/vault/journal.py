"""Where erasures are noted a second and a third time, so that no old copy of a database can undo one (R43).

The tombstones lie in the data database, and go with it when it is lost. So each erasure, and the data keys that it
destroys, is noted before anything is destroyed: in the key database, of which only the newest copy is kept, and in
a file beside the keyring, which only grows. docs/backup.md says what each of them saves.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from faceauth.clock import Clock
from faceauth.db.engine import Database
from faceauth.db.schema import data_keys, erasures
from faceauth.errors import KeyringForeign, StorageError
from faceauth.settings import Settings
from faceauth.vault.keyring import Keyring
from faceauth.vault.scope import ErasureReason, Scope
from faceauth.vault.tombstones import Tombstone

_FORMAT: Final = "faceauth-erasures-1"
_SUM: Final = 16
"""Hexadecimal digits of the SHA-256 before each line: against accidents, not against who can write the file."""


@dataclass(frozen=True, slots=True)
class Noted:
    """One erasure as it is noted: whose, what, why, when, and which data keys it destroys once that is known."""

    tombstone_id: str
    scope: Scope
    reason: ErasureReason
    requested_at: datetime
    data_keys: tuple[str, ...] = ()

    def with_keys(self, more: Iterable[str]) -> "Noted":
        """Return the same with these data keys besides."""
        keys = tuple(sorted({*self.data_keys, *more}))
        return Noted(self.tombstone_id, self.scope, self.reason, self.requested_at, keys)


def noted_of(stone: Tombstone, data_keys: Iterable[str] = ()) -> Noted:
    """Return what is noted of a tombstone: its own data keys, as far as they are known, and these."""
    noted = Noted(stone.tombstone_id, stone.scope, stone.reason, stone.requested_at)
    return noted.with_keys((*stone.doomed.get("data_keys", ()), *data_keys))


class JournalFile:
    """The file beside the keyring: one line an erasure, appended and flushed to the disk, never changed.

    A line cut short by a crash was never acknowledged; the next writer removes it. Any other damage is an error.
    The first line says whose it is, and since when: of older copies of the data it does not know what was erased.
    """

    def __init__(self, path: Path, *, installation: str, clock: Clock) -> None:
        self.path = path
        self._installation = installation
        self._clock = clock

    def since(self) -> datetime | None:
        """Return when it was begun, which is when the installation was made; None if there is none.

        Raises:
            StorageError: It cannot be read, or is damaged.
            KeyringForeign: It is another installation's.
        """
        whole = self._read()
        if b"\n" not in whole:
            return None
        head = self._body(whole.split(b"\n", 1)[0], 1)
        self._check_owner(head)
        return datetime.fromisoformat(head["since"])

    def append(self, notes: Iterable[Noted] = ()) -> None:
        """Append lines, durably; make the file (0600) if it is not there.

        Raises:
            StorageError: It cannot be written.
            KeyringForeign: It is another installation's.
        """
        try:
            with open(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:  # noqa: PTH123  only open() takes a descriptor
                fcntl.flock(file, fcntl.LOCK_EX)
                lines = [_line(_as_json(noted)) for noted in notes]
                if _cut(file) == 0:
                    head = {"format": _FORMAT, "installation": self._installation}
                    lines.insert(0, _line({**head, "since": self._clock().isoformat()}))
                else:
                    self._check_head(file)
                file.seek(0, os.SEEK_END)
                file.write(b"".join(lines))
                file.flush()
                os.fsync(file.fileno())
            _sync_folder(self.path.parent)
        except OSError as error:
            raise StorageError(
                f"The journal of erasures {self.path} cannot be written ({error.strerror}). "
                "Check who may write there, or set FACEAUTH_KEYS__JOURNAL."
            ) from error

    def read(self) -> dict[str, Noted]:
        """Return every erasure that is noted, by its id; none if there is no file.

        Raises:
            StorageError: It cannot be read, or a line is damaged: then what was erased is not known.
            KeyringForeign: It is another installation's.
        """
        whole = self._read()
        found: dict[str, Noted] = {}
        for number, line in enumerate(whole.split(b"\n")[:-1], 1):
            body = self._body(line, number)
            if number == 1:
                self._check_owner(body)
                continue
            noted = self._noted(body, number)
            earlier = found.get(noted.tombstone_id)
            found[noted.tombstone_id] = noted if earlier is None else earlier.with_keys(noted.data_keys)
        return found

    def _read(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                return file.read()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise StorageError(
                f"The journal of erasures {self.path} cannot be read ({error.strerror})."
            ) from error

    def _check_head(self, file: BinaryIO) -> None:
        file.seek(0)
        self._check_owner(self._body(file.readline().rstrip(b"\n"), 1))

    def _check_owner(self, body: Mapping[str, Any]) -> None:
        if body.get("format") != _FORMAT:
            raise StorageError(f"{self.path} is no journal of erasures. Check FACEAUTH_KEYS__JOURNAL.")
        if body.get("installation") != self._installation:
            raise KeyringForeign(
                f"The journal of erasures {self.path} is another installation's. Put the right one."
            )

    def _body(self, line: bytes, number: int) -> Mapping[str, Any]:
        text = line[_SUM + 1 :]
        if line[:_SUM] != _sum(text):
            raise self._damaged(number)
        try:
            body: Mapping[str, Any] = json.loads(text)
        except ValueError:
            raise self._damaged(number) from None
        return body

    def _noted(self, body: Mapping[str, Any], number: int) -> Noted:
        try:
            return Noted(
                body["id"],
                Scope(body["tenant"], body["account"], body["scenario"], body["reference"]),
                ErasureReason(body["reason"]),
                datetime.fromisoformat(body["requested_at"]),
                tuple(body["data_keys"]),
            )
        except (KeyError, TypeError, ValueError):
            raise self._damaged(number) from None

    def _damaged(self, number: int) -> StorageError:
        return StorageError(
            f"Line {number} of the journal of erasures {self.path} is damaged, so what was erased is not known. "
            "Put a good copy in its place."
        )


class Journal:
    """Both places at once: the file and the table in the key database."""

    def __init__(self, file: JournalFile, keys: Database) -> None:
        self.file = file
        self._keys = keys

    def note(self, *notes: Noted) -> None:
        """Note erasures in both places, durably; what is noted already may be noted again.

        Raises:
            StorageError: One of them cannot be written. Nothing may be destroyed then.
        """
        if not notes:
            return
        self.file.append(notes)
        for noted in notes:
            try:
                with self._keys.begin() as conn:
                    _note(conn, noted)
            except IntegrityError:  # another process noted it in between
                with self._keys.begin() as conn:
                    _note(conn, noted)

    def in_keys(self) -> dict[str, Noted]:
        """Return what the key database knows, by id."""
        with self._keys.read() as conn:
            return {row.tombstone_id: _of_row(row) for row in conn.execute(select(erasures))}

    def present(self, data_key_ids: Collection[str]) -> tuple[str, ...]:
        """Return which of these data keys are in the key database."""
        if not data_key_ids:
            return ()
        with self._keys.read() as conn:
            names = conn.scalars(select(data_keys.c.data_key_id).execution_options(yield_per=1000))
            return tuple(sorted(name for name in names if name in data_key_ids))

    def known(self) -> dict[str, Noted]:
        """Return what either place knows, by id.

        Raises:
            StorageError: One of them cannot be read.
        """
        return merged(self.in_keys(), self.file.read())


def journal_of(settings: Settings, keys: Database, keyring: Keyring, clock: Clock) -> Journal:
    """Return the journal of erasures of these settings, without touching it."""
    file = JournalFile(settings.journal_file, installation=keyring.installation_id, clock=clock)
    return Journal(file, keys)


def merged(first: Mapping[str, Noted], second: Mapping[str, Noted]) -> dict[str, Noted]:
    """Return all of both; of an erasure that both know, the data keys of both."""
    both = dict(first)
    for name, noted in second.items():
        both[name] = both[name].with_keys(noted.data_keys) if name in both else noted
    return both


def _note(conn: Connection, noted: Noted) -> None:
    here = erasures.c.tombstone_id == noted.tombstone_id
    row = conn.execute(select(erasures).where(here).with_for_update()).one_or_none()
    if row is not None:
        keys = noted.with_keys(row.data_keys).data_keys
        conn.execute(update(erasures).where(here).values(data_keys=list(keys)))
        return
    conn.execute(
        insert(erasures).values(
            tombstone_id=noted.tombstone_id,
            tenant=noted.scope.tenant,
            account=noted.scope.account,
            scenario=noted.scope.scenario,
            reference_id=noted.scope.reference_id,
            reason=noted.reason.value,
            requested_at=noted.requested_at,
            data_keys=list(noted.data_keys),
        )
    )


def _of_row(row: Any) -> Noted:
    return Noted(
        row.tombstone_id,
        Scope(row.tenant, row.account, row.scenario, row.reference_id),
        ErasureReason(row.reason),
        row.requested_at,
        tuple(row.data_keys),
    )


def _as_json(noted: Noted) -> dict[str, Any]:
    return {
        "id": noted.tombstone_id,
        "tenant": noted.scope.tenant,
        "account": noted.scope.account,
        "scenario": noted.scope.scenario,
        "reference": noted.scope.reference_id,
        "reason": noted.reason.value,
        "requested_at": noted.requested_at.isoformat(),
        "data_keys": list(noted.data_keys),
    }


def _line(body: Mapping[str, Any]) -> bytes:
    text = json.dumps(body, separators=(",", ":")).encode()
    return _sum(text) + b" " + text + b"\n"


def _sum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:_SUM].encode()


def _cut(file: BinaryIO) -> int:
    """Remove a line that a crash cut short, and return how many bytes are left."""
    end = file.seek(0, os.SEEK_END)
    # A line is a few hundred bytes; one that names many keys may be longer, so look back further each time.
    span = 4096
    while end:
        start = max(0, end - span)
        file.seek(start)
        tail = file.read(end - start)
        if tail.endswith(b"\n"):
            return end
        at = tail.rfind(b"\n")
        if at >= 0 or start == 0:
            end = start + at + 1
            file.truncate(end)
            return end
        span *= 16
    return 0


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
