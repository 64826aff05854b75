"""Device keys from the account's side: bound with the person's other factor, listed, renamed, revoked."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.clock import Clock
from faceauth.consent.accounts import AccountStore
from faceauth.db.engine import Database
from faceauth.identity.devices import Device, DeviceKeys, Kind, NewKey, check_label, new_device_id
from faceauth.identity.reauthentication import check_fresh
from faceauth.identity.signed import binding_message, check_es256, read_jwk, unpack
from faceauth.identity.webauthn_keys import RelyingParty
from faceauth.installation import Installation


@dataclass(frozen=True, slots=True)
class Asked:
    """What a new key must sign, 32 bytes, until when, and for WebAuthn what the page hands to the browser."""

    challenge: bytes = field(repr=False)
    expires_at: datetime
    options: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Binds keys to accounts. Each act is audited in its own transaction."""

    data: Database
    accounts: AccountStore
    devices: DeviceKeys
    relying_party: RelyingParty
    audit: AuditLog
    clock: Clock
    random: Callable[[int], bytes]
    reauthentication_max_age_s: int
    handle_key: bytes = field(repr=False)

    @classmethod
    def of(cls, installation: Installation) -> "Binding":
        """Return the binding of an opened installation."""
        return cls(
            data=installation.data,
            accounts=installation.accounts,
            devices=installation.devices,
            relying_party=installation.relying_party,
            audit=installation.audit,
            clock=installation.clock,
            random=installation.desk.random,
            reauthentication_max_age_s=installation.settings.sessions.reauthentication_max_age_s,
            handle_key=installation.keyring.pseudonym_key,
        )

    def ask(self, *, tenant: str, account: str, kind: Kind) -> Asked:
        """Draw what the account's next key must sign; one drawn before is forgotten.

        Raises:
            UnknownAccount: there is none of that name.
            InvalidRequest: WebAuthn cannot be used at this address.
        """
        challenge = self.random(32)
        with self.data.begin() as conn:
            self.accounts.get(conn, tenant, account)
            options = None
            if kind == "webauthn":
                known = self.devices.credentials(conn, tenant=tenant, account=account)
                user = self._handle(tenant, account)
                options = self.relying_party.options(challenge=challenge, user=user, account=account, known=known)
            now = self.clock()
            expires_at = self.devices.keep_challenge(conn, challenge, tenant=tenant, account=account, now=now)
        return Asked(challenge, expires_at, options)

    def bind_webauthn(
        self,
        unverified_credential: Mapping[str, Any],
        *,
        tenant: str,
        account: str,
        label: str,
        reauthenticated_at: datetime | None,
        actor: str,
    ) -> Device:
        """Bind a WebAuthn credential that answers the challenge.

        Raises:
            ReauthenticationRequired: the person did not just prove another factor (R14).
            UnknownAccount, InvalidRequest: no such account, no challenge, no room, or a label that is none.
            SignatureInvalid: it does not answer the challenge, or its attestation does not hold.
            AlreadyExists: it is bound already.
        """

        def register(challenge: bytes) -> NewKey:
            made = self.relying_party.register(unverified_credential, expected_challenge=challenge)
            return NewKey(
                kind="webauthn",
                name=made.credential_id,
                public_key=made.public_key,
                sign_count=made.sign_count,
                attestation=made.attestation,
                hardware=made.hardware,
            )

        return self._bind(
            register,
            tenant=tenant,
            account=account,
            label=label,
            reauthenticated_at=reauthenticated_at,
            actor=actor,
        )

    def bind_raw(
        self,
        unverified_jwk: object,
        unverified_signature: str,
        *,
        tenant: str,
        account: str,
        label: str,
        reauthenticated_at: datetime | None,
        actor: str,
    ) -> Device:
        """Bind a raw ES256 key that signed the challenge. Nothing is known of where it is kept: it is no hardware.

        Raises:
            ReauthenticationRequired, UnknownAccount, InvalidRequest, AlreadyExists: as in `bind_webauthn`.
            SignatureInvalid: the key is none on P-256, or the signature is not its.
        """

        def possess(challenge: bytes) -> NewKey:
            key = read_jwk(unverified_jwk)
            check_es256(unpack(unverified_signature, longest=200), binding_message(challenge), key=key)
            return NewKey(kind="raw", name=key, public_key=key)

        return self._bind(
            possess,
            tenant=tenant,
            account=account,
            label=label,
            reauthenticated_at=reauthenticated_at,
            actor=actor,
        )

    def _bind(
        self,
        prove: Callable[[bytes], NewKey],
        *,
        tenant: str,
        account: str,
        label: str,
        reauthenticated_at: datetime | None,
        actor: str,
    ) -> Device:
        now = self.clock()
        check_fresh(reauthenticated_at, now=now, limit_s=self.reauthentication_max_age_s)
        check_label(label)
        with self.data.begin() as conn:
            self.accounts.get(conn, tenant, account)
            challenge = self.devices.challenge(conn, tenant=tenant, account=account, now=now)
            key = prove(challenge)
            self.devices.forget_challenge(conn, tenant=tenant, account=account)
            device = self.devices.bind(
                conn,
                key,
                device_id=new_device_id(self.random),
                tenant=tenant,
                account=account,
                label=label,
                now=now,
            )
            self._note(conn, Event.DEVICE_BOUND, device, actor)
        return device

    def list(self, *, tenant: str, account: str) -> tuple[Device, ...]:
        """Return the account's device keys.

        Raises:
            UnknownAccount: there is none of that name.
        """
        with self.data.read() as conn:
            self.accounts.get(conn, tenant, account)
            return self.devices.list(conn, tenant=tenant, account=account)

    def rename(self, device_id: str, *, tenant: str, account: str, label: str, actor: str) -> Device:
        """Give a key another label.

        Raises:
            UnknownDevice, InvalidRequest: no such key of the account, or a label that is none.
        """
        check_label(label)
        with self.data.begin() as conn:
            device = self.devices.rename(conn, device_id, tenant=tenant, account=account, label=label)
            self._note(conn, Event.DEVICE_RENAMED, device, actor)
        return device

    def revoke(self, device_id: str, *, tenant: str, account: str, actor: str) -> None:
        """Delete a key: it proves nothing from this commit on.

        Raises:
            UnknownDevice: the account has none of that id.
        """
        with self.data.begin() as conn:
            device = self.devices.get(conn, device_id, tenant=tenant, account=account)
            self.devices.revoke(conn, device_id, tenant=tenant, account=account)
            self._note(conn, Event.DEVICE_REVOKED, device, actor)

    def _handle(self, tenant: str, account: str) -> bytes:
        """Return what names the person inside an authenticator: it must not be the account's own name."""
        said = b"webauthn user handle\x00" + tenant.encode() + b"\x00" + account.encode()
        return hmac.new(self.handle_key, said, hashlib.sha256).digest()

    def _note(self, conn: Connection, event: Event, device: Device, actor: str) -> None:
        self.audit.append(
            conn,
            event,
            tenant=device.tenant,
            account=device.account,
            actor=actor,
            details={"device_id": device.device_id, "kind": device.kind},
        )
