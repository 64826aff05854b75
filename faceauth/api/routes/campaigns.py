"""Campaigns: the privacy officer asks people for consent again. Nobody answers for a person here (R34)."""

from dataclasses import asdict
from typing import Final

from fastapi import APIRouter, Response

from faceauth.api.access import Here, PrivacyOfficer, actor
from faceauth.api.wire.base import Name
from faceauth.api.wire.campaigns import (
    AudienceAnswer,
    BegunAnswer,
    CampaignAnswer,
    CampaignRequest,
    CampaignsAnswer,
    PreviewAnswer,
    ProgressAnswer,
)
from faceauth.campaigns import Campaigns, Question
from faceauth.consent.audience import Audience
from faceauth.consent.campaigns import Campaign, Progress
from faceauth.installation import Installation

router = APIRouter(prefix="/v1/admin/campaigns", tags=["admin"])

WAITS: Final = "A second person must approve it; then send the same again."


@router.post("", status_code=201)
def begin_campaign(here: Here, caller: PrivacyOfficer, body: CampaignRequest, response: Response) -> BegunAnswer:
    """Ask people for consent again. With `erase`, first ask for a second person's approval (R52): status 202."""
    begun = Campaigns.of(here).begin(tenant=caller.tenant, question=_question(body), actor=actor(caller))
    if begun.campaign is None:
        response.status_code = 202
    approval_id = None if begun.approval is None else begun.approval.approval_id
    if begun.campaign is None:
        return BegunAnswer(campaign_id=None, campaign=None, approval_id=approval_id, left_to_do=WAITS)
    campaign, progress = Campaigns.of(here).view(tenant=caller.tenant, campaign_id=begun.campaign.campaign_id)
    return BegunAnswer(
        campaign_id=campaign.campaign_id,
        campaign=campaign_answer(campaign, progress),
        approval_id=approval_id,
        left_to_do=_next_round(here),
    )


@router.post("/preview")
def preview_campaign(here: Here, caller: PrivacyOfficer, body: CampaignRequest) -> PreviewAnswer:
    """Count whom a campaign would ask; nothing is done."""
    found = Campaigns.of(here).preview(tenant=caller.tenant, question=_question(body))
    return PreviewAnswer(
        people=found.people, by_version=dict(found.by_version), notice_version=found.notice_version
    )


@router.get("")
def list_campaigns(here: Here, caller: PrivacyOfficer) -> CampaignsAnswer:
    """Return the campaigns, the newest first, with how far each has come."""
    found = Campaigns.of(here).list(tenant=caller.tenant)
    return CampaignsAnswer(campaigns=tuple(campaign_answer(*one) for one in found))


@router.get("/{campaign_id}")
def read_campaign(here: Here, caller: PrivacyOfficer, campaign_id: Name) -> CampaignAnswer:
    """Return one: asked, given, refused, pending; once it is closed, its report."""
    return campaign_answer(*Campaigns.of(here).view(tenant=caller.tenant, campaign_id=campaign_id))


@router.post("/{campaign_id}/cancel")
def cancel_campaign(here: Here, caller: PrivacyOfficer, campaign_id: Name) -> CampaignAnswer:
    """Take the question back: what people agreed to before counts again, and the deadline does nothing."""
    found = Campaigns.of(here).cancel(tenant=caller.tenant, campaign_id=campaign_id, actor=actor(caller))
    return campaign_answer(*found)


def campaign_answer(campaign: Campaign, progress: Progress) -> CampaignAnswer:
    """Return a campaign as the wire tells it."""
    return CampaignAnswer(
        campaign_id=campaign.campaign_id,
        scenario=campaign.scenario,
        notice_version=campaign.notice_version,
        audience=AudienceAnswer(**asdict(campaign.audience)),
        deadline=campaign.deadline,
        on_deadline=campaign.on_deadline,
        remind_days=campaign.remind_days,
        state=campaign.state,
        created_by=campaign.created_by,
        created_at=campaign.created_at,
        closed_at=campaign.closed_at,
        undelivered=None if campaign.report is None else campaign.report.get("undelivered"),
        asked=progress.asked,
        given=progress.given,
        refused=progress.refused,
        pending=progress.pending,
        progress=ProgressAnswer(**asdict(progress)),
    )


def _question(body: CampaignRequest) -> Question:
    return Question(
        scenario=body.scenario,
        audience=Audience(**body.audience.model_dump()),
        deadline=body.deadline,
        on_deadline=body.on_deadline,
        remind_days=body.remind_days,
    )


def _next_round(here: Installation) -> str:
    every = here.settings.campaigns.every_s
    return f"People are asked within {every} seconds." if every else "Run: faceauth campaign run"
