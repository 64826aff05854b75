"""Data keys, and what wraps them.

A data key is never stored in the clear: a `KeyProvider` wraps it under a key-encryption key that is in no
database. The wrapped form is described byte by byte in docs/template-format.md.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from faceauth.errors import KeyUnavailable, SealBroken
from faceauth.vault.keyring import KEY_BYTES, Keyring, Random
from faceauth.vault.records import open_record, record_key_version, seal_record

LABEL: Final = b"faceauth/data-key/1"


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one account's references, opened. Each new key of an account is its next `generation`."""

    data_key_id: str
    tenant: str
    account: str
    generation: int
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError("A data key has 32 bytes.")


class KeyProvider(Protocol):
    """Wraps and unwraps data keys. There is one per installation, and no falling back to another."""

    def wrap(self, plain: bytes, *, context: bytes) -> bytes:
        """Return `plain` wrapped under the active key, bound to `context`.

        Raises:
            KeyUnavailable: If the key cannot be had.
        """
        ...

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """Return what was wrapped.

        Raises:
            KeyUnavailable: If its key cannot be had, or is older than the minimum (R45).
            SealBroken: If it is altered, or was wrapped for another context.
        """
        ...


class KeyringProvider:
    """Wraps with the key-encryption keys of a keyring.

    Args:
        keyring: The keyring, or what returns the one that holds now; asked anew for each key.
        random: The source of nonces.
    """

    def __init__(self, keyring: Keyring | Callable[[], Keyring], *, random: Random = os.urandom) -> None:
        self._keyring: Callable[[], Keyring] = (lambda: keyring) if isinstance(keyring, Keyring) else keyring
        self._random = random

    def wrap(self, plain: bytes, *, context: bytes) -> bytes:
        """Wrap; see `KeyProvider`."""
        keyring = self._keyring()
        return seal_record(
            plain,
            keyring.kek[keyring.active],
            key_version=keyring.active,
            context=LABEL + context,
            random=self._random,
        )

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """Unwrap; see `KeyProvider`."""
        keyring = self._keyring()
        version = record_key_version(wrapped)
        if version < keyring.minimum:
            raise KeyUnavailable(
                f"A data key is wrapped under version {version}, and versions below {keyring.minimum} are "
                "refused: restore a key store that was rotated."
            )
        key = keyring.kek.get(version)
        if key is None:
            raise KeyUnavailable(
                f"The keyring has no key-encryption key of version {version}: restore the newest keyring."
            )
        plain = open_record(wrapped, key, expected_key_version=version, context=LABEL + context)
        if len(plain) != KEY_BYTES:
            raise SealBroken("A wrapped data key holds no key of 32 bytes; restore the key store.")
        return plain
