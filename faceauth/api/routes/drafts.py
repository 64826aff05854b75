"""Drafts of scenarios and notices: written, changed, published or thrown away by the privacy officer."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Connection

from faceauth.api.access import Here, PrivacyOfficer, actor
from faceauth.api.publishing import publish_notice, publish_scenario, scenario_now
from faceauth.api.wire.base import Name
from faceauth.api.wire.drafts import DraftAnswer, DraftRequest, DraftsAnswer
from faceauth.api.wire.scenarios import NoticeRequest, ScenarioAnswer, ScenarioRequest
from faceauth.audit.events import Event
from faceauth.consent.drafts import Draft, DraftStore, Kind
from faceauth.errors import InvalidRequest
from faceauth.identity.apikeys import Caller
from faceauth.installation import Installation

router = APIRouter(prefix="/v1/admin/drafts", tags=["admin"])


@router.post("", status_code=201)
def add_draft(here: Here, caller: PrivacyOfficer, body: DraftRequest) -> DraftAnswer:
    """Keep a draft; nothing of it holds, and nobody is shown it."""
    kind, scenario = _what(body)
    with here.data.begin() as conn:
        if kind == "notice":
            here.scenarios.get(conn, caller.tenant, scenario)
        draft = DraftStore().add(
            conn,
            tenant=caller.tenant,
            kind=kind,
            scenario=scenario,
            content=_content(body),
            actor=actor(caller),
            now=here.clock(),
        )
        _record(here, conn, caller, Event.DRAFT_WRITTEN, draft)
    return _answer(draft)


@router.get("")
def list_drafts(here: Here, caller: PrivacyOfficer) -> DraftsAnswer:
    """All drafts, the one changed last first."""
    with here.data.read() as conn:
        return DraftsAnswer(drafts=tuple(_answer(one) for one in DraftStore().list(conn, caller.tenant)))


@router.put("/{draft_id}")
def change_draft(here: Here, caller: PrivacyOfficer, draft_id: Name, body: DraftRequest) -> DraftAnswer:
    """Put other content into a draft; what it is a draft of stays."""
    with here.data.begin() as conn:
        found = DraftStore().get(conn, caller.tenant, draft_id)
        if _what(body) != (found.kind, found.scenario):
            raise InvalidRequest(f"This is a draft of the {found.kind} {found.scenario}; write a new one instead.")
        changed = DraftStore().change(
            conn, tenant=caller.tenant, draft_id=draft_id, content=_content(body), now=here.clock()
        )
        _record(here, conn, caller, Event.DRAFT_CHANGED, changed)
    return _answer(changed)


@router.post("/{draft_id}/publish")
def publish_draft(here: Here, caller: PrivacyOfficer, draft_id: Name) -> ScenarioAnswer:
    """Publish a draft as it stands: it is a draft no more, and people are shown it from its effective time on."""
    with here.data.begin() as conn:
        draft = DraftStore().take(conn, caller.tenant, draft_id)
        if draft.kind == "scenario":
            request = ScenarioRequest.model_validate(draft.content)
            return publish_scenario(here, conn, request, tenant=caller.tenant, actor=actor(caller))
        notice = NoticeRequest.model_validate(draft.content)
        publish_notice(here, conn, draft.scenario, notice, tenant=caller.tenant, actor=actor(caller))
        return scenario_now(here, conn, caller.tenant, draft.scenario)


@router.delete("/{draft_id}")
def delete_draft(here: Here, caller: PrivacyOfficer, draft_id: Name) -> DraftAnswer:
    """Throw a draft away; answers what it was."""
    with here.data.begin() as conn:
        draft = DraftStore().take(conn, caller.tenant, draft_id)
        _record(here, conn, caller, Event.DRAFT_DELETED, draft)
    return _answer(draft)


def _record(here: Installation, conn: Connection, caller: Caller, event: Event, draft: Draft) -> None:
    here.audit.append(
        conn,
        event,
        tenant=caller.tenant,
        account=None,
        actor=actor(caller),
        details={"scenario": draft.scenario, "kind": draft.kind},
    )


def _what(body: DraftRequest) -> tuple[Kind, str]:
    if body.new_scenario is not None:
        return "scenario", body.new_scenario.scenario
    return "notice", body.scenario or ""


def _content(body: DraftRequest) -> dict[str, Any]:
    wanted = body.notice if body.new_scenario is None else body.new_scenario
    return {} if wanted is None else wanted.model_dump(mode="json", exclude_unset=True)


def _answer(draft: Draft) -> DraftAnswer:
    return DraftAnswer(
        draft_id=draft.draft_id,
        kind=draft.kind,
        scenario=draft.scenario,
        content=dict(draft.content),
        created_by=draft.created_by,
        created_at=draft.created_at,
        changed_at=draft.changed_at,
    )
