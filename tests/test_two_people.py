"""Erasing the faces of many takes two people; of few it does not (R52)."""

from collections.abc import Callable

import pytest

from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import ApprovalRequired, UnknownScenario
from faceauth.two_people import retire_scenario
from tests.service import Service

Retire = Callable[..., str]


@pytest.fixture
def retire(enrolled: Service) -> Retire:
    """Retire `login`, for which one person is enrolled; `bulk` says how many are many."""
    into = enrolled.installation

    def act(bulk: int, actor: str = "cli:anna", scenario: str = "login") -> str:
        return retire_scenario(
            scenario,
            data=into.data,
            approvals=into.approvals,
            lifecycle=into.lifecycle,
            bulk=bulk,
            tenant=DEFAULT_TENANT,
            actor=actor,
        ).state

    return act


def test_few_take_one_person(retire: Retire) -> None:
    assert retire(bulk=2) == "retired"


def test_many_take_two_and_it_counts_once(enrolled: Service, retire: Retire) -> None:
    """R52: neither alone, and nothing is retired while it waits."""
    into = enrolled.installation
    for _ in range(2):
        with pytest.raises(ApprovalRequired, match="second person"):
            retire(bulk=1)
    with into.data.begin() as conn:
        assert into.scenarios.get(conn, DEFAULT_TENANT, "login").state == "active"
        (asked,) = into.approvals.list(conn, tenant=DEFAULT_TENANT)
        into.approvals.approve(conn, asked.approval_id, tenant=DEFAULT_TENANT, actor="cli:ben")
    assert retire(bulk=1) == "retired"
    assert retire(bulk=1) == "retired", "again changes nothing"
    with into.data.read() as conn:
        assert into.approvals.get(conn, asked.approval_id, tenant=DEFAULT_TENANT).state == "used"


def test_what_is_not_there_is_not_asked_for(enrolled: Service, retire: Retire) -> None:
    with pytest.raises(UnknownScenario):
        retire(bulk=1, scenario="none")
    with enrolled.installation.data.read() as conn:
        assert enrolled.installation.approvals.list(conn, tenant=DEFAULT_TENANT) == ()
