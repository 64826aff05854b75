"""References of nobody, opened where an account's own would be: a lack of work would tell who is enrolled (R25).

They are made of noise, sealed as any other record is, and kept in this process alone: nothing of them is stored,
and nothing is compared with them that could let anybody in.
"""

from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import numpy as np
from sqlalchemy import Connection

from faceauth.errors import KeyUnavailable, SealBroken
from faceauth.types import Vector
from faceauth.vault.keystore import DataKeys, LooseKey
from faceauth.vault.quarantine import marked
from faceauth.vault.references import ReferenceStore
from faceauth.vault.sealing import SealContext, open_sealed, seal

COUNT: Final = 3
"""As many as an enrolment stores (`ReferenceStore.add`)."""

_NOBODY: Final = "decoy"
_DIMENSION: Final = 512
"""Of the longest embeddings that a pack makes; opening a shorter record is faster by microseconds."""


@dataclass(frozen=True, slots=True)
class _Made:
    """The decoys of this process: their key, wrapped, and the sealed records with what they are bound to."""

    key: LooseKey
    records: tuple[tuple[bytes, SealContext], ...] = field(repr=False)


class Decoys:
    """Opens references of nobody. Safe to call from any thread.

    Args:
        keys: Wraps and unwraps their key, as it does everybody's.
        references: Looks for the account's own first, as it does for everybody.
    """

    def __init__(self, keys: DataKeys, references: ReferenceStore) -> None:
        self._keys = keys
        self._references = references
        self._turn = Lock()
        self._made: _Made | None = None

    def open(
        self, conn: Connection, *, tenant: str, account: str, scenario: str, model_digest: bytes
    ) -> tuple[Vector, ...]:
        """Do what `ReferenceStore.open_account` does for somebody who is enrolled, whether the account is or not.

        The account's own are looked for and left shut; the key and the records that are opened are the decoys'.

        Returns:
            Vectors of noise, each of shape (d,) and unit length.

        Raises:
            KeyUnavailable: No key can be had; it would be so for everybody.
        """
        self._references.ids(conn, tenant=tenant, account=account, scenario=scenario, model_digest=model_digest)
        marked(conn, [f"{_NOBODY}-{number}" for number in range(COUNT)])
        try:
            return self._open(self._make())
        except (KeyUnavailable, SealBroken):
            # Wrapped under a version that is refused by now: a rotation went by.
            with self._turn:
                self._made = None
            return self._open(self._make())

    def _make(self) -> _Made:
        with self._turn:
            if self._made is None:
                loose, key = self._keys.make_loose(_NOBODY)
                rng = np.random.default_rng()
                records = []
                for number in range(COUNT):
                    vector = rng.normal(size=_DIMENSION)
                    context = SealContext(
                        tenant=key.tenant,
                        account=key.account,
                        reference=f"{_NOBODY}-{number}",
                        scenario=_NOBODY,
                        consent=_NOBODY,
                        model_digest=bytes(32),
                    )
                    unit = np.asarray(vector / np.linalg.norm(vector), np.float32)
                    records.append((seal(unit, key, context), context))
                key.wipe()
                self._made = _Made(loose, tuple(records))
            return self._made

    def _open(self, made: _Made) -> tuple[Vector, ...]:
        key = self._keys.open_loose(made.key)
        try:
            return tuple(open_sealed(record, key, context) for record, context in made.records)
        finally:
            key.wipe()
