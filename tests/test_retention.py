"""Every clock of R39 ends a consent and erases its face; nothing else is touched."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event as Flag

import pytest
from sqlalchemy import func, select

from faceauth.audit.events import Event
from faceauth.consent.builtin import LOGIN_TITLES
from faceauth.db.schema import biometric_references, sessions, tombstones
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import ConsentError, Denied, StorageError
from faceauth.retention import Plan, Retention, repeat
from faceauth.schedule import schedule
from tests.service import Service, failing

DAY = 86_400


@pytest.fixture
def retention(enrolled: Service) -> Retention:
    return Retention.of(enrolled.installation)


def references(service: Service) -> int:
    with service.installation.data.read() as conn:
        return conn.scalar(select(func.count()).select_from(biometric_references)) or 0


def log_in(service: Service) -> None:
    assert service.post(service.open("verify")).state == "accepted"


def test_nothing_is_due_before_its_time(enrolled: Service, retention: Retention) -> None:
    enrolled.clock.forward(364 * DAY)
    assert retention.plan() == Plan((), 0)
    assert not retention.run().erased
    assert references(enrolled)


def test_the_end_of_the_consent_erases(enrolled: Service, retention: Retention) -> None:
    """R39: term ended. The ledger says so, the receipt says why, and agreeing again is possible."""
    enrolled.clock.forward(300 * DAY)
    log_in(enrolled)
    enrolled.clock.forward(65 * DAY)
    plan = retention.plan()
    assert [(one.account, one.clock) for one in plan.due] == [("anna", "consent_expired")]
    assert references(enrolled), "a plan does nothing"

    told: list[tuple[int, int]] = []
    done = retention.run(lambda number, total: told.append((number, total)))
    assert (len(done.erased), done.failed, told) == (1, [], [(1, 1)])
    assert references(enrolled) == 0
    into = enrolled.installation
    with into.data.read() as conn:
        assert conn.execute(select(tombstones.c.reason, tombstones.c.state)).all() == [("consent_expired", "done")]
        history = into.ledger.history(conn, tenant=DEFAULT_TENANT, account="anna")
        events = [one.event for one in into.audit.records(conn, limit=100)]
        assert into.audit.verify(conn).intact
    assert [event.state for event in history] == ["given", "expired"]
    assert Event.CONSENT_EXPIRED in events
    assert not retention.run().erased, "once is enough"
    with pytest.raises((ConsentError, Denied)):
        enrolled.open("verify")
    enrolled.agree()
    assert enrolled.post(enrolled.open("enrol")).state == "accepted"


def test_a_face_that_nobody_uses_is_erased(enrolled: Service, retention: Retention) -> None:
    """R39: inactivity counts from the last use, and a use moves it on."""
    short = retention.settings.model_copy(update={"inactivity_days": 30})
    retention = Retention.of(enrolled.installation)
    object.__setattr__(retention, "settings", short)
    enrolled.clock.forward(29 * DAY)
    log_in(enrolled)
    enrolled.clock.forward(29 * DAY)
    assert not retention.plan().due
    enrolled.clock.forward(DAY)
    assert [(one.clock, one.since) for one in retention.plan().due] == [("inactivity", enrolled.clock())]
    assert len(retention.run().erased) == 1
    assert references(enrolled) == 0


def test_the_earliest_clock_wins(enrolled: Service, retention: Retention) -> None:
    """R39: inactivity ran out on day 30, the consent on day 365."""
    object.__setattr__(retention, "settings", retention.settings.model_copy(update={"inactivity_days": 30}))
    enrolled.clock.forward(400 * DAY)
    due = retention.plan().due
    assert [one.clock for one in due] == ["inactivity"]
    assert due[0].since == enrolled.clock() - timedelta(days=370)


def test_a_retired_scenario_lets_go_of_its_faces(enrolled: Service, retention: Retention) -> None:
    """R39: and it allows nothing from the moment it is retired (R34)."""
    into = enrolled.installation
    opened = enrolled.open("verify")
    assert into.lifecycle.retire(tenant=DEFAULT_TENANT, scenario="login", actor="test").state == "retired"
    assert into.lifecycle.retire(tenant=DEFAULT_TENANT, scenario="login", actor="test").state == "retired"
    assert enrolled.post(opened).state == "denied"
    assert [one.clock for one in retention.run().erased] == ["scenario_retired"]
    assert references(enrolled) == 0
    with into.data.read() as conn:
        events = [one.event for one in into.audit.records(conn, limit=100)]
    assert events.count(Event.SCENARIO_RETIRED) == 1


def test_who_comes_back_in_time_stays(
    enrolled: Service, retention: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the plan and a person's turn anything may happen: each is looked at again."""
    enrolled.clock.forward(366 * DAY)
    plan = retention.plan()
    monkeypatch.setattr(Retention, "plan", lambda _: plan)
    enrolled.agree()
    done = retention.run()
    assert (done.erased, done.failed) == ([], [])
    assert references(enrolled)


def test_one_failure_leaves_the_others(
    enrolled: Service, retention: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R57: the old state or the new one, and the next run tries again."""
    enrolled.agree("ben")
    enrolled.clock.forward(366 * DAY)
    with monkeypatch.context() as patch:
        patch.setattr(type(retention.ledger), "expire", failing(StorageError("The disk is full.")))
        done = retention.run()
    assert (done.erased, len(done.failed)) == ([], 2)
    assert references(enrolled)
    stop = Flag()
    stop.set()
    assert not retention.run(stop=stop).erased
    assert len(retention.run().erased) == 2


def test_old_records_of_sessions_go_but_the_last_use(enrolled: Service, retention: Retention) -> None:
    """R39: the records' own clock. What tells the last use of a face stays until the face goes."""
    for _ in range(2):
        enrolled.clock.forward(60)
        log_in(enrolled)
    enrolled.post(enrolled.open("verify"), colour=(80, 80, 190))
    enrolled.clock.forward(89 * DAY)
    assert retention.plan().sessions == 0
    enrolled.clock.forward(2 * DAY)
    assert retention.plan().sessions == 3
    assert retention.run().sessions == 3
    with enrolled.installation.data.read() as conn:
        left = conn.execute(select(sessions.c.purpose, sessions.c.state)).all()
    assert left == [("verify", "accepted")]
    enrolled.clock.forward(275 * DAY)
    assert len(retention.run().erased) == 1


def test_it_comes_round_by_itself_until_it_is_stopped(
    enrolled: Service, retention: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled.clock.forward(366 * DAY)
    stop = Flag()
    pauses: list[float] = []
    monkeypatch.setattr(stop, "wait", pauses.append)
    rounds = repeat(retention, stop)
    assert len(next(rounds).erased) == 1
    with monkeypatch.context() as patch:
        patch.setattr(Retention, "plan", failing(StorageError("Away.")))
        patch.setattr(stop, "wait", lambda _: stop.set())
        assert list(rounds) == []
    assert not list(repeat(retention, stop))
    never = retention.settings.model_copy(update={"every_minutes": 0})
    object.__setattr__(retention, "settings", never)
    assert not list(repeat(retention, Flag()))


class _Impatient(Flag):
    """Waits no time, remembers for how long it was asked to, and does something at the third time."""

    def __init__(self, at_third: Callable[[], object]) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self.at_third = at_third

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0)
        if len(self.pauses) == 3:
            self.at_third()
        return False


def test_a_retired_scenario_is_not_waited_for(enrolled: Service, retention: Retention) -> None:
    """R39: what only it needed goes within seconds, not with the next hour's run; nothing else hastens one."""
    lifecycle = enrolled.installation.lifecycle
    stop = _Impatient(lambda: lifecycle.retire(tenant=DEFAULT_TENANT, scenario="login", actor="test"))
    rounds = repeat(retention, stop)
    assert next(rounds).erased == []
    assert [one.clock for one in next(rounds).erased] == ["scenario_retired"]
    assert (len(stop.pauses), references(enrolled)) == (3, 0)
    assert next(rounds).erased == []
    assert sum(stop.pauses[3:]) == retention.settings.every_minutes * 60


def test_the_public_schedule_says_what_the_settings_say(enrolled: Service) -> None:
    """R39: the shorter of the scenario's term and the consent's time, and the days of inactivity."""
    lines = {term.what: term.how_long for term in schedule(enrolled.installation)}
    assert lines[f"Face templates for {LOGIN_TITLES['en']}"].startswith(
        "365 days after you last agreed, and 365 days after"
    )
    assert lines["Records of sessions, without pictures"].startswith("90 days")
    assert lines["Camera pictures"].startswith("Not kept")
