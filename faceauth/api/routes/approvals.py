"""The second person's answer to what takes two people (R52)."""

from typing import Annotated

from fastapi import APIRouter, Depends

from faceauth.api.access import Here, actor, caller_with
from faceauth.api.wire.approvals import ApprovalAnswer, ApprovalsAnswer, DecisionRequest
from faceauth.api.wire.base import Name
from faceauth.identity.apikeys import Caller
from faceauth.identity.approvals import Approval

router = APIRouter(prefix="/v1/admin/approvals", tags=["admin"])

Administrator = Annotated[Caller, Depends(caller_with("operator", "privacy"))]


@router.get("")
def list_approvals(here: Here, caller: Administrator) -> ApprovalsAnswer:
    """Return what was asked for, the newest first."""
    with here.data.read() as conn:
        return ApprovalsAnswer(
            approvals=[approval_answer(one) for one in here.approvals.list(conn, tenant=caller.tenant)]
        )


@router.post("/{approval_id}")
def decide(here: Here, caller: Administrator, approval_id: Name, body: DecisionRequest) -> ApprovalAnswer:
    """Approve what another asked for, or refuse it. Who asked cannot approve."""
    with here.data.begin() as conn:
        answer = here.approvals.approve if body.decision == "approve" else here.approvals.reject
        return approval_answer(answer(conn, approval_id, tenant=caller.tenant, actor=actor(caller)))


def approval_answer(one: Approval) -> ApprovalAnswer:
    """Return an approval as the wire tells it."""
    return ApprovalAnswer(
        approval_id=one.approval_id,
        kind=one.kind,
        details=dict(one.details),
        state=one.state,
        requested_by=one.requested_by,
        requested_at=one.requested_at,
        expires_at=one.expires_at,
        decided_by=one.decided_by,
    )
