"""Numbers about the service that say nothing about anybody, and the alert on how many are enrolled (R55)."""

from datetime import UTC, date, timedelta

import pytest
from sqlalchemy import insert

from faceauth.api.metrics import Metrics
from faceauth.audit.events import Event
from faceauth.audit.usage import Counts
from faceauth.db.schema import installation
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import InvalidRequest
from faceauth.statistics import ALERT_AT, Statistics, Watched, grouped
from tests.clocks import START
from tests.service import Service

TODAY = START.astimezone(UTC).date()
DAY = 86_400


def counts(*people: str, accepted: int = 0, denied: int = 0) -> Counts:
    return Counts(accepted=accepted, denied=denied, subjects=set(people))


def many(number: int) -> Counts:
    return counts(*(f"p{one}" for one in range(number)), accepted=number)


def decide(service: Service, people: int, scenario: str = "login", event: Event = Event.SESSION_ACCEPTED) -> None:
    """Write the records that sessions of so many people leave."""
    into = service.installation
    with into.data.begin() as conn:
        for number in range(people):
            into.audit.append(
                conn,
                event,
                tenant=DEFAULT_TENANT,
                account=f"p{number}",
                actor="device",
                details={"scenario": scenario, "purpose": "verify"},
            )


@pytest.fixture
def statistics(service: Service) -> Statistics:
    return Statistics.of(service.installation)


def test_a_group_of_few_is_told_to_nobody() -> None:
    """Issue 6, item 9: a minimum group size."""
    day = date(2026, 5, 3)
    told, withheld = grouped({(day, "login"): many(10), (day, "door"): many(9)}, 10)
    assert [(one.scenario, one.people) for one in told] == [("login", 10)]
    assert withheld


def test_small_groups_of_a_day_are_told_together_when_they_are_enough() -> None:
    day, next_day = date(2026, 5, 3), date(2026, 5, 4)
    found = {
        (day, "a"): counts(*"abcdef", accepted=6),
        (day, "b"): counts(*"ghijkl", accepted=7, denied=1),
        (next_day, "a"): many(9),
    }
    told, withheld = grouped(found, 10)
    assert [(one.day, one.scenario, one.people, one.accepted, one.denied) for one in told] == [
        (day, None, 12, 13, 1)
    ]
    assert withheld, "the next day's nine are too few, and days are not put together"


def test_the_same_people_in_two_small_groups_are_counted_once() -> None:
    day = date(2026, 5, 3)
    assert grouped({(day, "a"): many(6), (day, "b"): many(6)}, 10) == ((), True)


@pytest.mark.parametrize("minimum", [2, 10])
def test_no_two_answers_differ_by_few_people(minimum: int) -> None:
    """What is told of a day is the same whatever days are asked for beside it, so subtracting shows nobody."""
    days = [date(2026, 5, 1) + timedelta(days=one) for one in range(6)]
    found = {(day, name): many(3 * at + len(name)) for at, day in enumerate(days) for name in ("a", "bb", "ccc")}
    whole = grouped(found, minimum)[0]
    for until in days:
        part = grouped({key: value for key, value in found.items() if key[0] <= until}, minimum)[0]
        assert part == tuple(one for one in whole if one.day <= until)


def test_usage_counts_whole_days_of_one_tenant(service: Service, statistics: Statistics) -> None:
    decide(service, 12)
    decide(service, 12, event=Event.SESSION_DENIED)
    decide(service, 3, scenario="door")
    service.clock.forward(DAY)
    decide(service, 11)
    found = statistics.usage(tenant=DEFAULT_TENANT, since=TODAY, until=TODAY + timedelta(days=1))
    assert [(one.day, one.scenario, one.people, one.accepted, one.denied) for one in found.groups] == [
        (TODAY, "login", 12, 12, 12)
    ]
    assert found.withheld
    assert statistics.usage(tenant="other", since=TODAY, until=TODAY + timedelta(days=1)).groups == ()


@pytest.mark.parametrize(("since", "until"), [(0, 0), (1, 0), (0, 1), (-93, 0)])
def test_days_that_go_on_or_are_too_many_are_refused(statistics: Statistics, since: int, until: int) -> None:
    """A day that is not over would tell, asked twice, what happened in between."""
    with pytest.raises(InvalidRequest):
        statistics.usage(
            tenant=DEFAULT_TENANT, since=TODAY + timedelta(days=since), until=TODAY + timedelta(days=until)
        )


def test_a_person_enrolled_is_counted_and_the_alert_is_raised_once(enrolled: Service) -> None:
    """R55: counted, and told in the log and on record when the number is reached, once."""
    into = enrolled.installation
    assert Statistics.of(into).watch().people == 1
    few = Statistics(data=into.data, audit=into.audit, clock=into.clock, minimum=10, alert_at=1)
    few.watch()
    few.watch()
    with into.data.read() as conn:
        records = into.audit.records(conn, limit=1000, event=Event.ENROLMENT_REACHED)
    assert [one.details for one in records] == [{"count": 1}]
    assert ALERT_AT == 100_000


def test_below_the_number_there_is_no_alert(enrolled: Service) -> None:
    """R55."""
    into = enrolled.installation
    Statistics.of(into).watch()
    with into.data.begin() as conn:
        assert into.audit.records(conn, limit=1000, event=Event.ENROLMENT_REACHED) == []
        # The note that it was told is not there either.
        conn.execute(insert(installation).values(key="enrolment_alert", value="now"))


def test_what_is_watched_is_in_the_metrics() -> None:
    """R54, R55."""
    metrics = Metrics()
    group = grouped({(TODAY, "login"): many(12)}, 10)[0]
    metrics.watched(Watched(people=7, incidents_open=2, incidents_overdue=1, yesterday=group))
    told = metrics.render().decode()
    for line in (
        "faceauth_people_enrolled 7.0",
        "faceauth_incidents_open 2.0",
        "faceauth_incidents_overdue 1.0",
        'faceauth_usage_people{scenario="login"} 12.0',
    ):
        assert line in told
