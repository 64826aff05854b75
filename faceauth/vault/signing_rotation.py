"""Exchanges the key that signs tokens and receipts, while the service runs; older ones only check from then on."""

import os
from dataclasses import dataclass, replace

from faceauth.audit.events import Event
from faceauth.db.engine import Database
from faceauth.signing import public_key
from faceauth.vault.audited import Audit
from faceauth.vault.keyring import Keyring, Random, bind_installation, new_signing_key
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.wrapped import take_turn


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The ids of the key that signs now, and of those that still check."""

    signing: str
    checking: tuple[str, ...]


class SigningRotation:
    """Makes new signing keys for one installation; it takes turns with the rotation of key-encryption keys."""

    def __init__(
        self, *, place: KeyringPlace, data: Database, keys: Database, audit: Audit, random: Random = os.urandom
    ) -> None:
        self._place = place
        self._data = data
        self._keys = keys
        self._audit = audit
        self._random = random

    def rotate(self, *, tenant: str, actor: str, distrust: bool = False) -> SigningKeys:
        """Sign with a new key from now on, and destroy the old one's private part.

        Its public part stays in the published set for good: receipts are kept for years, and each names its key by
        `kid`. With `distrust` all older ones are taken out of the set: what they signed is no more believed, by us
        at once and by others when they fetch the set again. That is for a key that somebody else may have.

        Raises:
            AuditUnavailable: If it cannot be audited; nothing was done.
            KeyringMissing: If the keyring cannot be read.
            KeyringForeign: If it is another installation's.
            StorageError: If it cannot be written.
        """
        with self._data.begin() as conn:
            bind_installation(conn, self._place.load())
            self._audit.append(
                conn,
                Event.KEY_ROTATED,
                tenant=tenant,
                account=None,
                actor=actor,
                details={"kind": "signing", "state": "begun", "mode": "distrust" if distrust else "keep"},
            )
        with self._keys.begin() as conn:
            take_turn(conn, alone=True)
            keyring = with_new_signing_key(self._place.load(), self._random, distrust=distrust)
            self._place.exchange_for_good(keyring)
        signing, *checking = (str(key.kid) for key in keyring.signing_keys)
        with self._data.begin() as conn:
            self._audit.append(
                conn,
                Event.KEY_ROTATED,
                tenant=tenant,
                account=None,
                actor=actor,
                details={"kind": "signing", "state": "finished", "key_id": signing, "count": len(checking)},
            )
        return SigningKeys(signing, tuple(checking))


def with_new_signing_key(keyring: Keyring, random: Random, *, distrust: bool) -> Keyring:
    """Return the keyring with a new first signing key, and of the others the public parts, or nothing."""
    older = () if distrust else tuple(public_key(key) for key in keyring.signing_keys)
    return replace(keyring, signing_keys=(new_signing_key(random), *older))
