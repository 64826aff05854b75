"""The one layout of everything sealed: ``version | key version | nonce | ciphertext | tag``.

AES-256-GCM with a fresh random nonce of 96 bits (NIST SP 800-38D, 8.2.2). Under one key at most 2^32 records may
be sealed so (8.3); an account's key seals a handful, a key-encryption key one per account and generation.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from faceauth.errors import SealBroken

VERSION: Final = 1
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_HEADER: Final = struct.Struct(">BI")
OVERHEAD: Final = _HEADER.size + NONCE_BYTES + TAG_BYTES


def seal_record(
    plain: bytes | bytearray,
    key: bytes | bytearray,
    *,
    key_version: int,
    context: bytes,
    random: Callable[[int], bytes],
) -> bytes:
    """Return `plain` sealed under the 32-byte `key`; the header and `context` are authenticated with it.

    `random` returns that many random bytes, as `os.urandom` does.
    """
    header = _HEADER.pack(VERSION, key_version)
    nonce = random(NONCE_BYTES)
    if len(nonce) != NONCE_BYTES:
        raise ValueError("The source of randomness gave too few bytes.")
    return header + nonce + AESGCM(key).encrypt(nonce, plain, header + context)


def open_record(record: bytes, key: bytes | bytearray, *, expected_key_version: int, context: bytes) -> bytes:
    """Return what was sealed.

    Raises:
        SealBroken: If one bit of the record, the key or the context is another than when it was sealed.
    """
    if record_key_version(record) != expected_key_version:
        raise SealBroken("A sealed record names another version of its key; restore it from a backup.")
    start = _HEADER.size + NONCE_BYTES
    try:
        return AESGCM(key).decrypt(record[_HEADER.size : start], record[start:], record[: _HEADER.size] + context)
    except InvalidTag:
        raise SealBroken("A sealed record does not open: altered, or sealed for something else.") from None


def record_key_version(record: bytes) -> int:
    """Return the version of the key that the record says it is sealed under.

    Raises:
        SealBroken: If it is too short, or of a format this code does not know.
    """
    if len(record) < OVERHEAD:
        raise SealBroken("A sealed record is cut short; restore it from a backup.")
    version, key_version = _HEADER.unpack_from(record)
    if version != VERSION:
        raise SealBroken(f"A sealed record has format {version}; this code knows {VERSION}.")
    return int(key_version)


def split_record(record: bytes) -> tuple[bytes, bytes, bytes]:
    """Return header, nonce, and ciphertext with its tag, for those who open records without having the key.

    Raises:
        SealBroken: As `record_key_version`.
    """
    record_key_version(record)
    start = _HEADER.size + NONCE_BYTES
    return record[: _HEADER.size], record[_HEADER.size : start], record[start:]


def record_header(key_version: int) -> bytes:
    """Return the 5 bytes a record starts with; they are authenticated with the context."""
    return _HEADER.pack(VERSION, key_version)


def pack_fields(fields: Sequence[bytes]) -> bytes:
    """Return the fields, each after its length (4 bytes, big endian), so that no two lists give the same bytes."""
    return b"".join([len(field).to_bytes(4, "big") + field for field in fields])
