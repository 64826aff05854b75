"""Statistics without people in them, for operators and privacy officers."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends

from faceauth.api.access import Here, caller_with
from faceauth.api.wire.statistics import UsageAnswer, UsageGroup
from faceauth.identity.apikeys import Caller
from faceauth.statistics import Statistics

router = APIRouter(prefix="/v1/admin/statistics", tags=["admin"])

Reader = Annotated[Caller, Depends(caller_with("operator", "privacy"))]


@router.get("")
def usage(here: Here, caller: Reader, since: date, until: date) -> UsageAnswer:
    """Return usage by day and scenario, from `since` on and before `until`; groups of few people are left out."""
    found = Statistics.of(here).usage(tenant=caller.tenant, since=since, until=until)
    return UsageAnswer(
        since=found.since,
        until=found.until,
        minimum=found.minimum,
        groups=[UsageGroup(**asdict(group)) for group in found.groups],
        withheld=found.withheld,
    )
