"""How the keyring's file is read and written: by its owner alone, and whole or not at all."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from faceauth.errors import AlreadyExists, KeyringMissing, StorageError

_LARGEST: Final = 1_000_000
"""Bytes that are read of a keyring; far above the largest."""

_ELSEWHERE: Final = "Name a place that may be written with FACEAUTH_DATA_DIR, or with FACEAUTH_KEYS__FILE."


def read_private(path: Path) -> str:
    """Return the text of a file that nobody but its owner can reach.

    Raises:
        KeyringMissing: If it is not there, not readable, or open to others.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise KeyringMissing(f"The keyring {path} is no file.")
            if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyringMissing(f"The keyring {path} is open to others than its owner. Run: chmod 600 {path}")
            return file.read(_LARGEST).decode()
    except FileNotFoundError:
        raise KeyringMissing(
            f"There is no keyring at {path}. A new installation makes one with: faceauth init. "
            "An old one needs its own back: without it nothing sealed opens."
        ) from None
    except OSError as error:
        raise KeyringMissing(f"The keyring {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError:
        raise KeyringMissing(f"The keyring {path} is damaged: put a good copy in its place.") from None


def write_new(path: Path, text: str) -> None:
    """Write a whole file or none, and never over another: losing a keyring loses every template.

    Raises:
        AlreadyExists: If something is at `path`.
        StorageError: If it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The folder {path.parent} cannot be made ({error.strerror}). {_ELSEWHERE}") from error
    try:
        write_draft(draft, text)
        # A link, unlike a rename, fails when the name is taken.
        os.link(draft, path)
        sync_folder(path.parent)
    except FileExistsError:
        raise AlreadyExists(f"There is a keyring at {path} already; it was left alone.") from None
    except OSError as error:
        raise StorageError(f"The keyring cannot be written to {path} ({error.strerror}). {_ELSEWHERE}") from error
    finally:
        draft.unlink(missing_ok=True)


def write_draft(draft: Path, text: str, *, owner: tuple[int, int] | None = None) -> None:
    """Write and sync a new file, mode 0600, for this user and group if they are given."""
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123  only open() takes a descriptor
        if owner is not None:
            os.fchown(file.fileno(), *owner)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def overwritten_after(path: Path) -> Iterator[None]:
    """Overwrite the file that is at `path` now with zeros, once the block has put another in its place."""
    opened = os.open(path, os.O_RDWR)
    try:
        yield
        status = os.fstat(opened)
        if not status.st_nlink:
            os.pwrite(opened, bytes(status.st_size), 0)
            os.fsync(opened)
    finally:
        os.close(opened)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
