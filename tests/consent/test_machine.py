"""Any order of acts: the gate is open exactly when a plain model of the rules says so."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection

from faceauth.errors import ConsentError, ConsentInvalid
from faceauth.types import ConsentGrant
from tests.consent.story import ANN, TENANT, Story, doom, finish
from tests.databases import copied_sqlite


class Consent(RuleBasedStateMachine):
    """One person, one scenario; `given` is the model: the notice agreed to and the days left, or None."""

    template: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.databases = self.stack.enter_context(copied_sqlite(self.template, folder))
        self.story = Story()
        self.given: tuple[int, int] | None = None
        self.live = False
        self.erasing: str | None = None
        self.notices = [False]  # whether each version is material
        self.stones = 0
        self.grants: list[tuple[ConsentGrant, str]] = []
        with self.conn() as conn:
            self.story.open(conn)

    def teardown(self) -> None:
        self.stack.close()

    @contextmanager
    def conn(self) -> Iterator[Connection]:
        with self.databases.data.begin() as conn:
            yield conn

    @rule()
    def agree(self) -> None:
        with self.conn() as conn:
            if self.erasing is not None:
                with pytest.raises(ConsentInvalid):
                    self.story.agree(conn)
                return
            self.story.agree(conn)
        self.given, self.live = (len(self.notices), 365), True

    @rule()
    def refuse(self) -> None:
        with self.conn() as conn:
            request = self.story.request(conn, decision="refused", locale="en")
            if self.live:
                with pytest.raises(ConsentInvalid):
                    self.story.ledger.record(conn, tenant=TENANT, account=ANN, request=request)
            else:
                self.story.ledger.record(conn, tenant=TENANT, account=ANN, request=request)

    @rule()
    def withdraw(self) -> None:
        with self.conn() as conn:
            assert self.story.withdraw(conn) == self.live
            if self.live:
                self.stones += 1
                self.erasing = f"t{self.stones}"
                doom(conn, self.erasing, scenario="login")
        self.given, self.live = None, False

    @rule()
    def finish_erasure(self) -> None:
        if self.erasing is not None:
            with self.conn() as conn:
                finish(conn, self.erasing, scenario="login")
            self.erasing = None

    @rule()
    def publish(self) -> None:
        material = len(self.notices) % 2 == 0
        with self.conn() as conn:
            self.story.notices.publish(
                conn,
                tenant=TENANT,
                scenario="login",
                notices={"en": "New."},
                material=material,
                now=self.story.now,
            )
        self.notices.append(material)

    @rule()
    def wait(self) -> None:
        self.story.later(days=150)
        if self.given is not None:
            self.given = (self.given[0], self.given[1] - 150)

    @invariant()
    def the_gate_follows_the_rules(self) -> None:
        version, days = self.given or (0, 0)
        expected = self.given is not None and days > 0 and not any(self.notices[version:])
        with self.conn() as conn:
            try:
                grant = self.story.gate.ask(conn, tenant=TENANT, account=ANN, scenario="login")
            except ConsentError:
                assert not expected
                return
            assert expected
            self.grants.append((grant, grant.consent_id))
            for old, consent_id in self.grants:
                if consent_id == grant.consent_id:
                    self.story.gate.confirm(conn, old)
                else:
                    with pytest.raises(ConsentError):
                        self.story.gate.confirm(conn, old)

    @invariant()
    def the_ledger_agrees(self) -> None:
        with self.conn() as conn:
            events = self.story.ledger.history(conn, TENANT, ANN)
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
            assert self.story.ledger.live(conn, TENANT, ANN) == (("login",) if self.live else ())


def test_the_gate_follows_the_rules_in_any_order(sqlite_template: Path) -> None:
    """R27, R29, R33, R34: a model-based test; a found sequence is shrunk and printed."""
    Consent.template = sqlite_template
    run_state_machine_as_test(
        Consent,
        settings=settings(
            max_examples=25,
            stateful_step_count=14,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
