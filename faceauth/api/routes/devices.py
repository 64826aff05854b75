"""An account's device keys (docs/devices.md)."""

from base64 import urlsafe_b64encode

from fastapi import APIRouter

from faceauth.api.access import Application, Here, actor
from faceauth.api.wire.base import Name
from faceauth.api.wire.devices import (
    DeviceAnswer,
    DeviceChallengeAnswer,
    DeviceChallengeRequest,
    DeviceChange,
    DeviceRequest,
    DeviceRevokedAnswer,
    DevicesAnswer,
)
from faceauth.binding import Binding
from faceauth.errors import InvalidRequest

router = APIRouter(prefix="/v1/accounts/{account_id}/devices", tags=["devices"])


@router.post("/challenge")
def ask_device(
    here: Here, caller: Application, account_id: Name, body: DeviceChallengeRequest
) -> DeviceChallengeAnswer:
    """What the account's next key must sign; asking again forgets the one before."""
    asked = Binding.of(here).ask(tenant=caller.tenant, account=account_id, kind=body.kind)
    return DeviceChallengeAnswer(
        challenge=urlsafe_b64encode(asked.challenge).rstrip(b"=").decode(),
        expires_at=asked.expires_at,
        options=None if asked.options is None else dict(asked.options),
    )


@router.post("", status_code=201)
def bind_device(here: Here, caller: Application, account_id: Name, body: DeviceRequest) -> DeviceAnswer:
    """Bind a key that answers the challenge; the person has just proven another factor."""
    binding = Binding.of(here)
    if body.kind == "webauthn":
        if body.credential is None or body.jwk is not None or body.signature is not None:
            raise InvalidRequest("A webauthn key comes as credential, without jwk and signature.")
        device = binding.bind_webauthn(
            body.credential,
            tenant=caller.tenant,
            account=account_id,
            label=body.label,
            reauthenticated_at=body.reauthenticated_at,
            actor=actor(caller),
        )
    else:
        if body.jwk is None or body.signature is None or body.credential is not None:
            raise InvalidRequest("A raw key comes as jwk and signature, without credential.")
        device = binding.bind_raw(
            body.jwk.model_dump(),
            body.signature,
            tenant=caller.tenant,
            account=account_id,
            label=body.label,
            reauthenticated_at=body.reauthenticated_at,
            actor=actor(caller),
        )
    return DeviceAnswer.of(device)


@router.get("")
def list_devices(here: Here, caller: Application, account_id: Name) -> DevicesAnswer:
    """The account's keys: what they are called, when they were bound and last used."""
    found = Binding.of(here).list(tenant=caller.tenant, account=account_id)
    return DevicesAnswer(devices=tuple(DeviceAnswer.of(device) for device in found))


@router.put("/{device_id}")
def rename_device(
    here: Here, caller: Application, account_id: Name, device_id: Name, body: DeviceChange
) -> DeviceAnswer:
    """Give a key another label."""
    device = Binding.of(here).rename(
        device_id, tenant=caller.tenant, account=account_id, label=body.label, actor=actor(caller)
    )
    return DeviceAnswer.of(device)


@router.delete("/{device_id}")
def revoke_device(here: Here, caller: Application, account_id: Name, device_id: Name) -> DeviceRevokedAnswer:
    """Revoke a key: it proves nothing from now on, in sessions that are under way neither."""
    Binding.of(here).revoke(device_id, tenant=caller.tenant, account=account_id, actor=actor(caller))
    return DeviceRevokedAnswer(device_id=device_id)
