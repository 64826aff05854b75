"""The gate: only a live, current, unended consent opens it, and a withdrawal overtakes every login (R29, R33)."""

import threading
from collections.abc import Callable
from datetime import date
from queue import Queue

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from faceauth.db.schema import consent_events
from faceauth.errors import ConsentError, ConsentRequired, ConsentStale, StorageError, UnknownScenario
from faceauth.types import ConsentGrant
from tests.consent.story import ANN, TENANT, Story, doom, finish, store_reference
from tests.databases import Databases

WHO = {"tenant": TENANT, "account": ANN, "scenario": "login"}


@pytest.fixture
def story(database: Databases) -> Story:
    """Ann has an account and was never asked."""
    story = Story()
    with database.data.begin() as conn:
        story.open(conn)
    return story


def _ask(story: Story, conn: Connection, scenario: str = "login") -> ConsentGrant:
    return story.gate.ask(conn, tenant=TENANT, account=ANN, scenario=scenario)


def test_it_opens_for_a_live_consent_only(database: Databases, story: Story) -> None:
    """R29: before the answer and after a refusal it is shut; after a yes it grants what was agreed to."""
    with database.data.begin() as conn:
        with pytest.raises(ConsentRequired):
            _ask(story, conn)
        story.ledger.record(conn, tenant=TENANT, account=ANN, request=story.request(conn, decision="refused"))
        with pytest.raises(ConsentRequired):
            _ask(story, conn)
        consent_id = story.agree(conn)
    with database.data.read() as conn:
        grant = _ask(story, conn)
    assert grant == ConsentGrant(TENANT, ANN, "login", consent_id, 1, story.now)
    with database.data.begin() as conn:
        story.gate.confirm(conn, grant)


def test_it_is_shut_for_unknown_names(database: Databases, story: Story) -> None:
    with database.data.read() as conn:
        with pytest.raises(UnknownScenario):
            _ask(story, conn, "door")
        with pytest.raises(ConsentRequired):
            story.gate.ask(conn, tenant=TENANT, account="bob", scenario="login")
        with pytest.raises(UnknownScenario):
            story.gate.ask(conn, tenant="other", account=ANN, scenario="login")


def test_a_birthday_told_later_shuts_it_until_a_guardian_agrees(database: Databases, story: Story) -> None:
    """R35: whoever agreed alone and turns out to be a child opens nothing, in a login under way neither."""
    with database.data.begin() as conn:
        story.agree(conn)
        grant = _ask(story, conn)
        born = date(2012, 3, 2)  # 14 tomorrow
        story.accounts.ensure(conn, tenant=TENANT, account=ANN, birth_date=born, now=story.now)
        with pytest.raises(ConsentRequired, match="under 14"):
            _ask(story, conn)
        with pytest.raises(ConsentRequired, match="under 14"):
            story.gate.confirm(conn, grant)
        story.accounts.ensure(conn, tenant=TENANT, account=ANN, guardian={"name": "Eve"}, now=story.now)
        with pytest.raises(ConsentRequired, match="under 14"):  # named is not agreed
            _ask(story, conn)
        story.agree(conn)
        assert _ask(story, conn).consent_id == grant.consent_id
        story.later(days=1)
        assert _ask(story, conn).account == ANN  # what a guardian agreed to goes on


def test_at_fourteen_the_persons_own_yes_counts(database: Databases, story: Story) -> None:
    """R35: the age that counts is today's."""
    with database.data.begin() as conn:
        story.agree(conn)
        story.accounts.ensure(conn, tenant=TENANT, account=ANN, birth_date=date(2012, 3, 2), now=story.now)
        story.later(days=1)
        assert _ask(story, conn).account == ANN


Act = Callable[[Story, Connection], object]


def _new_notice(story: Story, conn: Connection, *, material: bool) -> None:
    story.notices.publish(
        conn, tenant=TENANT, scenario="login", notices={"en": "New."}, material=material, now=story.now
    )


def _retire(story: Story, conn: Connection) -> None:
    story.scenarios.retire(conn, tenant=TENANT, scenario="login")


def _expire_event(story: Story, conn: Connection) -> None:
    [given] = story.ledger.history(conn, TENANT, ANN)
    row = {name: getattr(given, name) for name in given.__slots__}
    conn.execute(insert(consent_events).values(row | {"event_id": "x", "seq": 2, "state": "expired"}))


def _begin_anew(story: Story, conn: Connection) -> None:
    story.withdraw(conn)
    doom(conn, "t", scenario="login")
    finish(conn, "t", scenario="login")
    story.agree(conn)


CLOSING: dict[str, tuple[Act, type[ConsentError]]] = {
    "withdrawn": (lambda story, conn: story.withdraw(conn), ConsentRequired),
    "account being erased": (lambda _, conn: doom(conn, "t"), ConsentRequired),
    "scenario being erased": (lambda _, conn: doom(conn, "t", scenario="login"), ConsentRequired),
    "retired": (
        lambda story, conn: story.scenarios.retire(conn, tenant=TENANT, scenario="login"),
        ConsentRequired,
    ),
    "ended in the ledger": (_expire_event, ConsentRequired),
    "its time is over": (lambda story, _: story.later(days=365), ConsentStale),
    "a material notice": (lambda story, conn: _new_notice(story, conn, material=True), ConsentStale),
}

STAYING: dict[str, Act] = {
    "an editorial notice": lambda story, conn: _new_notice(story, conn, material=False),
    "one reference being erased": lambda _, conn: doom(conn, "t", reference="r1"),
    "another scenario being erased": lambda _, conn: doom(conn, "t", scenario="door"),
    "the last moment": lambda story, _: story.later(days=364, hours=23),
    "renewed": lambda story, conn: story.agree(conn),
}


@pytest.mark.parametrize("name", CLOSING)
def test_what_closes_it_closes_both_questions(database: Databases, story: Story, name: str) -> None:
    """R29, R33, R34: whatever ends a consent between the first question and the commit stops the login."""
    act, error = CLOSING[name]
    with database.data.begin() as conn:
        story.agree(conn)
        grant = _ask(story, conn)
        act(story, conn)
    with database.data.begin() as conn:
        with pytest.raises(error):
            story.gate.confirm(conn, grant)
        with pytest.raises(error):
            _ask(story, conn)


@pytest.mark.parametrize("name", STAYING)
def test_what_does_not_end_the_consent_leaves_it_open(database: Databases, story: Story, name: str) -> None:
    with database.data.begin() as conn:
        story.agree(conn)
        grant = _ask(story, conn)
        STAYING[name](story, conn)
    with database.data.begin() as conn:
        story.gate.confirm(conn, grant)


def test_a_grant_of_an_ended_consent_is_no_grant_of_the_next(database: Databases, story: Story) -> None:
    """R33: withdrawn, erased and agreed anew while a login was under way: the login still fails."""
    with database.data.begin() as conn:
        story.agree(conn)
        grant = _ask(story, conn)
        _begin_anew(story, conn)
    with database.data.begin() as conn:
        with pytest.raises(ConsentRequired, match="has ended"):
            story.gate.confirm(conn, grant)
        story.gate.confirm(conn, _ask(story, conn))


def test_what_began_under_an_ended_consent_does_not_go_on_under_the_next(
    database: Databases, story: Story
) -> None:
    """R33: a session opened before a withdrawal is shut, though the person agreed again; a renewal is no end."""
    begun = story.now
    with database.data.begin() as conn:
        story.agree(conn)
        story.later(seconds=1)
        renewed = story.agree(conn)
        assert story.gate.ask(conn, **WHO, begun=begun).consent_id == renewed
        story.withdraw(conn)
        finish(conn, "t1", scenario="login")
        story.later(seconds=1)
        story.agree(conn)
        with pytest.raises(ConsentRequired, match="Start again"):
            story.gate.ask(conn, **WHO, begun=begun)
        assert story.gate.ask(conn, **WHO, begun=story.now).granted_at == story.now


def test_the_scenarios_of_one_person_stand_apart(database: Databases, story: Story) -> None:
    """R31, R34: a new scenario starts with nobody's consent, and withdrawing one leaves the other."""
    with database.data.begin() as conn:
        story.scenarios.create(
            conn,
            tenant=TENANT,
            scenario="door",
            mode="identify",
            titles={"en": "The door"},
            retention_days=30,
            liveness_profile="motion",
            notices={"en": "May we open the door by your face?"},
            now=story.now,
        )
        story.agree(conn)
        with pytest.raises(ConsentRequired):
            _ask(story, conn, "door")
        story.agree(conn, "door")
        story.withdraw(conn)
        _ask(story, conn, "door")
        with pytest.raises(ConsentRequired):
            _ask(story, conn)
        story.later(days=30)  # the scenario's own retention is shorter than the year
        with pytest.raises(ConsentStale):
            _ask(story, conn, "door")


def test_the_database_refuses_a_reference_without_consent(database: Databases, story: Story) -> None:
    """R27: no row in live_consents, no reference; and the row cannot go while a reference leans on it."""
    data = database.data
    with pytest.raises(IntegrityError), data.begin() as conn:
        store_reference(conn, "r1", "consent_1")
    with data.begin() as conn:
        consent_id = story.agree(conn)
        store_reference(conn, "r1", consent_id)
    for other in ({"consent_id": "consent_9"}, {"scenario": "door", "consent_id": consent_id}):
        with pytest.raises(IntegrityError), data.begin() as conn:
            store_reference(conn, "r2", **other)
    with pytest.raises(IntegrityError), data.begin() as conn:
        conn.exec_driver_sql("DELETE FROM live_consents")
    with pytest.raises(IntegrityError), data.begin() as conn:
        conn.exec_driver_sql("UPDATE live_consents SET consent_id = 'consent_9'")


# --- races ----------------------------------------------------------------------------------------------------


class _Other:
    """The other side, in a thread of its own; `join` answers what it came to, None or an error."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._outcome: Queue[Exception | None] = Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  whatever it is, the test looks at it
            self._outcome.put(error)
        else:
            self._outcome.put(None)

    def waits(self) -> bool:
        """Give it a moment in which it would finish if nothing held it."""
        self._thread.join(timeout=0.15)
        return self._thread.is_alive()

    def join(self) -> Exception | None:
        return self._outcome.get(timeout=20)


ENDINGS: dict[str, Act] = {
    "withdrawal": lambda story, conn: story.withdraw(conn),
    "account's tombstone": lambda _, conn: doom(conn, "t"),
    "scenario's tombstone": lambda _, conn: doom(conn, "t", scenario="login"),
    "retirement": _retire,
    "notice": lambda story, conn: _new_notice(story, conn, material=True),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_login_waits_for_an_ending_and_then_fails(database: Databases, story: Story, name: str) -> None:
    """R33: the ending began first and has not committed; the login may not slip in beside it."""
    with database.data.begin() as conn:
        story.agree(conn)
        grant = _ask(story, conn)

    def accept() -> None:
        with database.data.begin() as conn:
            story.gate.confirm(conn, grant)

    with database.data.begin() as conn:
        ENDINGS[name](story, conn)
        other = _Other(accept)
        assert other.waits()
    assert isinstance(other.join(), ConsentError)


@pytest.mark.parametrize("name", ENDINGS)
def test_an_ending_waits_for_a_login_that_was_confirmed(database: Databases, story: Story, name: str) -> None:
    """R33: the login was confirmed first; the ending commits after it, so the order in time is the true one."""
    with database.data.begin() as conn:
        story.agree(conn)
        grant = _ask(story, conn)
    order: list[str] = []

    def end() -> None:
        with database.data.begin() as conn:
            ENDINGS[name](story, conn)
            order.append("ended")

    with database.data.begin() as conn:
        story.gate.confirm(conn, grant)
        other = _Other(end)
        assert other.waits()
        order.append("accepted")
    assert other.join() is None
    assert order == ["accepted", "ended"]


def test_a_reference_cannot_slip_in_beside_a_tombstone(database: Databases, story: Story) -> None:
    """R27, R40: enrolment and erasure at once: the erasure's tombstone comes first, the reference is refused."""
    with database.data.begin() as conn:
        consent_id = story.agree(conn)

    def enrol() -> None:
        with database.data.begin() as conn:
            store_reference(conn, "r1", consent_id)

    with database.data.begin() as conn:
        doom(conn, "t")
        other = _Other(enrol)
        assert other.waits()
    assert isinstance(other.join(), IntegrityError)


def test_two_answers_at_once_make_one_consent(database: Databases, story: Story) -> None:
    """The account's lock orders them: one gives, the other renews."""
    with database.data.begin() as conn:
        request = story.request(conn)
    together = threading.Barrier(2)

    def agree() -> None:
        together.wait(timeout=10)
        with database.data.begin() as conn:
            story.ledger.record(conn, tenant=TENANT, account=ANN, request=request)

    sides = [_Other(agree), _Other(agree)]
    assert [side.join() for side in sides] == [None, None]
    with database.data.read() as conn:
        assert [e.state for e in story.ledger.history(conn, TENANT, ANN)] == ["given", "renewed"]


def test_withdrawals_and_logins_at_once_never_wait_in_a_circle(database: Databases, story: Story) -> None:
    """Locks are taken in one order, so no login dies of a deadlock: it is accepted, or told of the ending."""
    with database.data.begin() as conn:
        story.agree(conn)
        grant = _ask(story, conn)
    together = threading.Barrier(4)

    def accept() -> None:
        together.wait(timeout=10)
        for _ in range(5):
            with database.data.begin() as conn:
                story.gate.confirm(conn, grant)

    def end() -> None:
        together.wait(timeout=10)
        with database.data.begin() as conn:
            story.withdraw(conn)
            doom(conn, "t", scenario="login")

    sides = [_Other(work) for work in (accept, accept, accept, end)]
    *logins, ending = [side.join() for side in sides]
    assert ending is None
    assert not any(isinstance(login, StorageError) for login in logins)
    with database.data.begin() as conn, pytest.raises(ConsentRequired):
        story.gate.confirm(conn, grant)
