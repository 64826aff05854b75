"""Two people, neither alone: what is approved is what was asked for, once, and in time (R52)."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.db.audit_tables import audit_log
from faceauth.db.schema import approvals as table
from faceauth.db.tenants import DEFAULT_TENANT, ensure_tenant
from faceauth.errors import ApprovalRequired, AuditUnavailable, NotAllowed, UnknownApproval
from faceauth.identity.approvals import VALID, Approval, Approvals, Kind
from tests.clocks import HandClock
from tests.databases import Databases

KIND, DETAILS = Kind.KEY_DESTROY, {"version": 1}
ANNA, BEN = "cli:anna", "apikey:key_ben"


class Desk:
    """Approvals on a database, one transaction a call."""

    def __init__(self, databases: Databases, clock: HandClock) -> None:
        self.data, self.clock = databases.data, clock
        self.approvals = Approvals(AuditLog(pseudonym_key=b"p" * 32, clock=clock), clock)
        with self.data.begin() as conn:
            ensure_tenant(conn, tenant=DEFAULT_TENANT, now=clock())
            ensure_tenant(conn, tenant="other", now=clock())

    def ask(self, version: int = 1, *, actor: str = ANNA, tenant: str = DEFAULT_TENANT) -> Approval:
        with self.data.begin() as conn:
            return self.approvals.request(conn, KIND, {"version": version}, tenant=tenant, actor=actor)

    def approve(self, approval: Approval, actor: str = BEN, tenant: str = DEFAULT_TENANT) -> Approval:
        with self.data.begin() as conn:
            return self.approvals.approve(conn, approval.approval_id, tenant=tenant, actor=actor)

    def reject(self, approval: Approval, actor: str = BEN) -> Approval:
        with self.data.begin() as conn:
            return self.approvals.reject(conn, approval.approval_id, tenant=DEFAULT_TENANT, actor=actor)

    def check(self, approval: Approval, version: int = 1, tenant: str = DEFAULT_TENANT) -> Approval:
        with self.data.read() as conn:
            return self._check(conn, approval, version, tenant)

    def use(self, approval: Approval) -> None:
        with self.data.begin() as conn:
            self.approvals.use(conn, self._check(conn, approval, 1, DEFAULT_TENANT), actor=ANNA)

    def _check(self, conn: Connection, approval: Approval, version: int, tenant: str) -> Approval:
        return self.approvals.check(
            conn,
            approval.approval_id,
            expected_kind=KIND,
            expected_details={"version": version},
            expected_tenant=tenant,
        )

    def events(self) -> list[str]:
        with self.data.read() as conn:
            return list(conn.scalars(select(audit_log.c.event).order_by(audit_log.c.seq)))


@pytest.fixture
def desk(database: Databases, clock: HandClock) -> Desk:
    return Desk(database, clock)


def test_asked_approved_used_once(desk: Desk) -> None:
    asked = desk.ask()
    with pytest.raises(ApprovalRequired):
        desk.check(asked)
    assert desk.approve(asked).state == "approved"
    assert desk.check(asked).decided_by == BEN
    desk.use(asked)
    with pytest.raises(ApprovalRequired):
        desk.use(asked)
    assert desk.ask().approval_id != asked.approval_id
    words = ["requested", "given", "used", "requested"]
    assert desk.events() == [f"operator:approval:{word}" for word in words]


def test_nobody_approves_what_they_asked_for(desk: Desk) -> None:
    asked = desk.ask()
    with pytest.raises(NotAllowed, match="second person"):
        desk.approve(asked, ANNA)
    with pytest.raises(ApprovalRequired):
        desk.check(asked)


def test_the_database_refuses_it_too(desk: Desk) -> None:
    """Whoever writes to the table directly: a constraint holds it."""
    asked = desk.ask()
    with pytest.raises(IntegrityError), desk.data.begin() as conn:
        conn.execute(
            update(table)
            .where(table.c.approval_id == asked.approval_id)
            .values(state="approved", decided_by=table.c.requested_by)
        )


def test_asking_again_is_the_same_request_whoever_asks(desk: Desk) -> None:
    """Else the second person could answer a request of their own making."""
    asked = desk.ask()
    assert desk.ask(actor=BEN).approval_id == asked.approval_id
    assert desk.ask(actor=BEN).requested_by == ANNA
    desk.approve(asked)
    assert desk.ask(actor=BEN).state == "approved"


def test_it_is_for_this_act_and_tenant_only(desk: Desk) -> None:
    asked = desk.ask()
    desk.approve(asked)
    with pytest.raises(ApprovalRequired):
        desk.check(asked, version=2)
    with pytest.raises(ApprovalRequired):
        desk.check(asked, tenant="other")
    with pytest.raises(UnknownApproval):
        desk.approve(asked, tenant="other")
    with desk.data.begin() as conn:
        conn.execute(update(table).values(details={"version": 2}))
    for version in (1, 2):
        with pytest.raises(ApprovalRequired):
            desk.check(asked, version=version)


@pytest.mark.parametrize("approved", [False, True])
def test_time_takes_it_away(desk: Desk, approved: bool) -> None:
    asked = desk.ask()
    if approved:
        desk.approve(asked)
    desk.clock.forward((VALID - timedelta(seconds=1)).total_seconds())
    assert desk.ask().approval_id == asked.approval_id
    desk.clock.forward(1)
    with pytest.raises(ApprovalRequired):
        desk.check(asked)
    with pytest.raises(ApprovalRequired, match="expired"):
        desk.approve(asked)
    assert desk.ask().approval_id != asked.approval_id


@pytest.mark.parametrize("actor", [ANNA, BEN])
def test_it_can_be_refused_also_after_it_was_approved(desk: Desk, actor: str) -> None:
    asked = desk.ask()
    desk.approve(asked)
    assert desk.reject(asked, actor).state == "rejected"
    with pytest.raises(ApprovalRequired):
        desk.check(asked)
    with pytest.raises(ApprovalRequired):
        desk.approve(asked)


def test_without_a_record_nothing_moves(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """R49."""
    asked = desk.ask()

    def full(*_: object, **__: object) -> None:
        raise AuditUnavailable("full")

    with monkeypatch.context() as broken:
        broken.setattr(AuditLog, "append", full)
        with pytest.raises(AuditUnavailable):
            desk.approve(asked)
        with pytest.raises(AuditUnavailable):
            desk.reject(asked)
        with pytest.raises(AuditUnavailable):
            desk.ask(2)
    with desk.data.read() as conn:
        states = [one.state for one in desk.approvals.list(conn, tenant=DEFAULT_TENANT)]
    assert states == ["requested"]
    assert desk.events() == [Event.APPROVAL_REQUESTED]
