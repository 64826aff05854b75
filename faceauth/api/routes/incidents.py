"""The register of incidents: the privacy officer enters, works on, tells and closes; auditors read (R54)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from faceauth.api.access import Here, PrivacyOfficer, actor, caller_with
from faceauth.api.wire.base import Name
from faceauth.api.wire.incidents import (
    AffectedAnswer,
    AffectedPerson,
    ClosingRequest,
    IncidentAnswer,
    IncidentChange,
    IncidentRequest,
    IncidentsAnswer,
    IncidentScope,
    NoticeTold,
    RecipientsAnswer,
    TellingRequest,
)
from faceauth.audit import register
from faceauth.audit.register import Incident
from faceauth.identity.apikeys import Caller
from faceauth.incidents import Incidents, Scope
from faceauth.installation import Installation

router = APIRouter(prefix="/v1/admin/incidents", tags=["admin"])

Reader = Annotated[Caller, Depends(caller_with("privacy", "auditor"))]


@router.post("", status_code=201)
def enter(here: Here, caller: PrivacyOfficer, body: IncidentRequest) -> IncidentAnswer:
    """Enter an incident; the authority is to be told within 72 hours of `aware_at`."""
    found = Incidents.of(here).open(
        tenant=caller.tenant,
        title=body.title,
        nature=body.nature,
        risk=body.risk,
        aware_at=body.aware_at,
        scope=_scope(body.scope),
        actor=actor(caller),
    )
    return _answer(here, found)


@router.get("")
def list_incidents(here: Here, caller: Reader) -> IncidentsAnswer:
    """Return the register, the newest first."""
    with here.data.read() as conn:
        found = register.every(conn, tenant=caller.tenant)
    return IncidentsAnswer(incidents=[_answer(here, one) for one in found])


@router.get("/{incident_id}")
def read(here: Here, caller: Reader, incident_id: Name) -> IncidentAnswer:
    """Return one incident, with its closing report once it is closed."""
    with here.data.read() as conn:
        found = register.get(conn, incident_id, tenant=caller.tenant)
    return _answer(here, found)


@router.patch("/{incident_id}")
def change(here: Here, caller: PrivacyOfficer, incident_id: Name, body: IncidentChange) -> IncidentAnswer:
    """Write what is known better now, and when the authority was told."""
    desk, who = Incidents.of(here), actor(caller)
    found = desk.change(
        incident_id,
        tenant=caller.tenant,
        actor=who,
        scope=None if body.scope is None else _scope(body.scope),
        nature=body.nature,
        consequences=body.consequences,
        measures=body.measures,
        risk=body.risk,
    )
    if body.authority_at is not None:
        found = desk.reported(incident_id, tenant=caller.tenant, at=body.authority_at, actor=who)
    return _answer(here, found)


@router.get("/{incident_id}/affected")
def affected(
    here: Here,
    caller: Reader,
    incident_id: Name,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AffectedAnswer:
    """Return whom it reached, under pseudonyms and with disguised names, a page at a time."""
    found = Incidents.of(here).affected(incident_id, tenant=caller.tenant)
    page = [one for one in found if one.subject > after][: limit + 1]
    return AffectedAnswer(
        count=len(found),
        there=sum(one.there for one in found),
        people=[AffectedPerson(subject=one.subject, shown=one.shown, there=one.there) for one in page[:limit]],
        next=page[limit - 1].subject if len(page) > limit else None,
    )


@router.post("/{incident_id}/notices", status_code=201)
def tell(here: Here, caller: PrivacyOfficer, incident_id: Name, body: TellingRequest) -> IncidentAnswer:
    """Tell the people it reached, through the application's webhooks."""
    Incidents.of(here).tell(
        incident_id, tenant=caller.tenant, texts=body.texts, elsewhere=body.elsewhere, actor=actor(caller)
    )
    return read(here, caller, incident_id)


@router.post("/{incident_id}/recipients")
def recipients(here: Here, caller: PrivacyOfficer, incident_id: Name) -> RecipientsAnswer:
    """Return the accounts it reached by name. That takes two people: ask again when another approved it (R52)."""
    outcome, accounts = Incidents.of(here).recipients(incident_id, tenant=caller.tenant, actor=actor(caller))
    return RecipientsAnswer(
        approval_id=outcome.approval.approval_id,
        state=outcome.approval.state if outcome.told is None else "used",
        accounts=list(accounts),
    )


@router.post("/{incident_id}/close")
def close(here: Here, caller: PrivacyOfficer, incident_id: Name, body: ClosingRequest) -> IncidentAnswer:
    """Close it with a signed report, once what has to be done is done."""
    found = Incidents.of(here).close(
        incident_id, tenant=caller.tenant, conclusion=body.conclusion, actor=actor(caller)
    )
    return _answer(here, found)


def _scope(body: IncidentScope) -> Scope:
    return Scope(**dict(body))


def _answer(here: Installation, found: Incident) -> IncidentAnswer:
    with here.data.read() as conn:
        notices = register.notices_of(conn, found.incident_id)
    return IncidentAnswer(
        incident_id=found.incident_id,
        title=found.title,
        nature=found.nature,
        consequences=found.consequences,
        measures=found.measures,
        risk=found.risk,
        scope=dict(found.scope),
        state=found.state,
        aware_at=found.aware_at,
        due_at=found.due_at,
        authority_at=found.authority_at,
        overdue=found.overdue(here.clock()),
        created_at=found.created_at,
        closed_at=found.closed_at,
        report=found.report,
        notices=[NoticeTold(sent_at=one.sent_at, people=one.people, texts=dict(one.texts)) for one in notices],
    )
