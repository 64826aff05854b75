"""Consents: given or refused, listed, and withdrawn in one call."""

from fastapi import APIRouter

from faceauth.api.access import Application, Here, actor
from faceauth.api.wire.accounts import DeletionAnswer
from faceauth.api.wire.base import Name, ScenarioName
from faceauth.api.wire.consents import ConsentAnswer, ConsentAnswerRequest, ConsentItem, ConsentsAnswer
from faceauth.consent.request import Affirmation, ConsentRequest

router = APIRouter(prefix="/v1/accounts/{account_id}/consents", tags=["consents"])


@router.post("", status_code=201)
def record_consent(here: Here, caller: Application, account_id: Name, body: ConsentAnswerRequest) -> ConsentAnswer:
    """Record the person's own answer to one scenario's notice; answers a signed receipt."""
    affirmation = Affirmation(
        method=body.affirmation.method,
        checked_by_default=body.affirmation.checked_by_default,
        text=body.affirmation.text,
    )
    request = ConsentRequest(
        scenario=body.scenario,
        notice_version=body.notice_version,
        notice_sha256=body.notice_sha256,
        locale=body.locale,
        decision=body.decision,
        affirmation=affirmation,
    )
    event = here.lifecycle.record_consent(
        tenant=caller.tenant, account=account_id, request=request, actor=actor(caller)
    )
    return ConsentAnswer(
        consent_id=event.consent_id,
        state=event.state,
        scenario=event.scenario,
        notice_version=event.notice_version,
        receipt=event.receipt,
    )


@router.get("")
def list_consents(here: Here, caller: Application, account_id: Name) -> ConsentsAnswer:
    """Everything the person ever answered."""
    with here.data.read() as conn:
        here.accounts.get(conn, caller.tenant, account_id)
        found = here.ledger.history(conn, caller.tenant, account_id)
    return ConsentsAnswer(
        consents=tuple(
            ConsentItem(
                consent_id=event.consent_id,
                state=event.state,
                scenario=event.scenario,
                notice_version=event.notice_version,
                notice_sha256=event.notice_sha256,
                locale=event.locale,
                event_at=event.event_at,
                valid_until=event.valid_until,
                receipt=event.receipt,
            )
            for event in found
        )
    )


@router.delete("/{scenario}")
def withdraw_consent(here: Here, caller: Application, account_id: Name, scenario: ScenarioName) -> DeletionAnswer:
    """Withdraw: the face is erased and a signed receipt says so; again, the same receipt (R32)."""
    with here.data.read() as conn:
        here.scenarios.get(conn, caller.tenant, scenario)
    receipt = here.lifecycle.withdraw(
        tenant=caller.tenant, account=account_id, scenario=scenario, actor=actor(caller)
    )
    return DeletionAnswer(receipt=receipt)
