"""The privacy page's calls: a person acts on their own face, with nothing but a link the backend gave them."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse

from faceauth.api.access import Application, ClientToken, Here, actor
from faceauth.api.export_page import export_page
from faceauth.api.routes.accounts import HTML, all_receipts
from faceauth.api.routes.flows import TheFlows
from faceauth.api.wire.accounts import (
    ActivityItem,
    DeletionAnswer,
    ExportAnswer,
    ReceiptsAnswer,
    RestrictionRequest,
)
from faceauth.api.wire.base import Name
from faceauth.api.wire.consents import ConsentAnswer, ConsentAnswerRequest
from faceauth.api.wire.devices import DeviceChange
from faceauth.api.wire.flows import ShownNotice, ShownText
from faceauth.api.wire.privacy import (
    PrivacyAnswer,
    PrivacyBegunAnswer,
    PrivacyClosing,
    PrivacyDevice,
    PrivacyLinkAnswer,
    PrivacyLinkRequest,
    PrivacyWithdrawal,
    StandingItem,
)
from faceauth.audit.events import Event
from faceauth.binding import Binding
from faceauth.consent.request import Affirmation, ConsentRequest
from faceauth.errors import InvalidRequest
from faceauth.identity.privacy_links import Visitor
from faceauth.privacy import PrivacyDesk, Standing

router = APIRouter()

ACTOR: Final = "person:privacy-page"
"""How the audit log names what people do here themselves."""


def desk_of(here: Here) -> PrivacyDesk:
    """Return the desk of this app's installation."""
    return PrivacyDesk.of(here)


Desk = Annotated[PrivacyDesk, Depends(desk_of)]


def visitor_of(desk: Desk, token: ClientToken) -> Visitor:
    """Return whose page is calling."""
    return desk.visitor(token)


Person = Annotated[Visitor, Depends(visitor_of)]


@router.post("/v1/accounts/{account_id}/privacy-link", status_code=201, tags=["accounts"])
def mint_link(
    here: Here,
    desk: Desk,
    flows: TheFlows,
    caller: Application,
    account_id: Name,
    *,
    body: PrivacyLinkRequest | None = None,
) -> PrivacyLinkAnswer:
    """Make a link to the privacy page for a person who is signed in; it is opened once, within ten minutes.

    With a renewal the page also offers to set the face up anew, for as long as a flow that enrols may be opened.
    """
    flow = None
    if body is not None and body.renewal is not None:
        wanted = body.renewal
        flow = flows.mint(
            tenant=caller.tenant,
            account=account_id,
            scenario=wanted.scenario,
            purpose="enrol",
            return_url=wanted.return_url,
            reauthenticated_at=wanted.reauthenticated_at,
            locale=None,
            actor=actor(caller),
        )
    link = desk.mint(tenant=caller.tenant, account=account_id, actor=actor(caller))
    # Behind the # it stays in the browser: no server, proxy or log ever sees it.
    url = f"{here.settings.issuer.rstrip('/')}/ui/privacy#token={link.token}"
    if flow is None:
        return PrivacyLinkAnswer(privacy_url=url, expires_at=link.expires_at)
    url += f"&flow={flow.flow_id}&renewal={flow.token}"
    return PrivacyLinkAnswer(privacy_url=url, expires_at=link.expires_at, flow_id=flow.flow_id)


@router.post("/v1/privacy/begin", tags=["person"])
def begin(desk: Desk, token: ClientToken) -> PrivacyBegunAnswer:
    """Open the page with its link's token; the link is used up by it."""
    page = desk.begin(token)
    return PrivacyBegunAnswer(page_token=page.token, expires_at=page.expires_at)


@router.get("/v1/privacy", tags=["person"])
def read_privacy(desk: Desk, person: Person) -> PrivacyAnswer:
    """Every purpose with where the person stands, their devices, and what was done with their face."""
    found = desk.overview(person)
    return PrivacyAnswer(
        locale=found.account.locale,
        restricted_at=found.account.restricted_at,
        scenarios=tuple(_standing(one) for one in found.standings),
        devices=tuple(
            PrivacyDevice(
                device_id=one.device_id,
                label=one.label,
                created_at=one.created_at,
                last_used_at=one.last_used_at,
            )
            for one in found.devices
        ),
        activity=tuple(
            ActivityItem(at=one.at, event=str(one.event), scenario=one.scenario) for one in found.activity
        ),
    )


@router.post("/v1/privacy/answers", status_code=201, tags=["person"])
def answer(here: Here, person: Person, body: ConsentAnswerRequest) -> ConsentAnswer:
    """Record the person's own answer to one notice; answers a signed receipt."""
    given = body.affirmation
    event = here.lifecycle.record_consent(
        tenant=person.tenant,
        account=person.account,
        request=ConsentRequest(
            scenario=body.scenario,
            notice_version=body.notice_version,
            notice_sha256=body.notice_sha256,
            locale=body.locale,
            decision=body.decision,
            affirmation=Affirmation(given.method, given.checked_by_default, given.text),
        ),
        actor=ACTOR,
    )
    return ConsentAnswer(
        consent_id=event.consent_id,
        state=event.state,
        scenario=event.scenario,
        notice_version=event.notice_version,
        receipt=event.receipt,
    )


@router.post("/v1/privacy/withdraw", tags=["person"])
def withdraw(here: Here, person: Person, body: PrivacyWithdrawal) -> DeletionAnswer:
    """Withdraw from one purpose: the face kept for it is erased, and a signed receipt says so (R32)."""
    receipt = here.lifecycle.withdraw(
        tenant=person.tenant, account=person.account, scenario=body.scenario, actor=ACTOR
    )
    return DeletionAnswer(receipt=receipt)


@router.put("/v1/privacy/restriction", tags=["person"])
def restrict(here: Here, desk: Desk, person: Person, body: RestrictionRequest) -> PrivacyAnswer:
    """Suspend every use of the face without erasing it, or allow it again."""
    here.lifecycle.restrict(tenant=person.tenant, account=person.account, restricted=body.restricted, actor=ACTOR)
    return read_privacy(desk, person)


@router.get("/v1/privacy/export", tags=["person"], response_model=ExportAnswer, responses=HTML)
def export(here: Here, person: Person, form: Literal["json", "html"] = "json") -> ExportAnswer | HTMLResponse:
    """The person's data: machine readable, or with ``form=html`` as one page."""
    with here.data.begin() as conn:
        here.accounts.get(conn, person.tenant, person.account)
        here.audit.append(conn, Event.ACCOUNT_EXPORTED, tenant=person.tenant, account=person.account, actor=ACTOR)
    found = here.lifecycle.export(tenant=person.tenant, account=person.account)
    return HTMLResponse(export_page(found)) if form == "html" else ExportAnswer(export=found)


@router.get("/v1/privacy/receipts", tags=["person"])
def receipts(here: Here, person: Person) -> ReceiptsAnswer:
    """Every receipt of the person, with the keys that check them."""
    return all_receipts(here, tenant=person.tenant, account=person.account)


@router.put("/v1/privacy/devices/{device_id}", tags=["person"])
def rename_device(here: Here, desk: Desk, person: Person, device_id: Name, body: DeviceChange) -> PrivacyAnswer:
    """Give a device another name."""
    who = {"tenant": person.tenant, "account": person.account}
    Binding.of(here).rename(device_id, **who, label=body.label, actor=ACTOR)
    return read_privacy(desk, person)


@router.delete("/v1/privacy/devices/{device_id}", tags=["person"])
def revoke_device(here: Here, desk: Desk, person: Person, device_id: Name) -> PrivacyAnswer:
    """Forget a device: it proves nothing from now on."""
    Binding.of(here).revoke(device_id, tenant=person.tenant, account=person.account, actor=ACTOR)
    return read_privacy(desk, person)


@router.post("/v1/privacy/close", tags=["person"])
def close(here: Here, person: Person, body: PrivacyClosing) -> DeletionAnswer:
    """Delete everything: every face, every key and the account here; answers the signed receipt."""
    if not body.everything:
        raise InvalidRequest("To delete everything, send everything: true.")
    receipt = here.lifecycle.close_account(tenant=person.tenant, account=person.account, actor=ACTOR)
    return DeletionAnswer(receipt=receipt)


def _standing(one: Standing) -> StandingItem:
    texts = {locale: ShownText(text=text.text, sha256=text.sha256) for locale, text in one.notice.texts.items()}
    promised = one.notice.substance
    return StandingItem(
        scenario=one.scenario.scenario,
        title=dict(one.scenario.titles if promised is None else promised.purpose),
        stance=one.stance,
        since=one.since,
        version=one.version,
        until=one.until,
        declined=one.declined,
        notice=ShownNotice(version=one.notice.version, texts=texts),
    )
