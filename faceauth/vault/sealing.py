"""Seals one embedding for one reference, and opens it again.

The associated data names everything the record belongs to (R46), so a row that is copied to another account,
scenario, consent or model does not open. docs/template-format.md has the bytes and an example.
"""

import os
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from faceauth.errors import SealBroken
from faceauth.types import Vector
from faceauth.vault.keyring import Random
from faceauth.vault.keys import DataKey
from faceauth.vault.records import open_record, pack_fields, seal_record

LABEL: Final = b"faceauth/reference"
SCHEMA: Final = 1
_DIMENSION: Final = struct.Struct(">H")
_LITTLE_FLOAT: Final = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class SealContext:
    """What a sealed reference belongs to. `model_digest` is a SHA-256, `schema` the layout of what is sealed."""

    tenant: str
    account: str
    reference: str
    scenario: str
    consent: str
    model_digest: bytes
    schema: int = SCHEMA

    def associated_data(self) -> bytes:
        """Return the bytes that are authenticated with the record, besides its header."""
        names = (self.tenant, self.account, self.reference, self.scenario, self.consent)
        return pack_fields(
            (LABEL, struct.pack(">I", self.schema), *(name.encode() for name in names), self.model_digest)
        )


def seal(vector: Vector, key: DataKey, context: SealContext, *, random: Random = os.urandom) -> bytes:
    """Return the embedding, shape (d,), sealed under the account's data key.

    The record's key version is the data key's generation: when the key-encryption key is rotated only the wrapped
    data key changes, and no template is opened for it (R45).

    Raises:
        ValueError: If the vector is not one finite row, or the key is another account's: mistakes of the caller.
    """
    if vector.ndim != 1 or not 0 < vector.size <= 0xFFFF or not np.isfinite(vector).all():
        raise ValueError("Only one finite embedding can be sealed.")
    if (key.tenant, key.account) != (context.tenant, context.account):
        raise ValueError("The data key is another account's.")
    plain = _DIMENSION.pack(vector.size) + vector.astype(_LITTLE_FLOAT).tobytes()
    return seal_record(
        plain, key.secret, key_version=key.generation, context=context.associated_data(), random=random
    )


def open_sealed(data: bytes, key: DataKey, context: SealContext) -> Vector:
    """Return the embedding, shape (d,), that was sealed in this very context.

    Raises:
        SealBroken: In every other case.
    """
    plain = open_record(data, key.secret, expected_key_version=key.generation, context=context.associated_data())
    (dimension,) = _DIMENSION.unpack_from(plain) if len(plain) >= _DIMENSION.size else (0,)
    if not dimension or len(plain) != _DIMENSION.size + dimension * _LITTLE_FLOAT.itemsize:
        raise SealBroken("A sealed record holds no embedding.")
    vector = np.frombuffer(plain, _LITTLE_FLOAT, offset=_DIMENSION.size).astype(np.float32)
    if not np.isfinite(vector).all():
        raise SealBroken("A sealed record holds what is no number.")
    return vector
