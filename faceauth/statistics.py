"""Numbers about the service that say nothing about anybody: usage by day and scenario, and how many are enrolled.

A group of few people is told to nobody. It is put together with the other small groups of its day, and if those
are still too few people, they are left out. Only whole days that are over are counted: looking twice at a day that
goes on would tell what happened in between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import structlog

from faceauth.audit import register
from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.audit.usage import Counts, count_sessions
from faceauth.clock import Clock
from faceauth.db.engine import Database
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import InvalidRequest
from faceauth.installation import Installation
from faceauth.vault.enrolled import note_alert, people_enrolled

log = structlog.get_logger(__name__)

ALERT_AT: Final = 100_000
"""People enrolled from which on a filing is due within 30 working days (China's measures on facial recognition,
article 15; R55)."""

LONGEST_DAYS: Final = 92
"""Days one answer may cover (own figure): a quarter of a year."""


@dataclass(frozen=True, slots=True)
class Group:
    """Sessions and people of a day and scenario, which is None where a day's small groups were put together."""

    day: date
    scenario: str | None
    people: int
    accepted: int
    denied: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What may be told. `withheld` says whether something is left out because it was too few people."""

    since: date
    until: date
    minimum: int
    groups: tuple[Group, ...]
    withheld: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """What an operator is to see without asking: numbers for metrics."""

    people: int
    incidents_open: int
    incidents_overdue: int
    yesterday: tuple[Group, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Makes the numbers."""

    data: Database
    audit: AuditLog
    clock: Clock
    minimum: int
    alert_at: int = ALERT_AT

    @classmethod
    def of(cls, installation: Installation) -> "Statistics":
        """Return the statistics of an opened installation."""
        return cls(
            data=installation.data,
            audit=installation.audit,
            clock=installation.clock,
            minimum=installation.settings.administration.minimum_group,
        )

    def usage(self, *, tenant: str, since: date, until: date) -> Usage:
        """Return the usage of whole days, from `since` on and before `until`, in groups that are large enough.

        Raises:
            InvalidRequest: the days are in the wrong order, too many, or not over yet.
        """
        # The end first: near the year 9999 there is no day so many days later.
        if until > self.clock().date():
            raise InvalidRequest("Ask for days that are over (UTC): until is today at the latest.")
        if not since < until <= since + timedelta(days=LONGEST_DAYS):
            raise InvalidRequest(
                f"Ask for 1 to {LONGEST_DAYS} days: since and until, which is not counted itself."
            )
        with self.data.read() as conn:
            found = count_sessions(conn, tenant=tenant, since=since, until=until)
        told, withheld = grouped(found, self.minimum)
        return Usage(since, until, self.minimum, told, withheld)

    def watch(self) -> Watched:
        """Return what is watched, and raise the alert of R55 once if it is due."""
        now = self.clock()
        today = now.date()
        with self.data.read() as conn:
            people, waiting = people_enrolled(conn), register.unfinished(conn)
        if people >= self.alert_at:
            self._alert(people)
        usage = self.usage(tenant=DEFAULT_TENANT, since=today - timedelta(days=1), until=today)
        return Watched(people, len(waiting), sum(one.overdue(now) for one in waiting), usage.groups)

    def _alert(self, people: int) -> None:
        with self.data.begin() as conn:
            if not note_alert(conn, now=self.clock()):
                return
            details = {"count": people}
            self.audit.append(
                conn, Event.ENROLMENT_REACHED, tenant=DEFAULT_TENANT, account=None, actor="system", details=details
            )
        log.warning("enrolment.alert", people=people, alert_at=self.alert_at)


def grouped(found: Mapping[tuple[date, str], Counts], minimum: int) -> tuple[tuple[Group, ...], bool]:
    """Return the groups that may be told, each day's small ones as one, and whether any was left out.

    What is told of a day never depends on the days asked for beside it, so no two answers differ by few people.
    """
    told: list[Group] = []
    small: dict[date, Counts] = {}
    for (day, scenario), counts in sorted(found.items()):
        if len(counts.subjects) >= minimum:
            told.append(_group(day, scenario, counts))
        else:
            small.setdefault(day, Counts()).add(counts)
    together = [_group(day, None, counts) for day, counts in small.items() if len(counts.subjects) >= minimum]
    return tuple(sorted(told + together, key=lambda one: (one.day, one.scenario or ""))), len(together) < len(
        small
    )


def _group(day: date, scenario: str | None, counts: Counts) -> Group:
    return Group(day, scenario, len(counts.subjects), counts.accepted, counts.denied)
