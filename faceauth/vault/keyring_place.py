"""A keyring file together with who holds its key-encryption keys: what init, the service and rotation all need."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from faceauth.vault.keks import KekHolder
from faceauth.vault.keyring import (
    FILE,
    Keyring,
    Random,
    create_keyring,
    load_keyring,
    next_keyring,
    replace_keyring,
)
from faceauth.vault.keys import KeyringProvider
from faceauth.vault.private_file import overwritten_after


@dataclass(frozen=True, slots=True)
class KeyringPlace:
    """Where the keyring is, and by whom its keys are held: the file itself if there is no `holder`."""

    path: Path
    provider_name: str = FILE
    holder: KekHolder | None = None

    def create(self, *, now: datetime, random: Random = os.urandom) -> Keyring:
        """Make a keyring; see `faceauth.vault.keyring.create_keyring`."""
        return create_keyring(self.path, now=now, random=random, provider=self.provider_name, holder=self.holder)

    def load(self) -> Keyring:
        """Read it; see `faceauth.vault.keyring.load_keyring`."""
        return load_keyring(self.path, self.holder, provider=self.provider_name)

    def replace(self, keyring: Keyring) -> None:
        """Exchange it; see `faceauth.vault.keyring.replace_keyring`."""
        replace_keyring(self.path, keyring, self.holder)

    def exchange_for_good(self, keyring: Keyring) -> None:
        """Exchange it and overwrite the old file's bytes, so that a key that is no longer in it is gone.

        A file that has another name too, a copy by link, is left alone. Where the storage writes elsewhere, as
        flash memory and some file systems do, the old bytes stay until they are reused.
        """
        with overwritten_after(self.path):
            self.replace(keyring)

    def destroy(self, version: int) -> str:
        """Destroy the version where it is held, and say in one line what is left to be done."""
        if self.holder is None:
            return "Older copies of the keyring file still hold the key: destroy them too."
        return self.holder.destroy(version)

    def next(self, keyring: Keyring, random: Random) -> Keyring:
        """Return the keyring with a new active version, which is not in the file yet."""
        return next_keyring(keyring, self.holder, random)

    def provider(
        self, keyring: Keyring | Callable[[], Keyring], *, random: Random = os.urandom
    ) -> KeyringProvider:
        """Return what wraps data keys as `keyring` says."""
        return KeyringProvider(keyring, self.holder, random=random)

    def versions(self, keyring: Keyring) -> tuple[int, ...]:
        """Return the versions that the holder has.

        Raises:
            KeyUnavailable: If it cannot be asked.
        """
        return tuple(sorted(keyring.kek)) if self.holder is None else self.holder.versions()

    def close(self) -> None:
        """Let the holder go."""
        if self.holder is not None:
            self.holder.close()
