"""Data keys, and what wraps them.

A data key is never stored in the clear: a `KeyProvider` wraps it under a key-encryption key that is in no
database. The wrapped form is described byte by byte in docs/template-format.md.
"""

import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from faceauth.errors import KeyUnavailable, SealBroken
from faceauth.vault.keks import KekUser, Plain, SoftwareKeks, Wrapped
from faceauth.vault.keyring import KEY_BYTES, Keyring, Random
from faceauth.vault.secret import KeyBytes

LABEL: Final = b"faceauth/data-key/1"
_START: Final = struct.Struct(">BI")
"""Format and key version, with which every wrapped key starts, whoever wrapped it."""

_FORMATS: Final = frozenset({1, 2})
"""Records of ours, and of Vault's (docs/template-format.md)."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one account's references, opened. Each new key of an account is its next `generation`."""

    data_key_id: str
    tenant: str
    account: str
    generation: int
    secret: bytes | bytearray = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError("A data key has 32 bytes.")
        if not isinstance(self.secret, KeyBytes):
            object.__setattr__(self, "secret", KeyBytes(self.secret))

    def wipe(self) -> None:
        """Overwrite the key; it opens nothing afterwards. Call it as soon as its work is done."""
        if isinstance(self.secret, KeyBytes):
            self.secret.wipe()


class KeyProvider(Protocol):
    """Wraps and unwraps data keys. There is one per installation, and no falling back to another."""

    def wrap(self, plain: bytes | bytearray, *, context: bytes) -> bytes:
        """Return `plain` wrapped under the active key, bound to `context`.

        Raises:
            KeyUnavailable: If the key cannot be had.
        """
        ...

    def unwrap(self, wrapped: bytes, *, context: bytes) -> KeyBytes:
        """Return what was wrapped.

        Raises:
            KeyUnavailable: If its key cannot be had, or is older than the minimum (R45).
            SealBroken: If it is altered, or was wrapped for another context.
        """
        ...

    def unwrap_many(self, items: Sequence[tuple[bytes, bytes]]) -> list[KeyBytes | SealBroken]:
        """Return what was wrapped in each (wrapped, context), or why that one does not open.

        Raises:
            KeyUnavailable: As `unwrap`; it is about all of them.
        """
        ...


class KeyringProvider:
    """Wraps with the versions that a keyring names, wherever the key-encryption keys themselves are held.

    Args:
        keyring: The keyring, or what returns the one that holds now; asked anew for each use.
        holder: Holds the keys, where the keyring file does not.
        random: The source of nonces, where keys are used in this process.
    """

    def __init__(
        self,
        keyring: Keyring | Callable[[], Keyring],
        holder: KekUser | None = None,
        *,
        random: Random = os.urandom,
    ) -> None:
        self._keyring: Callable[[], Keyring] = (lambda: keyring) if isinstance(keyring, Keyring) else keyring
        self._holder = holder
        self._random = random

    def wrap(self, plain: bytes | bytearray, *, context: bytes) -> bytes:
        """Wrap; see `KeyProvider`."""
        return self.wrap_many([(plain, context)])[0]

    def wrap_many(self, items: Sequence[tuple[bytes | bytearray, bytes]]) -> list[bytes]:
        """Wrap each (plain, context) under the active version."""
        keyring = self._keyring()
        plains = [Plain(KeyBytes(plain), LABEL + context) for plain, context in items]
        try:
            return self._keks(keyring).wrap(plains, version=keyring.active)
        finally:
            for plain in plains:
                plain.key.wipe()

    def unwrap(self, wrapped: bytes, *, context: bytes) -> KeyBytes:
        """Unwrap; see `KeyProvider`."""
        (found,) = self.unwrap_many([(wrapped, context)])
        if isinstance(found, SealBroken):
            raise found
        return found

    def unwrap_many(self, items: Sequence[tuple[bytes, bytes]]) -> list[KeyBytes | SealBroken]:
        """Unwrap; see `KeyProvider`."""
        keyring = self._keyring()
        cut_short = SealBroken("A wrapped data key is cut short; restore the key store.")
        found: list[KeyBytes | SealBroken] = [cut_short] * len(items)
        places, records = [], []
        refused: KeyUnavailable | None = None
        for place, (wrapped, context) in enumerate(items):
            if len(wrapped) < _START.size:
                continue
            kind, version = _START.unpack_from(wrapped)
            wrong = _refusal(keyring, version)
            if kind not in _FORMATS:
                found[place] = SealBroken(f"A wrapped data key has format {kind}; this code knows 1 and 2.")
            elif wrong is None:
                places.append(place)
                records.append(Wrapped(wrapped, version, LABEL + context))
            else:
                refused = refused or KeyUnavailable(wrong)
                found[place] = SealBroken(wrong)
        # Where others can be opened, one that cannot is damaged: it must not keep a start, or them, from theirs.
        if refused is not None and not records:
            raise refused
        for place, plain in zip(places, self._keks(keyring).unwrap(records), strict=True):
            found[place] = _checked(plain)
        return found

    def _keks(self, keyring: Keyring) -> KekUser:
        return self._holder or SoftwareKeks(keyring.kek, random=self._random)


def _refusal(keyring: Keyring, version: int) -> str | None:
    """Say why a data key wrapped under this version is not opened, if it is not."""
    if version < keyring.minimum:
        return (
            f"A data key is wrapped under version {version}, and versions below {keyring.minimum} are refused: "
            "restore a key store that was rotated."
        )
    if version in keyring.destroyed:
        return f"A data key is wrapped under version {version}, which was destroyed: restore a newer key store."
    if version > keyring.active:
        return f"The keyring has no key-encryption key of version {version}: restore the newest keyring."
    return None


def _checked(plain: KeyBytes | SealBroken) -> KeyBytes | SealBroken:
    if isinstance(plain, KeyBytes) and len(plain) != KEY_BYTES:
        return SealBroken("A wrapped data key holds no key of 32 bytes; restore the key store.")
    return plain
