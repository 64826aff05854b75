"""Campaigns: whom one would ask, beginning it, how far it has come, its report."""

from typing import Any, Final

from starlette.responses import HTMLResponse, Response

from faceauth.api.console.forms import Form, Posted, body_of, check_sure, moment
from faceauth.api.console.shell import fragment, led, page, router_at
from faceauth.api.console.texts.campaigns import LIST, NEW, ONE
from faceauth.api.console.visit import Signed, Visit, Watching
from faceauth.api.routes import admin, campaigns
from faceauth.api.wire.base import Name
from faceauth.api.wire.campaigns import AudienceRequest, CampaignRequest
from faceauth.errors import FaceauthError

router = router_at("/campaigns")

_CURRENT: Final = "campaigns"


@router.get("")
def every(visit: Signed) -> HTMLResponse:
    """Show the campaigns, the newest first."""
    found = visit.call(campaigns.list_campaigns).campaigns
    return page(visit, "campaigns.html", LIST, current=_CURRENT, campaigns=found)


@router.post("")
def begin(visit: Signed, form: Posted) -> Response:
    """Begin a campaign, or ask a second person to approve one that erases."""
    try:
        made = visit.call(campaigns.begin_campaign, body=_request(form), response=Response())
    except FaceauthError as error:
        return _form(visit, form, error=error)
    if made.campaign is None:
        return led("/approvals", "asked")
    return led(f"/campaigns/{made.campaign.campaign_id}", "begun")


@router.get("/new")
def new(visit: Signed) -> HTMLResponse:
    """Show the form that a campaign begins with."""
    return _form(visit, Form([("remind_days", "7, 1")]))


@router.post("/preview")
def preview(visit: Signed, form: Posted) -> HTMLResponse:
    """Show whom a campaign would ask, before it is begun."""
    try:
        found = visit.call(campaigns.preview_campaign, body=_request(form))
    except FaceauthError as error:
        return _form(visit, form, error=error)
    return _form(visit, form, preview=found)


@router.get("/{campaign_id}")
def one(visit: Signed, campaign_id: Name) -> HTMLResponse:
    """Show one campaign; while it runs its progress follows by itself."""
    return _one(visit, campaign_id)


@router.get("/{campaign_id}/progress")
def progress(visit: Watching, campaign_id: Name) -> HTMLResponse:
    """Show how far one has come, for the page to put in its place."""
    found = visit.call(campaigns.read_campaign, campaign_id=campaign_id)
    return fragment(visit, "campaign_progress.html", ONE, campaign=found)


@router.post("/{campaign_id}/cancel")
def cancel(visit: Signed, campaign_id: Name, form: Posted) -> Response:
    """Take a question back."""
    try:
        check_sure(visit, form)
        visit.call(campaigns.cancel_campaign, campaign_id=campaign_id)
    except FaceauthError as error:
        return _one(visit, campaign_id, error=error)
    return led(f"/campaigns/{campaign_id}", "cancelled")


def _one(visit: Visit, campaign_id: str, error: FaceauthError | None = None) -> HTMLResponse:
    found = visit.call(campaigns.read_campaign, campaign_id=campaign_id)
    return page(visit, "campaign.html", ONE, current=_CURRENT, error=error, campaign=found)


def _form(
    visit: Visit, given: Form, *, preview: object | None = None, error: FaceauthError | None = None
) -> HTMLResponse:
    names = [one.scenario for one in visit.call(admin.list_scenarios).scenarios if one.state == "active"]
    return page(
        visit,
        "campaign_new.html",
        NEW,
        current=_CURRENT,
        error=error,
        given=given,
        scenarios=names,
        preview=preview,
    )


def _request(form: Form) -> CampaignRequest:
    asked: dict[str, Any] = {
        "scenario": form.get("scenario", ""),
        "audience": body_of(
            AudienceRequest,
            {
                "consented_to": form.get("consented_to"),
                "version_below": form.get("version_below"),
                "active_since": moment(form, "active_since"),
                "inactive_since": moment(form, "inactive_since"),
            },
        ),
        "deadline": moment(form, "deadline"),
        "on_deadline": form.get("on_deadline"),
        "remind_days": [day.strip() for day in form.get("remind_days", "").split(",") if day.strip()],
    }
    return body_of(CampaignRequest, asked)
