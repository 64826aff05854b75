"""Usage by scenario and day, and how the service is: numbers that say nothing about anybody, with small charts."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import BeforeValidator, Field
from starlette.responses import HTMLResponse

from faceauth.api.console.charts import Chart, bars
from faceauth.api.console.shell import page, router_at
from faceauth.api.console.texts.numbers import HEALTH, STATISTICS
from faceauth.api.console.visit import Signed, Visit
from faceauth.api.routes import health, statistics
from faceauth.api.wire.health import LatencyStep
from faceauth.api.wire.statistics import UsageAnswer
from faceauth.errors import FaceauthError

router = router_at()

DAYS: Final = 28
"""Days that the page shows at first (own figure): four weeks, so that each weekday is there as often."""

FORTNIGHT: Final = 14
"""Days of the outcomes beside the service's health (own figure)."""

_Sensible = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2999, 12, 31))]
Day = Annotated[_Sensible | None, BeforeValidator(lambda typed: typed or None), Query()]
"""A day as a form sends it: nothing where the field was left empty."""


@router.get("/statistics")
def usage(visit: Signed, since: Day = None, until: Day = None) -> HTMLResponse:
    """Show sessions and people by scenario and day, where they are enough people."""
    today = visit.here.clock().date()
    end = until or today
    begin = since or end - timedelta(days=DAYS)
    told: dict[str, Any] = {"since": begin, "until": end}
    try:
        found = visit.call(statistics.usage, since=begin, until=end)
    except FaceauthError as error:
        return page(visit, "statistics.html", STATISTICS, current="statistics", error=error, usage=None, **told)
    return page(
        visit, "statistics.html", STATISTICS, current="statistics", usage=found, chart=outcomes(found), **told
    )


@router.get("/health")
def state(visit: Signed) -> HTMLResponse:
    """Show which part works, what waits, how long answers take, and what came of the last days' logins."""
    found = visit.call(health.read_health, request=visit.request)
    return page(
        visit,
        "health.html",
        HEALTH,
        current="health",
        health=found,
        latency=latencies(found.latencies),
        usage=_fortnight(visit),
    )


def outcomes(found: UsageAnswer) -> Chart:
    """Return a chart of the decided sessions of each day, all scenarios that are told of together."""
    days = [found.since + timedelta(days=number) for number in range((found.until - found.since).days)]
    by_day = {day: [one for one in found.groups if one.day == day] for day in days}
    columns = [
        (f"{day:%m-%d}", (sum(one.accepted for one in groups), sum(one.denied for one in groups)))
        for day, groups in by_day.items()
    ]
    return bars(columns, ("accepted", "denied"))


def latencies(steps: Sequence[LatencyStep]) -> Chart:
    """Return a chart of how long answers took."""
    last = [one.up_to_s for one in steps if one.up_to_s is not None][-1]
    named = [f"{one.up_to_s:g} s" if one.up_to_s is not None else f"> {last:g} s" for one in steps]
    return bars([(name, (one.answers,)) for name, one in zip(named, steps, strict=True)], ("answers",))


def _fortnight(visit: Visit) -> tuple[UsageAnswer, Chart]:
    today = visit.here.clock().date()
    found: UsageAnswer = visit.call(statistics.usage, since=today - timedelta(days=FORTNIGHT), until=today)
    return found, outcomes(found)
