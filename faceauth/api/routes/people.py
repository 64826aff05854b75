"""People, for operators and privacy officers: disguised, found by exact name, locked out, suspended, closed."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

from faceauth.api.access import Here, PrivacyOfficer, actor, caller_with
from faceauth.api.wire.accounts import DeletionAnswer, RestrictionRequest
from faceauth.api.wire.attempts import RestoreRequest
from faceauth.api.wire.people import (
    FullPlaceAnswer,
    LockAnswer,
    LockedOutAnswer,
    LocksAnswer,
    Mark,
    PeopleAnswer,
    PersonAnswer,
    PersonConsent,
    PersonDevice,
    SearchAnswer,
    SearchRequest,
    StandingAnswer,
    UnlockedAnswer,
)
from faceauth.identity.apikeys import Caller
from faceauth.identity.attempts import Lock
from faceauth.people import People, Somebody, Standing

router = APIRouter(prefix="/v1/admin", tags=["admin"])

PAGE: Final = 50
"""People on one page (own figure)."""

LOCKS: Final = 200
"""Who is locked out, at most so many (own figure)."""

Desk = Annotated[Caller, Depends(caller_with("operator", "privacy"))]


@router.get("/accounts")
def list_people(here: Here, caller: Desk, page: Annotated[int, Query(ge=1, le=10**6)] = 1) -> PeopleAnswer:
    """Everybody, a page at a time, under disguised names and pseudonyms."""
    found = People.of(here).some(tenant=caller.tenant, skip=(page - 1) * PAGE, most=PAGE + 1)
    return PeopleAnswer(people=[_person(one) for one in found[:PAGE]], page=page, more=len(found) > PAGE)


@router.post("/accounts/search")
def search_person(here: Here, caller: Desk, body: SearchRequest) -> SearchAnswer:
    """The mark of the account of exactly this name; that somebody looked for it is on record."""
    mark = People.of(here).search(body.account_id, tenant=caller.tenant, actor=actor(caller))
    return SearchAnswer(mark=mark)


@router.get("/accounts/{mark}")
def read_person(here: Here, caller: Desk, mark: Mark) -> StandingAnswer:
    """Where one person stands; that somebody looked is on record."""
    return _standing(People.of(here).read(mark, tenant=caller.tenant, actor=actor(caller)))


@router.post("/accounts/{mark}/attempts/restore")
def unlock_person(here: Here, caller: Desk, mark: Mark, body: RestoreRequest) -> UnlockedAnswer:
    """Start somebody's attempts again, who proved just now by another factor who they are."""
    disabled = People.of(here).restore(
        mark, tenant=caller.tenant, actor=actor(caller), reauthenticated_at=body.reauthenticated_at
    )
    return UnlockedAnswer(was_disabled=disabled)


@router.put("/accounts/{mark}/restriction")
def restrict_person(here: Here, caller: PrivacyOfficer, mark: Mark, body: RestrictionRequest) -> StandingAnswer:
    """Suspend every use of somebody's face without erasing it, or allow it again."""
    people, who = People.of(here), actor(caller)
    people.restrict(mark, tenant=caller.tenant, actor=who, restricted=body.restricted)
    return _standing(people.read(mark, tenant=caller.tenant, actor=who))


@router.delete("/accounts/{mark}")
def close_person(here: Here, caller: PrivacyOfficer, mark: Mark) -> DeletionAnswer:
    """Close somebody's account: everything of the person goes but the ledger's proof; answers the receipt."""
    return DeletionAnswer(receipt=People.of(here).close(mark, tenant=caller.tenant, actor=actor(caller)))


@router.get("/attempts")
def list_locks(here: Here, caller: Desk) -> LocksAnswer:
    """Who may not try their face now, and which devices and networks may not: by which limit, since and until."""
    people, places = People.of(here).locked(tenant=caller.tenant, most=LOCKS)
    return LocksAnswer(
        people=[
            LockedOutAnswer(mark=one.mark, shown=one.shown, there=one.there, lock=_lock(one.lock))
            for one in people
        ],
        places=[
            FullPlaceAnswer(
                mark=one.mark,
                kind="device" if one.kind == "device" else "network",
                searching=one.searching,
                tries=one.tries,
                since=one.since,
                until=one.until,
            )
            for one in places
        ],
    )


def _person(one: Somebody) -> PersonAnswer:
    return PersonAnswer(
        mark=one.mark,
        shown=one.shown,
        created_at=one.created_at,
        restricted_at=one.restricted_at,
        references=one.references,
    )


def _lock(one: Lock) -> LockAnswer:
    return LockAnswer(
        failures=one.failures,
        since=one.since,
        until=one.until,
        until_with_flash=one.until_qualifying,
        open_with_flash=one.open_qualifying,
    )


def _standing(found: Standing) -> StandingAnswer:
    return StandingAnswer(
        person=_person(found.person),
        consents=[
            PersonConsent(
                scenario=scenario,
                state=one.state,
                notice_version=one.notice_version,
                since=one.since,
                valid_until=one.valid_until,
                stale=one.stale,
                references=found.references.get(scenario, 0),
            )
            for scenario, one in sorted(found.consents.items())
        ],
        devices=[
            PersonDevice(
                kind=one.kind, hardware=one.hardware, created_at=one.created_at, last_used_at=one.last_used_at
            )
            for one in found.devices
        ],
        lock=None if found.lock is None else _lock(found.lock),
    )
