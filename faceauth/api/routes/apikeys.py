"""Who may call the service, as operators see and change it."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body

from faceauth.api.access import Here, Operator, actor
from faceauth.api.wire.apikeys import (
    ApiKeyAnswer,
    ApiKeysAnswer,
    IssuedAnswer,
    IssueRequest,
    RotateKeyRequest,
)
from faceauth.api.wire.base import Name
from faceauth.identity.apikeys import KeyInfo
from faceauth.issuing import Issued, Issuing

router = APIRouter(prefix="/v1/admin/apikeys", tags=["admin"])


@router.get("")
def list_keys(here: Here, caller: Operator) -> ApiKeysAnswer:
    """Every key of the tenant, the ended ones too: ids, roles and dates, never a secret."""
    with here.data.read() as conn:
        return ApiKeysAnswer(keys=[_told(one) for one in here.apikeys.list(conn, caller.tenant)])


@router.post("")
def issue_key(here: Here, caller: Operator, body: IssueRequest) -> IssuedAnswer:
    """Make a key and tell it, this once. One of an administrator waits for a second person: then ask again."""
    return _issued(
        Issuing.of(here).issue(
            tenant=caller.tenant, actor=actor(caller), role=body.role, label=body.label, days=body.expires_days
        )
    )


@router.post("/{key_id}/rotate")
def rotate_key(
    here: Here,
    caller: Operator,
    key_id: Name,
    body: Annotated[RotateKeyRequest, Body(default_factory=RotateKeyRequest)],
) -> IssuedAnswer:
    """Make a key in another's place and tell it, this once; the old one ends when the overlap is over."""
    overlap = timedelta(hours=body.overlap_hours)
    return _issued(Issuing.of(here).rotate(key_id, tenant=caller.tenant, actor=actor(caller), overlap=overlap))


@router.delete("/{key_id}")
def revoke_key(here: Here, caller: Operator, key_id: Name) -> ApiKeyAnswer:
    """Make a key worthless from now on."""
    return _told(Issuing.of(here).revoke(key_id, tenant=caller.tenant, actor=actor(caller)))


def _told(one: KeyInfo) -> ApiKeyAnswer:
    return ApiKeyAnswer(
        key_id=one.key_id,
        role=one.role,
        label=one.label,
        created_at=one.created_at,
        expires_at=one.expires_at,
        revoked_at=one.revoked_at,
    )


def _issued(one: Issued) -> IssuedAnswer:
    made, approval = one.made, one.approval
    return IssuedAnswer(
        key_id=made.key_id if made else None,
        secret=made.secret if made else None,
        approval_id=approval.approval_id if approval else None,
    )
