"""What the operator does with keys."""

from fastapi import APIRouter

from faceauth.api.access import Here, Operator, actor
from faceauth.api.wire.keys import RotateAnswer, RotateRequest

router = APIRouter(prefix="/v1/admin/keys", tags=["admin"])


@router.post("/rotate")
def rotate_keys(here: Here, caller: Operator, body: RotateRequest) -> RotateAnswer:
    """Make a new version of the key-encryption key and wrap every data key under it; logins go on meanwhile."""
    done = here.rotation.rotate(tenant=caller.tenant, actor=actor(caller), retire=body.retire)
    return RotateAnswer(
        version=done.version,
        minimum=done.minimum,
        rewrapped=done.rewrapped,
        resumed=done.resumed,
        unreadable=len(done.unreadable),
    )
