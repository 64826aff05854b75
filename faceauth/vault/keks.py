"""Who holds the key-encryption keys: one of several, chosen by the settings, and never another in its place.

Versions, the minimum and what is under way stand in the keyring file, whoever holds the keys.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from faceauth.errors import KeyUnavailable, SealBroken
from faceauth.vault.records import open_record, seal_record
from faceauth.vault.secret import KeyBytes


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A wrapped key, the version of the key-encryption key that it names, and what it was wrapped for."""

    record: bytes
    version: int
    context: bytes


@dataclass(frozen=True, slots=True)
class Plain:
    """A key that is to be wrapped, and what for."""

    key: KeyBytes
    context: bytes


class KekUser(Protocol):
    """Uses the key-encryption keys. Every method may raise `KeyUnavailable`."""

    def wrap(self, keys: Sequence[Plain], *, version: int) -> list[bytes]:
        """Return each key wrapped under this version, as a record that names the version in its bytes 1 to 4."""
        ...

    def unwrap(self, records: Sequence[Wrapped]) -> list[KeyBytes | SealBroken]:
        """Return what was wrapped, or why that one does not open; `KeyUnavailable` is about all of them."""
        ...


class KekHolder(KekUser, Protocol):
    """Holds the key-encryption keys where the keyring file does not; see `KekUser`."""

    def make(self, *, after: int) -> int:
        """Make a new version, higher than `after`, or find the one that was put there for it; return it."""
        ...

    def destroy(self, version: int) -> str:
        """Destroy a version for good and say in one line what is left to be done; again changes nothing."""
        ...

    def versions(self) -> tuple[int, ...]:
        """Return the versions that are there, in order."""
        ...

    def close(self) -> None:
        """Let go of connections and sessions."""
        ...


class SoftwareKeks:
    """Wraps in this process, with keys that a keyring file or the environment holds.

    Args:
        keks: Version → 32 bytes.
        random: The source of nonces.
    """

    def __init__(
        self, keks: Mapping[int, bytes | bytearray], *, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._keks = keks
        self._random = random

    def wrap(self, keys: Sequence[Plain], *, version: int) -> list[bytes]:
        """Wrap; see `KekUser`."""
        kek = self._kek(version)
        return [
            seal_record(plain.key, kek, key_version=version, context=plain.context, random=self._random)
            for plain in keys
        ]

    def unwrap(self, records: Sequence[Wrapped]) -> list[KeyBytes | SealBroken]:
        """Unwrap; see `KekUser`."""
        found: list[KeyBytes | SealBroken] = []
        for one in records:
            kek = self._kek(one.version)
            try:
                found.append(
                    KeyBytes(open_record(one.record, kek, expected_key_version=one.version, context=one.context))
                )
            except SealBroken as error:
                found.append(error)
        return found

    def _kek(self, version: int) -> bytes | bytearray:
        kek = self._keks.get(version)
        if kek is None:
            raise KeyUnavailable(
                f"There is no key-encryption key of version {version} here: restore the newest keyring, or the "
                "secret that it was made with."
            )
        return kek
