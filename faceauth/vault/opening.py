"""Opens many sealed references at once, for the start: the format of `sealing`, and nothing looser.

Whatever is not exactly as expected is left to `open_sealed`, one at a time, which says what is wrong with it.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from faceauth.errors import KeyDestroyed, SealBroken
from faceauth.vault.keys import DataKey
from faceauth.vault.records import NONCE_BYTES, OVERHEAD, pack_fields, record_header
from faceauth.vault.sealing import LABEL, SCHEMA, SealContext, open_sealed

_VERSIONS: Final = 5
"""Bytes of a record before its nonce: the format's version and the key's (docs/template-format.md)."""

_DIMENSION: Final = np.dtype(">u2")
_LITTLE_FLOAT: Final = np.dtype("<f4")
_LENGTHS: Final = tuple(length.to_bytes(4, "big") for length in range(1_024))
"""The lengths that names can have, as `pack_fields` writes them."""

Keys = Mapping[str, DataKey | SealBroken | KeyDestroyed]


class SealedRow(NamedTuple):
    """A row of `biometric_references`, in this order."""

    reference_id: str
    tenant: str
    account: str
    scenario: str
    consent_id: str
    model_digest: bytes
    data_key_id: str
    sealed: bytes


def dimension_of(sealed: bytes) -> int:
    """Return how many numbers a record of this length holds; 0 where no embedding has that length."""
    size = len(sealed) - OVERHEAD - _DIMENSION.itemsize
    return size // _LITTLE_FLOAT.itemsize if size > 0 and size % _LITTLE_FLOAT.itemsize == 0 else 0


class Opener:
    """Opens rows of one dimension into memory of its own, used again for the next ones.

    `wipe` it when done: what is given back is a view, and no other copy of an embedding is left in memory.

    Args:
        rows: How many rows it takes at once.
        dimension: Numbers in an embedding.
    """

    def __init__(self, rows: int, dimension: int) -> None:
        self.dimension = dimension
        self._plain = np.zeros((rows, _DIMENSION.itemsize + dimension * _LITTLE_FLOAT.itemsize), np.uint8)
        self._vectors = np.zeros((rows, dimension), np.float32)

    def open(
        self, rows: Sequence[SealedRow], keys: Keys
    ) -> tuple[NDArray[np.float32], Sequence[SealedRow], Sequence[SealedRow]]:
        """Open what opens.

        Args:
            rows: Of one place; at most as many as it takes, each as long as its dimension asks for.
            keys: For each row's `data_key_id` its data key, or why there is none.

        Returns:
            The embeddings, shape (n, dimension), a view that the next call overwrites; the n rows they are of;
            and the rows that did not open, to be looked at one by one.
        """
        opened, left = self._decrypt(rows, keys)
        plain, vectors = self._plain[: len(opened)], self._vectors[: len(opened)]
        # The numbers begin at an odd place for floats, so they are moved to memory that is aligned.
        vectors.view(np.uint8)[...] = plain[:, _DIMENSION.itemsize :]
        if vectors.dtype != _LITTLE_FLOAT:
            vectors.byteswap(inplace=True)
        said = plain[:, : _DIMENSION.itemsize].copy().view(_DIMENSION)[:, 0]
        good = (said == self.dimension) & np.isfinite(vectors).all(axis=1)
        if not good.all():
            # A record that opens and holds no embedding was sealed so: rare enough to begin again without it.
            worse = [row for row, fine in zip(opened, good, strict=True) if not fine]
            better = [row for row, fine in zip(opened, good, strict=True) if fine]
            return *self.open(better, keys)[:2], [*left, *worse]
        return vectors, opened, left

    def wipe(self) -> None:
        """Overwrite what was opened last."""
        self._plain[:] = 0
        self._vectors[:] = 0

    def _decrypt(self, rows: Sequence[SealedRow], keys: Keys) -> tuple[list[SealedRow], list[SealedRow]]:
        ciphers: dict[str, tuple[str, bytes, AESGCM, bytes] | None] = {}
        first = rows[0] if rows else None
        scenario, model = (_field(first.scenario.encode()), _field(first.model_digest)) if first else (b"", b"")
        width = self._plain.shape[1]
        memory = self._plain.data.cast("B")
        nonce_ends = _VERSIONS + NONCE_BYTES
        opened: list[SealedRow] = []
        left: list[SealedRow] = []
        for row in rows:
            reference_id, _, account, _, consent_id, _, key_id, sealed = row
            if key_id not in ciphers:
                ciphers[key_id] = _cipher(row, keys[key_id])
            cipher = ciphers[key_id]
            if cipher is None or cipher[0] != account or not sealed.startswith(cipher[1]):
                left.append(row)
                continue
            _, _, aead, start = cipher
            # Written out, because a call for each field would take longer than AES does.
            reference, consent = reference_id.encode(), consent_id.encode()
            at = len(opened) * width
            try:
                lengths = _LENGTHS[len(reference)], _LENGTHS[len(consent)]
                context = b"".join((start, lengths[0], reference, scenario, lengths[1], consent, model))
                aead.decrypt_into(
                    sealed[_VERSIONS:nonce_ends], sealed[nonce_ends:], context, memory[at : at + width]
                )
            except (InvalidTag, ValueError, IndexError):
                left.append(row)
            else:
                opened.append(row)
        return opened, left


def _cipher(row: SealedRow, key: DataKey | SealBroken | KeyDestroyed) -> tuple[str, bytes, AESGCM, bytes] | None:
    """Return the account, how its records start, what opens them, and what their associated data start with."""
    if not isinstance(key, DataKey) or (key.tenant, key.account) != (row.tenant, row.account):
        return None
    header = record_header(key.generation)
    label = pack_fields((LABEL, SCHEMA.to_bytes(4, "big"), row.tenant.encode(), row.account.encode()))
    return row.account, header, AESGCM(key.secret), header + label


def _field(name: bytes) -> bytes:
    return pack_fields((name,))


def open_row(row: SealedRow, key: DataKey | SealBroken | KeyDestroyed) -> NDArray[np.float32]:
    """Open one row the careful way and return its embedding, shape (d,).

    Raises:
        KeyDestroyed: If its key is gone.
        SealBroken: If the key or the record is altered, or of another account.
    """
    if not isinstance(key, DataKey):
        raise key
    if (key.tenant, key.account) != (row.tenant, row.account):
        raise SealBroken("A reference names the data key of another account; restore it from a backup.")
    context = SealContext(
        row.tenant, row.account, row.reference_id, row.scenario, row.consent_id, row.model_digest
    )
    return open_sealed(row.sealed, key, context)
