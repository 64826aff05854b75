"""The repository of device keys: ES256 keys that people bound to their accounts, and what proves that one signed.

Public keys only: what is here lets nobody in. A key is checked against the account it was bound to, and a counter
that goes back is a second copy of the key (WebAuthn, 6.1.1).
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, cast

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from faceauth.db.device_tables import device_challenges as challenges
from faceauth.db.device_tables import device_keys as table
from faceauth.errors import AlreadyExists, DeviceKeyMisused, InvalidRequest, SignatureInvalid, UnknownDevice
from faceauth.identity.signed import check_es256, unpack
from faceauth.identity.webauthn_keys import RelyingParty
from faceauth.types import DeviceProof

Kind = Literal["webauthn", "raw"]

MOST: Final = 20
"""Keys an account may have: every device of a household, and a bound on what is searched (own figure)."""

ANSWERED_WITHIN: Final = timedelta(minutes=5)
"""How long a binding's challenge waits; WebAuthn recommends 5 to 10 minutes for a ceremony (15.1)."""

_DEVICE_ID: Final = re.compile("device_[0-9a-f]{32}", re.ASCII)


def new_device_id(random: Callable[[int], bytes]) -> str:
    """Return an id for a key; `random` returns that many unguessable bytes."""
    return f"device_{random(16).hex()}"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that has just proven itself. `name` is what its signatures name it by: a credential id, or the key."""

    kind: Kind
    name: bytes
    public_key: bytes = field(repr=False)
    sign_count: int = 0
    attestation: str = "none"
    hardware: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """One bound key, as its owner sees it."""

    device_id: str
    tenant: str
    account: str
    kind: Kind
    label: str
    attestation: str
    hardware: bool
    created_at: datetime
    last_used_at: datetime | None


class DeviceKeys:
    """Every method works in the caller's transaction."""

    # --- binding ----------------------------------------------------------------------------------------------

    def keep_challenge(
        self, conn: Connection, challenge: bytes, *, tenant: str, account: str, now: datetime
    ) -> datetime:
        """Store what the next binding of the account must sign, 32 bytes; return until when it waits."""
        self.forget_challenge(conn, tenant=tenant, account=account)
        expires_at = now + ANSWERED_WITHIN
        conn.execute(
            insert(challenges).values(tenant=tenant, account=account, challenge=challenge, expires_at=expires_at)
        )
        return expires_at

    def challenge(self, conn: Connection, *, tenant: str, account: str, now: datetime) -> bytes:
        """Return what the next binding must sign.

        Raises:
            InvalidRequest: nothing was drawn, or too long ago.
        """
        mine = (challenges.c.tenant == tenant, challenges.c.account == account, challenges.c.expires_at > now)
        found = conn.scalar(select(challenges.c.challenge).where(*mine))
        if found is None:
            raise InvalidRequest("There is no challenge to answer. Ask for one: POST …/devices/challenge.")
        return bytes(found)

    def forget_challenge(self, conn: Connection, *, tenant: str, account: str) -> None:
        """Take the challenge away: one binding answers it."""
        conn.execute(delete(challenges).where(challenges.c.tenant == tenant, challenges.c.account == account))

    def bind(
        self,
        conn: Connection,
        key: NewKey,
        *,
        device_id: str,
        tenant: str,
        account: str,
        label: str,
        now: datetime,
    ) -> Device:
        """Store a key that proved itself.

        Raises:
            AlreadyExists: somebody of this tenant has it already.
            InvalidRequest: the account has as many as it may.
        """
        mine = (table.c.tenant == tenant, table.c.account == account)
        if (conn.scalar(select(func.count()).select_from(table).where(*mine)) or 0) >= MOST:
            raise InvalidRequest(f"An account has {MOST} device keys at most; revoke one.")
        try:
            with conn.begin_nested():
                conn.execute(
                    insert(table).values(
                        device_id=device_id,
                        tenant=tenant,
                        account=account,
                        kind=key.kind,
                        label=label,
                        key_digest=_digest(key.kind, key.name),
                        key_name=key.name,
                        public_key=key.public_key,
                        sign_count=key.sign_count,
                        attestation=key.attestation,
                        hardware=key.hardware,
                        created_at=now,
                    )
                )
        except IntegrityError as error:
            raise AlreadyExists("This key is bound already; revoke it first, or make another.") from error
        return self.get(conn, device_id, tenant=tenant, account=account)

    # --- what its owner sees and does -------------------------------------------------------------------------

    def list(self, conn: Connection, *, tenant: str, account: str) -> tuple[Device, ...]:
        """Return the account's keys, the oldest first."""
        mine = select(table).where(table.c.tenant == tenant, table.c.account == account)
        return tuple(_device(row) for row in conn.execute(mine.order_by(table.c.created_at, table.c.device_id)))

    def get(self, conn: Connection, device_id: str, *, tenant: str, account: str) -> Device:
        """Return one.

        Raises:
            UnknownDevice: the account has none of that id.
        """
        row = conn.execute(select(table).where(*_one(device_id, tenant, account))).one_or_none()
        if row is None:
            raise UnknownDevice(f"This account has no device {device_id!r}.")
        return _device(row)

    def credentials(self, conn: Connection, *, tenant: str, account: str) -> tuple[bytes, ...]:
        """Return the ids of the account's WebAuthn credentials."""
        mine = (table.c.tenant == tenant, table.c.account == account, table.c.kind == "webauthn")
        return tuple(bytes(name) for name in conn.scalars(select(table.c.key_name).where(*mine)))

    def rename(self, conn: Connection, device_id: str, *, tenant: str, account: str, label: str) -> Device:
        """Give it another label.

        Raises:
            UnknownDevice: the account has none of that id.
        """
        conn.execute(update(table).where(*_one(device_id, tenant, account)).values(label=label))
        return self.get(conn, device_id, tenant=tenant, account=account)

    def revoke(self, conn: Connection, device_id: str, *, tenant: str, account: str) -> None:
        """Delete it: from this commit on it proves nothing, in sessions that are under way neither.

        Raises:
            UnknownDevice: the account has none of that id.
        """
        if conn.execute(delete(table).where(*_one(device_id, tenant, account))).rowcount != 1:
            raise UnknownDevice(f"This account has no device {device_id!r}.")

    # --- proving ----------------------------------------------------------------------------------------------

    def prove(
        self,
        conn: Connection,
        unverified_signature: object,
        message: bytes,
        *,
        expected_tenant: str,
        expected_account: str | None,
        relying_party: RelyingParty,
    ) -> DeviceProof:
        """Return the proof that a bound key signed `message`, and move its counter on.

        Args:
            conn: the transaction.
            unverified_signature: what the device sent, parsed: ``{"kind": "raw", "device_id", "signature"}`` or
                ``{"kind": "webauthn", "assertion"}``.
            message: what it must have signed.
            expected_tenant: whose keys count.
            expected_account: whose key it must be; None for a search, where the face says later who it is.
            relying_party: for whom WebAuthn credentials were made.

        Raises:
            DeviceKeyMisused: it is no signature of such a key, or the key's counter went back.
        """
        said = unverified_signature if isinstance(unverified_signature, Mapping) else {}
        row = self._named(conn, said, expected_tenant)
        if row is None or (expected_account is not None and row.account != expected_account):
            raise DeviceKeyMisused("unknown")
        try:
            counter = _check(row, said, message, relying_party)
        except SignatureInvalid as error:
            raise DeviceKeyMisused("signature", row.device_id) from error
        self._count(conn, row.device_id, counter)
        return DeviceProof(
            device_id=row.device_id,
            tenant=row.tenant,
            account=row.account,
            strength="hwk" if row.hardware else "swk",
        )

    def used(self, conn: Connection, proof: DeviceProof, *, expected_account: str, now: datetime) -> None:
        """Note, in the transaction that accepts, that the key was used; it must still be the account's.

        Raises:
            DeviceKeyMisused: it is another's, or was revoked meanwhile.
        """
        if proof.account != expected_account:
            raise DeviceKeyMisused("account", proof.device_id)
        here = _one(proof.device_id, proof.tenant, proof.account)
        if conn.execute(update(table).where(*here).values(last_used_at=now)).rowcount != 1:
            raise DeviceKeyMisused("revoked", proof.device_id)

    def _named(self, conn: Connection, said: Mapping[str, Any], tenant: str) -> Row[Any] | None:
        """Return the row of the key that a signature says it is by."""
        device_id = said.get("device_id")
        if said.get("kind") == "raw" and isinstance(device_id, str) and _DEVICE_ID.fullmatch(device_id):
            name = table.c.device_id == device_id
        elif said.get("kind") == "webauthn" and isinstance(said.get("assertion"), Mapping):
            try:
                credential = unpack(said["assertion"].get("id"), longest=2_000)
            except SignatureInvalid:
                return None
            name = table.c.key_digest == _digest("webauthn", credential)
        else:
            return None
        query = select(table).where(table.c.tenant == tenant, table.c.kind == said["kind"], name)
        return conn.execute(query).one_or_none()

    def _count(self, conn: Connection, device_id: str, counter: int) -> None:
        # WebAuthn, 7.2 step 22: a counter that both sides have must grow; 0 on both says that it does not count.
        grows = table.c.sign_count < counter if counter else table.c.sign_count == 0
        moved = conn.execute(
            update(table).where(table.c.device_id == device_id, grows).values(sign_count=counter)
        ).rowcount
        if moved != 1:
            raise DeviceKeyMisused("counter", device_id)


def check_label(label: str) -> str:
    """Return a label of 1 to 100 characters that can be seen.

    Raises:
        InvalidRequest: it is none.
    """
    if not label.strip() or len(label) > 100 or not label.isprintable():
        raise InvalidRequest("A device's label has 1 to 100 characters, all of which can be seen.")
    return label


def _check(row: Row[Any], said: Mapping[str, Any], message: bytes, relying_party: RelyingParty) -> int:
    if row.kind == "webauthn":
        return relying_party.check(said["assertion"], message, key=row.public_key)
    check_es256(unpack(said.get("signature"), longest=200), message, key=row.public_key)
    return 0


def _digest(kind: str, name: bytes) -> bytes:
    return hashlib.sha256(kind.encode() + b"\x00" + name).digest()


def _one(device_id: str, tenant: str, account: str) -> tuple[Any, ...]:
    return table.c.device_id == device_id, table.c.tenant == tenant, table.c.account == account


def _device(row: Row[Any]) -> Device:
    return Device(
        device_id=row.device_id,
        tenant=row.tenant,
        account=row.account,
        kind=cast("Kind", row.kind),
        label=row.label,
        attestation=row.attestation,
        hardware=row.hardware,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
