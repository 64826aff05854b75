"""Stored references, by id and date: never a vector."""

from fastapi import APIRouter

from faceauth.api.access import Application, Here, actor
from faceauth.api.wire.accounts import DeletionAnswer, ReferenceAnswer, ReferencesAnswer
from faceauth.api.wire.base import Name

router = APIRouter(prefix="/v1/accounts/{account_id}/references", tags=["references"])


@router.get("")
def list_references(here: Here, caller: Application, account_id: Name) -> ReferencesAnswer:
    """Ids, dates and models of the account's references."""
    with here.data.read() as conn:
        here.accounts.get(conn, caller.tenant, account_id)
        found = here.references.describe(conn, tenant=caller.tenant, account=account_id)
    return ReferencesAnswer(
        references=tuple(
            ReferenceAnswer(
                reference_id=info.reference_id,
                scenario=info.scenario,
                model=info.model_digest,
                created_at=info.created_at,
            )
            for info in found
        )
    )


@router.delete("/{reference_id}")
def delete_reference(here: Here, caller: Application, account_id: Name, reference_id: Name) -> DeletionAnswer:
    """Erase one reference; answers the signed receipt."""
    receipt = here.lifecycle.delete_reference(
        tenant=caller.tenant, account=account_id, reference_id=reference_id, actor=actor(caller)
    )
    return DeletionAnswer(receipt=receipt)
