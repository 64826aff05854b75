"""Backups: copies of the data, as many as one likes; the newest copy of the keys; never the keyring (R43, R60).

    DEST/faceauth-backup.json            whose backups these are
    DEST/data/20260501T090000Z/          faceauth.db and manifest.json; one folder a backup
    DEST/keys/20260501T090002Z/          faceauth-keys.db and manifest.json; older ones are overwritten and removed

A folder gets its name when it is whole. Its manifest holds the file's SHA-256 and is signed with the
installation's key, so that a copy that was exchanged is noticed and not only one that was damaged. docs/backup.md
has the fields.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from faceauth.audit.events import Event
from faceauth.clock import Clock
from faceauth.db.copies import copy_database, copy_mark, mark_copy
from faceauth.db.engine import Database
from faceauth.errors import ConfigurationError, RestoreNeeded, SignatureInvalid, StorageError
from faceauth.signing import Signer
from faceauth.vault.audited import Audit

FORMAT: Final = "faceauth-backup-1"
MANIFEST: Final = "faceauth-backup+jwt"
OWNER_FILE: Final = "faceauth-backup.json"
FILES: Final[Mapping[str, str]] = {"data": "faceauth.db", "keys": "faceauth-keys.db"}

_CHUNK: Final = 1 << 20

Progress = Callable[[str, int, int], None]
"""Called with which database is copied, how many pages or rows are, and of how many."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy in a backup folder: of the `data` or of the `keys`; `made_at` is when copying began."""

    which: str
    folder: Path
    made_at: datetime
    sha256: str
    size: int

    @property
    def file(self) -> Path:
        """The copy itself."""
        return self.folder / FILES[self.which]


class Backups:
    """The backups of one installation below a folder; the keys may lie in a folder of their own.

    Args:
        folder: Where the data's copies are, in `data/`.
        keys_folder: Where the keys' copy is, in `keys/`; `folder` if not given.
        installation: Whose they are.
        signer: Signs and checks the manifests.
    """

    def __init__(
        self, folder: Path, *, keys_folder: Path | None = None, installation: str, signer: Signer
    ) -> None:
        self._roots = {"data": folder.absolute(), "keys": (keys_folder or folder).absolute()}
        self._installation = installation
        self._signer = signer

    def claim(self) -> None:
        """Make the folders, or check that they are this installation's backups.

        Raises:
            ConfigurationError: There is something else in one of them, or another installation's backups.
            StorageError: One cannot be made or read.
        """
        for root in dict.fromkeys(self._roots.values()):
            try:
                root.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not any(root.iterdir()):
                    owner = {"format": FORMAT, "installation": self._installation}
                    _write(root / OWNER_FILE, json.dumps(owner, indent=2) + "\n")
            except OSError as error:
                raise _failed("make the backup folder", root, error) from error
            self._check_owner(root)

    def write(
        self,
        data: Database,
        keys: Database,
        *,
        audit: Audit,
        tenant: str,
        actor: str,
        clock: Clock,
        progress: Progress,
    ) -> tuple[Copy, Copy]:
        """Copy data and keys, in this order, and remove older copies of the keys.

        The keys come second: a key without its data harms nobody, data without its key is lost.

        Raises:
            ConfigurationError: The folder is no backup folder of this installation.
            AuditUnavailable: It cannot be audited; nothing was copied.
            RestoreNeeded: The data is itself a copy that was not restored to its end.
            StorageError: A database cannot be read, or the folder not written; earlier copies are as they were.
        """
        self.claim()
        with data.begin() as conn:
            if copy_mark(conn) is not None:
                raise RestoreNeeded(f"{data.place} is itself a copy, half restored. Run: faceauth restore")
            audit.append(conn, Event.BACKUP_WRITTEN, tenant=tenant, account=None, actor=actor)
        made = [self._copy(data, keys, which, clock(), partial(progress, which)) for which in FILES]
        for folder in sorted(made[1].folder.parent.iterdir()):
            if folder != made[1].folder:
                _overwrite_and_remove(folder)
        return made[0], made[1]

    def list(self, which: str) -> tuple[Copy, ...]:
        """Return the whole copies of the `data` or the `keys`, oldest first, without reading them.

        Raises:
            SignatureInvalid: A manifest was altered, or is another installation's.
            StorageError: A manifest cannot be read.
        """
        here = self._roots[which] / which
        if not here.is_dir():
            return ()
        return tuple(
            self._manifest(folder, which) for folder in sorted(here.iterdir()) if not folder.name.startswith(".")
        )

    def _copy(
        self, data: Database, keys: Database, which: str, now: datetime, progress: Callable[[int, int], None]
    ) -> Copy:
        parent, name = self._roots[which] / which, f"{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"
        draft = parent / f".{name}.{secrets.token_hex(4)}"
        try:
            parent.mkdir(mode=0o700, exist_ok=True)
            _clear_drafts(parent)
            draft.mkdir(mode=0o700)
            file = draft / FILES[which]
            copy_database(data, keys, which, file, progress)
            if which == "data":
                mark_copy(file, name)
            file.chmod(0o600)
            copy = Copy(which, parent / name, now, _digest(file), file.stat().st_size)
            _write(draft / "manifest.json", self._signed(copy))
            _sync(file)
            _sync(draft)
            draft.rename(copy.folder)
            _sync(parent)
        except OSError as error:
            raise _failed("write the backup", parent, error) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return copy

    def _signed(self, copy: Copy) -> str:
        said = {
            "format": FORMAT,
            "installation": self._installation,
            "which": copy.which,
            "made_at": copy.made_at.astimezone(UTC).isoformat(),
            "files": {FILES[copy.which]: {"sha256": copy.sha256, "bytes": copy.size}},
        }
        return json.dumps({**said, "signature": self._signer.sign(said, typ=MANIFEST)}, indent=2) + "\n"

    def _manifest(self, folder: Path, which: str) -> Copy:
        path = folder / "manifest.json"
        try:
            said: Any = json.loads(path.read_text(encoding="utf-8"))
            signature = said.pop("signature")
        except OSError as error:
            raise _failed("read", path, error) from error
        except (AttributeError, KeyError, TypeError, ValueError):
            raise StorageError(f"{path} is no manifest of a backup. Take another copy.") from None
        if self._signer.check(str(signature), expected_typ=MANIFEST) != said or said["which"] != which:
            raise SignatureInvalid(f"{path} was altered after it was signed. Take another copy.")
        if said["installation"] != self._installation:
            raise SignatureInvalid(f"{path} is of another installation. Point FACEAUTH_KEYS__FILE at its keyring.")
        file = said["files"][FILES[which]]
        return Copy(which, folder, datetime.fromisoformat(said["made_at"]), file["sha256"], file["bytes"])

    def _check_owner(self, root: Path) -> None:
        try:
            owner = json.loads((root / OWNER_FILE).read_text(encoding="utf-8"))
            ours = owner["format"] == FORMAT and owner["installation"] == self._installation
        except (OSError, KeyError, TypeError, ValueError):
            raise ConfigurationError(
                f"{root} holds something that is no backup of faceauth; nothing was written. Name an empty folder."
            ) from None
        if not ours:
            raise ConfigurationError(f"{root} holds another installation's backups. Name another folder.")


def _clear_drafts(parent: Path) -> None:
    """Remove what an interrupted backup left; a draft of the keys is a copy of keys like any other."""
    for draft in parent.iterdir():
        if draft.name.startswith("."):
            _overwrite_and_remove(draft)


def _overwrite_and_remove(folder: Path) -> None:
    """Write zeros over the files of a copy and remove it.

    On a file system that writes elsewhere, or one with snapshots, the old bytes stay where they were:
    docs/backup.md says what follows.
    """
    try:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            with file.open("r+b") as opened:
                left = file.stat().st_size
                while left > 0:
                    left -= opened.write(bytes(min(left, _CHUNK)))
                opened.flush()
                os.fsync(opened.fileno())
        shutil.rmtree(folder)
    except OSError as error:
        raise _failed("remove the older copy", folder, error) from error


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _write(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123  only open() takes a descriptor
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _failed(what: str, path: Path, error: OSError) -> StorageError:
    return StorageError(f"Cannot {what} at {path} ({error.strerror}). Check the disk and who may write there.")
