"""What takes two people: what waits, a second person's answer, and doing what was approved."""

import json
from typing import Final

from starlette.responses import HTMLResponse, Response

from faceauth.api.console.forms import Posted, body_of
from faceauth.api.console.shell import led, page, router_at
from faceauth.api.console.texts.approvals import APPROVALS
from faceauth.api.console.visit import Signed, Visit
from faceauth.api.routes import approvals, campaigns, keys
from faceauth.api.wire.approvals import ApprovalAnswer, DecisionRequest
from faceauth.api.wire.base import Name
from faceauth.api.wire.campaigns import CampaignRequest
from faceauth.errors import FaceauthError, UnknownApproval
from faceauth.identity.approvals import STANDING, Kind

router = router_at("/approvals")

_CURRENT: Final = "approvals"
HERE: Final = frozenset(
    {
        *(Kind.CAMPAIGN_ERASE, Kind.SCENARIO_RETIRE, Kind.INCIDENT_EXPORT),
        *(Kind.APIKEY_ISSUE, Kind.KEY_DESTROY),
    }
)
"""What is done from the console once it is approved; the rest is done on the command line."""

SHOWN: Final = 50
"""How many that are over the page shows (own figure); the audit log has all."""


@router.get("")
def every(visit: Signed) -> HTMLResponse:
    """Show what waits for a second person, and what became of the others."""
    return _page(visit)


@router.post("/{approval_id}")
def decide(visit: Signed, approval_id: Name, form: Posted) -> Response:
    """Approve what another asked for, or refuse it."""
    try:
        body = body_of(DecisionRequest, {"decision": form.get("decision")})
        visit.call(approvals.decide, approval_id=approval_id, body=body)
    except FaceauthError as error:
        return _page(visit, error=error)
    return led("/approvals", body.decision)


@router.post("/{approval_id}/campaign")
def begin(visit: Signed, approval_id: Name, form: Posted) -> Response:  # noqa: ARG001  its token is checked
    """Begin the campaign that was approved, exactly as it was asked for."""
    try:
        made = visit.call(campaigns.begin_campaign, body=_campaign(visit, approval_id), response=Response())
    except FaceauthError as error:
        return _page(visit, error=error)
    if made.campaign is None:
        return led("/approvals", "asked")
    return led(f"/campaigns/{made.campaign.campaign_id}", "begun")


def _campaign(visit: Visit, approval_id: str) -> CampaignRequest:
    for one in visit.call(approvals.list_approvals).approvals:
        if one.approval_id == approval_id and one.kind == "campaign_erase":
            told = one.details
            return body_of(
                CampaignRequest,
                {
                    "scenario": told["scenario"],
                    "audience": json.loads(str(told["audience"])),
                    "deadline": told["deadline"],
                    "on_deadline": "erase",
                    "remind_days": [day for day in str(told["remind_days"]).split(",") if day],
                },
            )
    raise UnknownApproval("There is no such campaign that was asked for.")


def _page(visit: Visit, error: FaceauthError | None = None) -> HTMLResponse:
    found: list[ApprovalAnswer] = visit.call(approvals.list_approvals).approvals
    return page(
        visit,
        "approvals.html",
        APPROVALS,
        current=_CURRENT,
        error=error,
        waiting=[one for one in found if one.state == "requested"],
        others=[one for one in found if one.state != "requested"][:SHOWN],
        me=visit.caller.actor,
        privacy=visit.may(campaigns.begin_campaign),
        here=HERE,
        operator=visit.may(keys.read_keys),
        standing=STANDING,
    )
