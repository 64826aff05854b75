"""Accounts: made, read, exported, closed."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body
from starlette.responses import HTMLResponse

from faceauth.api.access import Application, Here, actor
from faceauth.api.export_page import export_page
from faceauth.api.wire.accounts import (
    AccountAnswer,
    AccountRequest,
    ActivityAnswer,
    ActivityItem,
    DeletionAnswer,
    ExportAnswer,
    ReceiptsAnswer,
    RestrictionRequest,
)
from faceauth.api.wire.base import Name
from faceauth.audit.events import Event
from faceauth.consent.accounts import Account
from faceauth.installation import Installation

router = APIRouter(prefix="/v1/accounts/{account_id}", tags=["accounts"])

HTML: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/html": {"example": "<!doctype html>…"}}}}
"""What an export answers besides JSON."""


@router.put("")
def put_account(
    here: Here,
    caller: Application,
    account_id: Name,
    body: Annotated[AccountRequest, Body(default_factory=AccountRequest)],
) -> AccountAnswer:
    """Make sure the account exists, and keep the facts that are given; doing it again changes nothing."""
    facts: dict[str, Any] = body.model_dump(exclude_none=True)
    with here.data.begin() as conn:
        new = not here.accounts.exists(conn, caller.tenant, account_id)
        account = here.accounts.ensure(conn, tenant=caller.tenant, account=account_id, now=here.clock(), **facts)
        if new or facts:
            here.audit.append(
                conn,
                Event.ACCOUNT_CREATED if new else Event.ACCOUNT_CHANGED,
                tenant=caller.tenant,
                account=account_id,
                actor=actor(caller),
            )
    return _answer(account)


@router.get("")
def read_account(here: Here, caller: Application, account_id: Name) -> AccountAnswer:
    """What is kept about the account itself."""
    with here.data.read() as conn:
        return _answer(here.accounts.get(conn, caller.tenant, account_id))


@router.delete("")
def close_account(here: Here, caller: Application, account_id: Name) -> DeletionAnswer:
    """The account closes: every reference, its keys and the account go; answers the signed receipt."""
    receipt = here.lifecycle.close_account(tenant=caller.tenant, account=account_id, actor=actor(caller))
    return DeletionAnswer(receipt=receipt)


@router.put("/restriction")
def restrict_account(here: Here, caller: Application, account_id: Name, body: RestrictionRequest) -> AccountAnswer:
    """Suspend every use of the person's face without erasing it, or allow it again."""
    return _answer(
        here.lifecycle.restrict(
            tenant=caller.tenant, account=account_id, restricted=body.restricted, actor=actor(caller)
        )
    )


@router.get("/receipts")
def read_receipts(here: Here, caller: Application, account_id: Name) -> ReceiptsAnswer:
    """Every consent and deletion receipt of the person, with the keys that check them, to be taken anywhere."""
    return all_receipts(here, tenant=caller.tenant, account=account_id)


def all_receipts(here: Installation, *, tenant: str, account: str) -> ReceiptsAnswer:
    """Return every receipt of an account, with the keys that check them.

    Raises:
        UnknownAccount: there is none of that name.
    """
    with here.data.read() as conn:
        person = here.accounts.get(conn, tenant, account)
        consents = here.ledger.history(conn, tenant, account)
        deletions = here.erasure.receipts(conn, tenant=tenant, account=account, since=person.created_at)
    receipts = (*(one.receipt for one in consents), *deletions)
    return ReceiptsAnswer(receipts=receipts, jwks=here.signer.public_jwks())


@router.get("/export", response_model=ExportAnswer, responses=HTML)
def export_account(
    here: Here, caller: Application, account_id: Name, form: Literal["json", "html"] = "json"
) -> ExportAnswer | HTMLResponse:
    """The person's data: machine readable, or with ``form=html`` as one page to read and keep."""
    with here.data.begin() as conn:
        here.accounts.get(conn, caller.tenant, account_id)
        here.audit.append(
            conn, Event.ACCOUNT_EXPORTED, tenant=caller.tenant, account=account_id, actor=actor(caller)
        )
    export = here.lifecycle.export(tenant=caller.tenant, account=account_id)
    return HTMLResponse(export_page(export)) if form == "html" else ExportAnswer(export=export)


@router.get("/activity")
def read_activity(here: Here, caller: Application, account_id: Name) -> ActivityAnswer:
    """What was done with the face, when, and for what."""
    with here.data.read() as conn:
        person = here.accounts.get(conn, caller.tenant, account_id)
        found = here.audit.activity(conn, caller.tenant, account_id, since=person.created_at)
    return ActivityAnswer(
        activity=tuple(ActivityItem(at=one.at, event=str(one.event), scenario=one.scenario) for one in found)
    )


def _answer(account: Account) -> AccountAnswer:
    return AccountAnswer(
        account_id=account.account,
        locale=account.locale,
        birth_date=account.birth_date,
        contact=account.contact,
        guardian=None if account.guardian is None else dict(account.guardian),
        created_at=account.created_at,
        restricted_at=account.restricted_at,
    )
