"""Key-encryption keys out of one setting, for platforms that hand secrets to a process and keep no files.

Nothing here can write the setting: a new version is put into it by the operator before a rotation asks for it, and
taken out after its destruction.
"""

import os
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from itertools import pairwise
from typing import Final

from faceauth.errors import ConfigurationError, KeyUnavailable
from faceauth.vault.keks import SoftwareKeks
from faceauth.vault.secret import KeyBytes

NAME: Final = "FACEAUTH_KEYS__SECRET"
_BYTES: Final = 32
_FEWEST_VALUES: Final = 20
"""Different values among 32 random bytes: 30.1 are expected, and fewer than 20 happen 1.4 times in 10^10 (see
tests/vault/providers/test_environment.py)."""

_ONE: Final = re.compile(r"(?:(\d{1,9}):)?([A-Za-z0-9+/_-]+=*)", re.ASCII)
_MAKE: Final = "Make one with: openssl rand -base64 32"


class EnvironmentKeks(SoftwareKeks):
    """Holds the versions that the setting names; see `KekHolder`.

    Args:
        secret: One secret, which is version 1, or several as ``1:… 2:…``; each 32 bytes in base64.
        random: The source of nonces.

    Raises:
        ConfigurationError: If one is missing, malformed, or could be guessed.
    """

    def __init__(self, secret: str, *, random: Callable[[int], bytes] = os.urandom) -> None:
        self._secrets = parse_secrets(secret)
        super().__init__(self._secrets, random=random)

    def make(self, *, after: int) -> int:
        """Return the highest version, which the operator must have added."""
        newest = max(self._secrets)
        if newest <= after:
            raise KeyUnavailable(
                f"{NAME} has no version above {after}. Add {after + 1}:… to it, for the service too, and run this "
                f"again. {_MAKE}"
            )
        return newest

    def destroy(self, version: int) -> str:
        """Say that the setting is the operator's to change; the keyring refuses the version from now on."""
        return f"Now take version {version} out of {NAME}, and out of wherever that comes from."

    def versions(self) -> tuple[int, ...]:
        """Return the versions in the setting."""
        return tuple(sorted(self._secrets))

    def close(self) -> None:
        """Overwrite the keys."""
        for key in self._secrets.values():
            key.wipe()


def parse_secrets(text: str) -> dict[int, KeyBytes]:
    """Return version → 32 bytes.

    Raises:
        ConfigurationError: As `EnvironmentKeks`; the text never shows a secret.
    """
    found: dict[int, KeyBytes] = {}
    for place, word in enumerate(text.replace(",", " ").split(), start=1):
        match = _ONE.fullmatch(word)
        if match is None:
            raise ConfigurationError(f"{NAME}: entry {place} is no base64. {_MAKE}")
        version = int(match[1] or "1")
        if version < 1 or version in found:
            raise ConfigurationError(f"{NAME}: versions count from 1, and each stands there once.")
        key = _decoded(match[2])
        wrong = _weakness(key)
        if wrong is not None:
            raise ConfigurationError(f"{NAME}: the secret of version {version} {wrong}. {_MAKE}")
        found[version] = key
    if not found:
        raise ConfigurationError(f"{NAME} is not set, and FACEAUTH_KEYS__PROVIDER is environment. {_MAKE}")
    if len({bytes(key) for key in found.values()}) != len(found):
        raise ConfigurationError(f"{NAME}: two versions are the same secret. {_MAKE}")
    return found


def _decoded(text: str) -> KeyBytes:
    text = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return KeyBytes(b64decode(text + "=" * (-len(text) % 4), validate=True))
    except Base64Error:
        return KeyBytes()


def _weakness(key: KeyBytes) -> str | None:
    """Say how a key could be guessed, if it could."""
    if len(key) != _BYTES:
        return f"has {len(key)} bytes and must have {_BYTES}"
    if len({(later - earlier) % 256 for earlier, later in pairwise(key)}) == 1:
        return "counts up, as examples do"
    if len(set(key)) < _FEWEST_VALUES:
        return "is not random: it repeats itself"
    if all(0x20 <= byte < 0x7F for byte in key):
        # Random bytes are all printable once in 7·10^13 times: (95/256)^32.
        return "is text, not random bytes"
    return None
