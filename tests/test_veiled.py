"""Veiled sessions: opened whatever is in the way, denied in the end, and the backend alone learns why (R25)."""

from datetime import datetime

import pytest

from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import InvalidRequest, UnknownScenario
from faceauth.sessions import OpenedSession
from faceauth.types import Purpose
from tests.service import RED, Service


def veiled(
    service: Service, account: str | None = "anna", purpose: Purpose = "verify", scenario: str = "login"
) -> OpenedSession:
    """Open a veiled session."""
    at: datetime = service.clock()
    return service.installation.desk.open(
        tenant=DEFAULT_TENANT,
        purpose=purpose,
        scenario=scenario,
        account=account,
        reauthenticated_at=at,
        actor="test",
        veiled=True,
    )


def test_only_who_may_log_in_is_accepted(service: Service) -> None:
    """The account that agreed and is enrolled gets in; the veil changes nothing for it."""
    service.agree()
    service.post(service.open("enrol"))
    opened = veiled(service)
    assert service.post(opened, RED).state == "accepted"
    assert service.reason(opened) == ("accepted", None)


def test_nobody_else_is_and_the_backend_learns_why(service: Service) -> None:
    """R25: unknown, without consent, not enrolled, locked: the device is denied, as for another face."""
    service.agree("carla")
    service.agree("dora")
    service.post(service.open("enrol", "dora"))
    for _ in range(10):
        service.post(veiled(service, "dora"), (80, 80, 190))
    found = {}
    for account in ("nobody", "carla", "dora"):
        opened = veiled(service, account)
        assert service.post(opened).state == "denied"
        found[account] = service.reason(opened)
    assert found == {
        "nobody": ("denied", "unknown_account"),
        "carla": ("denied", "not_enrolled"),
        "dora": ("denied", "locked"),
    }


def test_what_was_withheld_stays_so(service: Service) -> None:
    """Agreeing after the session was opened opens no door: the reason it was opened with stands."""
    opened = veiled(service)
    service.agree()
    service.post(service.open("enrol"))
    assert service.post(opened).state == "denied"
    assert service.reason(opened) == ("denied", "unknown_account")


def test_the_backends_own_mistakes_are_told_at_once(service: Service) -> None:
    with pytest.raises(InvalidRequest, match="account_id"):
        veiled(service, None)
    with pytest.raises(InvalidRequest, match="verifies"):
        veiled(service, purpose="enrol")
    with pytest.raises(UnknownScenario):
        veiled(service, scenario="none")
