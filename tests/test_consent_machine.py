"""Any order of acts on a whole installation, with logins in flight: no usable face without a live consent."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from sqlalchemy import func, select

from faceauth import pipeline as pipeline_module
from faceauth.asking import Asking
from faceauth.campaigns import Campaigns
from faceauth.consent.request import Affirmation, ConsentRequest
from faceauth.db.schema import biometric_references, consent_events, live_consents
from faceauth.db.tenants import DEFAULT_TENANT, ensure_tenant
from faceauth.errors import ConsentError, ConsentInvalid, Locked, UnknownAccount
from faceauth.retention import Retention
from faceauth.sessions import OpenedSession
from faceauth.vault.keyring import create_keyring
from tests import databases
from tests.campaigning import add_endpoint, question
from tests.clocks import HandClock
from tests.consent_model import DAYS, Consent, Model
from tests.service import Service, everybody_is_live, make_service

DAY = 86_400
ANNA = "anna"
SCENARIOS = st.sampled_from(sorted(DAYS))
PURPOSES = st.sampled_from(["verify", "enrol"])
MEANWHILE = ("nothing", "again", "withdraw", "refuse", "restrict", "publish", "close", "retire")
"""What may happen while a burst is judged; `again` withdraws and agrees anew, `refuse` says no to a newer text."""


@dataclass
class Flight:
    """A login or an enrolment that began, and under which consent."""

    opened: OpenedSession
    purpose: Literal["enrol", "verify"]
    scenario: str
    serial: int


class Life(RuleBasedStateMachine):
    """One person, two scenarios, an administrator, a clock, and devices whose frames are on their way."""

    pair: ClassVar[Callable[[Path], AbstractContextManager[databases.Databases]]]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory())) / "life"
        folder.mkdir()  # some files of an installation lie beside its folder
        data = self.stack.enter_context(type(self).pair(folder))
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(pipeline_module, "judge", self._judge)
        self.clock = HandClock()
        keyring = create_keyring(folder / "keyring", now=self.clock())
        self.service: Service = make_service(data, keyring, folder, self.clock)
        self.into = self.service.installation
        self.retention, self.asking = Retention.of(self.into), Asking.of(self.into)
        add_endpoint(self.service)
        self.model = Model()
        self.flights: list[Flight] = []
        self.meanwhile: Callable[[], object] | None = None

    def teardown(self) -> None:
        self.stack.close()

    def _judge(self, *args: Any, **more: Any) -> Any:
        """Judge a burst; whatever happens meanwhile happens now, with the decision still to come."""
        if self.meanwhile is not None:
            self.meanwhile()
            self.meanwhile = None
        return everybody_is_live(*args, **more)

    @initialize()
    def a_second_purpose(self) -> None:
        with self.into.data.begin() as conn:
            ensure_tenant(conn, tenant=DEFAULT_TENANT, now=self.clock())
            self.into.scenarios.create(
                conn,
                tenant=DEFAULT_TENANT,
                scenario="door",
                mode="verify",
                titles={"en": "The door"},
                retention_days=DAYS["door"],
                liveness_profile="motion",
                notices={"en": "May we open the door by your face?"},
                now=self.clock(),
            )
        self.model.published = {name: {1: self.clock()} for name in DAYS}
        self.enrol("login", "nothing")

    # --- the person ---------------------------------------------------------------------------------------------

    def _answer(self, scenario: str, decision: Literal["given", "refused"], version: int | None = None) -> int:
        """Answer one notice as the person, without a version the one in force; returns its version."""
        self.clock.forward(0.001)  # nobody withdraws and agrees in the same instant
        with self.into.data.begin() as conn:
            self.into.accounts.ensure(conn, tenant=DEFAULT_TENANT, account=ANNA, now=self.clock())
            self.model.account = True
            notices, now = self.into.notices, self.clock()
            if version is None:
                notice = notices.current(conn, DEFAULT_TENANT, scenario, now)
            else:
                notice = notices.version(conn, DEFAULT_TENANT, scenario, version)
        affirmation = Affirmation("checkbox", checked_by_default=False, text="Yes, with my face")
        request = ConsentRequest(scenario, notice.version, notice.texts["en"].sha256, "en", decision, affirmation)
        self.into.lifecycle.record_consent(tenant=DEFAULT_TENANT, account=ANNA, request=request, actor="test")
        return notice.version

    @rule(scenario=SCENARIOS)
    def agree(self, scenario: str) -> None:
        """The first time gives, later ones renew the same consent."""
        if scenario in self.model.retired:
            with pytest.raises(ConsentInvalid):
                self._answer(scenario, "given")
            return
        version, now = self._answer(scenario, "given"), self.clock()
        self.model.asked[scenario].clear()
        before = self.model.live.get(scenario)
        if before is None:
            self.model.serials += 1
        self.model.live[scenario] = Consent(
            serial=self.model.serials if before is None else before.serial,
            version=version,
            until=now + timedelta(days=DAYS[scenario]),
            used=now,
            enrolled=before is not None and before.enrolled,
        )

    @rule(scenario=SCENARIOS, announced=st.booleans())
    def refuse(self, scenario: str, announced: bool) -> None:
        """No is an answer to what was not agreed to, is asked, or whose time is over; else it is withdrawn (R36).

        `announced`: to the newest notice, though it may not be in force yet. The model keeps nothing of it: a no
        changes nothing of an earlier yes.
        """
        consent, known = self.model.live.get(scenario), self.model.published[scenario]
        version = max(one for one, since in known.items() if announced or since <= self.clock())
        agreed = consent is not None and consent.version >= version and self.clock() < consent.until
        if (agreed and not self.model.asked[scenario]) or scenario in self.model.retired:
            with pytest.raises(ConsentInvalid):
                self._answer(scenario, "refused", version)
        else:
            self._answer(scenario, "refused", version)

    @rule(scenario=SCENARIOS)
    def withdraw(self, scenario: str) -> None:
        if not self.model.account:
            with pytest.raises(UnknownAccount):
                self.service.withdraw(ANNA, scenario)
        elif scenario in self.model.live:
            self.service.withdraw(ANNA, scenario)
            self.model.end(scenario)

    @precondition(lambda self: self.flights)
    @rule()
    def close(self) -> None:
        if self.model.account:
            self.into.lifecycle.close_account(tenant=DEFAULT_TENANT, account=ANNA, actor="test")
            for scenario in DAYS:
                self.model.end(scenario)
            self.model.restricted = self.model.account = False

    @rule(restricted=st.booleans())
    def restrict(self, restricted: bool) -> None:
        if self.model.account:
            self.into.lifecycle.restrict(tenant=DEFAULT_TENANT, account=ANNA, restricted=restricted, actor="test")
            self.model.restricted = restricted

    # --- the administrator and the time -------------------------------------------------------------------------

    @rule(scenario=SCENARIOS, material=st.booleans(), days=st.sampled_from([0, 10]))
    def publish(self, scenario: str, material: bool, days: int) -> None:
        if scenario in self.model.retired:
            return
        with self.into.data.begin() as conn:
            notice = self.into.scenarios.publish_notice(
                conn,
                tenant=DEFAULT_TENANT,
                scenario=scenario,
                notices={"en": "In other words."},
                material=material,
                effective_at=self.clock() + timedelta(days=days) if days else None,
                now=self.clock(),
            )
        assert notice.material == material
        self.model.published[scenario][notice.version] = notice.effective_at
        if material:
            self.model.material[scenario].append((notice.version, notice.effective_at))

    @precondition(lambda self: self.flights)
    @rule()
    def retire(self) -> None:
        self.into.lifecycle.retire(tenant=DEFAULT_TENANT, scenario="door", actor="test")
        self.model.retired.add("door")

    @rule(scenario=SCENARIOS, act=st.sampled_from(["silence", "no", "cancel"]))
    def ask(self, scenario: str, act: str) -> None:
        """A campaign asks whoever agreed, or is taken back; no silence and no refusal opens the gate (R34)."""
        campaigns, model, now = Campaigns.of(self.into), self.model, self.clock()
        self.asking.run()
        if act == "cancel":
            for one, _ in campaigns.list(tenant=DEFAULT_TENANT):
                if one.scenario == scenario and one.state == "open":
                    campaigns.cancel(tenant=DEFAULT_TENANT, campaign_id=one.campaign_id, actor="test")
                    model.asked[scenario].discard(one.campaign_id)
                    model.campaigns.pop(scenario)
            return
        if scenario in model.retired or scenario not in model.live or model.campaigns.get(scenario, now) > now:
            return
        wanted = question(self.service, scenario=scenario, days=20)
        begun = campaigns.begin(tenant=DEFAULT_TENANT, question=wanted, actor="test").campaign
        assert begun is not None
        self.asking.run()
        model.asked[scenario].add(begun.campaign_id)
        model.campaigns[scenario] = wanted.deadline
        if act == "no":
            self.refuse(scenario, announced=False)
        self.begin(scenario, "verify")

    @rule(days=st.sampled_from([1, 9, 40, 200]))
    def wait(self, days: int) -> None:
        """Days go by; nobody's login stays open for that long."""
        self.clock.forward(days * DAY)
        self.flights.clear()

    @rule()
    def run_retention(self) -> None:
        due, done = self.model.due(self.clock()), self.retention.run()
        assert ({one.scenario for one in done.erased}, done.failed) == (due, [])
        for scenario in due:
            self.model.end(scenario)

    # --- logins and enrolments ----------------------------------------------------------------------------------

    @rule(scenario=SCENARIOS, purpose=PURPOSES)
    def begin(self, scenario: str, purpose: Literal["enrol", "verify"]) -> None:
        """The gate opens a session exactly when the model allows it."""
        if not self.model.allows(scenario, self.clock()):
            with pytest.raises((ConsentError, UnknownAccount)):
                self.service.open(purpose, ANNA, scenario)
            return
        try:
            opened = self.service.open(purpose, ANNA, scenario)
        except Locked:  # by logins that failed for want of a face: shut for another reason than consent
            return
        self.flights.append(Flight(opened, purpose, scenario, self.model.live[scenario].serial))

    @precondition(lambda self: self.flights)
    @rule()
    def land(self) -> None:
        """What began first is decided: accepted exactly when its own consent still allows it (R33)."""
        flight = self.flights.pop(0)
        try:
            state = self.service.post(flight.opened).state
        except ConsentError:
            state = "denied"
        consent = self.model.live.get(flight.scenario)
        mine = consent is not None and consent.serial == flight.serial
        allowed = mine and self.model.allows(flight.scenario, self.clock())
        if consent is None or not allowed or (flight.purpose == "verify" and not consent.enrolled):
            assert state == "denied"
        else:
            assert state == "accepted"
            consent.used = self.clock()
            consent.enrolled = True

    @rule(scenario=SCENARIOS, purpose=PURPOSES)
    def take_off(self, scenario: str, purpose: Literal["enrol", "verify"]) -> None:
        """Agree where that is missing, then begin."""
        if scenario in self.model.retired:
            return
        self.restrict(False)
        if not self.model.allows(scenario, self.clock()):
            self.agree(scenario)
        self.begin(scenario, purpose)

    @rule(scenario=SCENARIOS, act=st.sampled_from(MEANWHILE))
    def log_in(self, scenario: str, act: str) -> None:
        """The whole way, and something happens while what began first is judged."""
        self.take_off(scenario, "verify")
        self._land_while(scenario, act)

    @rule(scenario=SCENARIOS, act=st.sampled_from(MEANWHILE))
    def enrol(self, scenario: str, act: str) -> None:
        self.take_off(scenario, "enrol")
        self._land_while(scenario, act)

    def _land_while(self, scenario: str, act: str) -> None:
        if not self.flights:
            return
        acts: dict[str, Callable[[], object]] = {
            "nothing": lambda: None,
            "withdraw": lambda: self.withdraw(scenario),
            "close": self.close,
            "refuse": lambda: (self.publish(scenario, False, 10), self.refuse(scenario, True)),
            "restrict": lambda: self.restrict(True),
            "publish": lambda: self.publish(scenario, True, 0),
            "retire": self.retire,
            "again": lambda: (self.withdraw(scenario), self.agree(scenario)),
        }
        self.meanwhile = lambda: acts[act]() and None
        self.land()
        self.meanwhile = None  # a burst that was turned away was not judged

    # --- what holds after every act -----------------------------------------------------------------------------

    @invariant()
    def no_face_without_its_consent(self) -> None:
        """R27, R29: every stored reference leans on a consent whose last event lets it."""
        with self.into.data.read() as conn:
            stored = set(conn.execute(select(biometric_references.c.scenario, biometric_references.c.consent_id)))
            alive = set(conn.execute(select(live_consents.c.scenario, live_consents.c.consent_id)))
            last = select(func.max(consent_events.c.seq)).group_by(consent_events.c.consent_id)
            states = select(consent_events.c.consent_id).where(
                consent_events.c.seq.in_(last), consent_events.c.state.in_(["given", "renewed"])
            )
            standing = set(conn.scalars(states))
        assert stored <= alive
        assert {scenario for scenario, _ in alive} == set(self.model.live)
        assert {consent_id for _, consent_id in alive} == standing
        assert {scenario for scenario, _ in stored} == {
            scenario for scenario, consent in self.model.live.items() if consent.enrolled
        }


@contextmanager
def wiped(pair: databases.Databases) -> Iterator[databases.Databases]:
    """Give the shared pair on PostgreSQL, as new."""
    databases.wipe(pair, databases.revisions(pair))
    yield pair


def lives(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


def test_no_order_of_acts_leaves_a_face_without_a_consent(sqlite_template: Path) -> None:
    """R27, R29, R33, R34, R39: a sequence that does is shrunk and printed."""
    Life.pair = lambda folder: databases.copied_sqlite(sqlite_template, folder / "databases")
    run_machine(Life, settings=lives(8, 20))


@pytest.mark.soak
@pytest.mark.postgresql
def test_nor_does_any_on_postgresql(postgresql_database: databases.Databases) -> None:
    """R27, R29, R33, R34, R39."""
    Life.pair = lambda _: wiped(postgresql_database)
    run_machine(Life, settings=lives(40, 25))
