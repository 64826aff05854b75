"""Flows: a backend mints a link to the hosted page and reads how it went; the page walks through it."""

from typing import Annotated

from fastapi import APIRouter, Depends

from faceauth.api.access import Application, ClientToken, Here, actor
from faceauth.api.problems import ANOTHER_WAY
from faceauth.api.wire.base import Name
from faceauth.api.wire.flows import (
    FlowAnswer,
    FlowBegunAnswer,
    FlowConsentAnswer,
    FlowConsentRequest,
    FlowMintedAnswer,
    FlowRequest,
    FlowSessionAnswer,
    ShownNotice,
    ShownText,
)
from faceauth.consent.notices import Notice
from faceauth.consent.request import Affirmation
from faceauth.errors import Denied
from faceauth.flows import Flows

router = APIRouter(prefix="/v1/flows")


def flows_of(here: Here) -> Flows:
    """Return the flows of this app's installation."""
    return Flows.of(here)


TheFlows = Annotated[Flows, Depends(flows_of)]


@router.post("", status_code=201, tags=["flows"])
def mint_flow(here: Here, flows: TheFlows, caller: Application, body: FlowRequest) -> FlowMintedAnswer:
    """Mint a link to the hosted page, where the person is asked if they were not, and then captured."""
    minted = flows.mint(
        tenant=caller.tenant,
        account=body.account_id,
        scenario=body.scenario,
        purpose=body.purpose,
        return_url=body.return_url,
        reauthenticated_at=body.reauthenticated_at,
        locale=body.locale,
        actor=actor(caller),
    )
    # Behind the # it stays in the browser: no server, proxy or log ever sees it.
    link = f"{here.settings.issuer.rstrip('/')}/ui/capture#flow={minted.flow_id}&token={minted.token}"
    return FlowMintedAnswer(flow_id=minted.flow_id, flow_url=link, expires_at=minted.expires_at)


@router.get("/{flow_id}", tags=["flows"])
def read_flow(flows: TheFlows, caller: Application, flow_id: Name) -> FlowAnswer:
    """How the flow stands. Ask when the person comes back: the address they come by says nothing of it."""
    view = flows.view(tenant=caller.tenant, flow_id=flow_id)
    return FlowAnswer(
        flow_id=flow_id,
        account_id=view.flow.account,
        scenario=view.flow.scenario,
        purpose=view.flow.purpose,
        state=view.state,
        reason=view.reason,
        session_id=view.flow.session_id,
        expires_at=view.flow.expires_at,
    )


@router.post("/{flow_id}/begin", tags=["device"])
def begin_flow(flows: TheFlows, token: ClientToken, flow_id: Name) -> FlowBegunAnswer:
    """Open the link, with the token that stands in it; it works once."""
    begun = flows.begin(flow_id, token)
    return FlowBegunAnswer(
        page_token=begun.page_token,
        scenario=begun.flow.scenario,
        title=dict(begun.titles),
        purpose=begun.flow.purpose,
        locale=begun.flow.locale,
        return_url=begun.return_url,
        notice=None if begun.notice is None else _shown(begun.notice),
    )


@router.post("/{flow_id}/answer", tags=["device"])
def answer_flow(flows: TheFlows, token: ClientToken, flow_id: Name, body: FlowConsentRequest) -> FlowConsentAnswer:
    """Record the person's answer, given or refused, with the page's token."""
    given = body.affirmation
    receipt = flows.answer(
        flow_id,
        token,
        decision=body.decision,
        notice_version=body.notice_version,
        notice_sha256=body.notice_sha256,
        locale=body.locale,
        affirmation=Affirmation(given.method, given.checked_by_default, given.text),
    )
    return FlowConsentAnswer(decision=body.decision, receipt=receipt)


@router.post("/{flow_id}/session", status_code=201, tags=["device"])
def open_flow_session(flows: TheFlows, token: ClientToken, flow_id: Name) -> FlowSessionAnswer:
    """Open the flow's one session, with the page's token. A denial says nothing more (R25)."""
    try:
        opened = flows.open_session(flow_id, token)
    except Denied as denied:
        raise Denied("denied", ANOTHER_WAY) from denied
    return FlowSessionAnswer(
        session_id=opened.session_id, client_token=opened.client_token, expires_at=opened.expires_at
    )


def _shown(notice: Notice) -> ShownNotice:
    texts = {locale: ShownText(text=one.text, sha256=one.sha256) for locale, one in notice.texts.items()}
    return ShownNotice(version=notice.version, texts=texts)
