"""What the operator does with keys."""

from typing import Annotated

from fastapi import APIRouter, Body

from faceauth.api.access import Here, Operator, actor
from faceauth.api.wire.keys import (
    DestroyAnswer,
    DestroyRequest,
    KeysAnswer,
    KeyVersion,
    RotateAnswer,
    RotateRequest,
)
from faceauth.two_people import destroy_key

router = APIRouter(prefix="/v1/admin/keys", tags=["admin"])


@router.get("")
def read_keys(here: Here, caller: Operator) -> KeysAnswer:  # noqa: ARG001  the role is what counts
    """How the key-encryption keys stand, what is wrapped under each version, and which keys sign; never a key."""
    found, keyring = here.rotation.status(), here.place.load()
    versions = sorted({*here.place.versions(keyring), *keyring.destroyed, *found.counts})
    return KeysAnswer(
        provider=here.settings.keys.provider,
        active=found.active,
        minimum=found.minimum,
        rotating=found.rotating,
        versions=[
            KeyVersion(
                version=one,
                destroyed=one in keyring.destroyed,
                data_keys=found.counts.get(one, 0),
            )
            for one in versions
        ],
        signing=str(keyring.signing_keys[0].kid),
        checking=[str(key.kid) for key in keyring.signing_keys[1:]],
    )


@router.post("/rotate")
def rotate_keys(
    here: Here, caller: Operator, body: Annotated[RotateRequest, Body(default_factory=RotateRequest)]
) -> RotateAnswer:
    """Make a new version of the key-encryption key and wrap every data key under it; logins go on meanwhile."""
    done = here.rotation.rotate(tenant=caller.tenant, actor=actor(caller), retire=body.retire)
    return RotateAnswer(
        version=done.version,
        minimum=done.minimum,
        rewrapped=done.rewrapped,
        resumed=done.resumed,
        unreadable=len(done.unreadable),
    )


@router.post("/destroy")
def destroy_version(here: Here, caller: Operator, body: DestroyRequest) -> DestroyAnswer:
    """Destroy the oldest version once another administrator has approved it; before, ask for that (R52)."""
    done = destroy_key(
        body.version,
        data=here.data,
        approvals=here.approvals,
        destruction=here.destruction,
        tenant=caller.tenant,
        actor=actor(caller),
    )
    return DestroyAnswer(
        version=body.version,
        destroyed=done.told is not None,
        approval_id=done.approval.approval_id,
        left_to_do=done.told or "A second person must approve it; then ask again.",
    )
