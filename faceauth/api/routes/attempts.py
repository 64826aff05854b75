"""Attempts: a locked face is unlocked by another factor, which the application saw (R10)."""

from fastapi import APIRouter

from faceauth.api.access import Application, Here, actor
from faceauth.api.wire.attempts import RestoredAnswer, RestoreRequest
from faceauth.api.wire.base import Name
from faceauth.charging import Unlocking
from faceauth.identity.reauthentication import check_fresh

router = APIRouter(prefix="/v1/accounts/{account_id}/attempts", tags=["accounts"])


@router.post("/restore")
def restore_attempts(here: Here, caller: Application, account_id: Name, body: RestoreRequest) -> RestoredAnswer:
    """Start the account's counters again from nothing, after the person signed in by another factor."""
    limit = here.settings.sessions.reauthentication_max_age_s
    unlocking = Unlocking(accounts=here.accounts, attempts=here.attempts, audit=here.audit)
    with here.data.begin() as conn:
        check_fresh(body.reauthenticated_at, now=here.clock(), limit_s=limit)
        disabled = unlocking.restore(conn, tenant=caller.tenant, account=account_id, actor=actor(caller))
    return RestoredAnswer(account_id=account_id, was_disabled=disabled)
