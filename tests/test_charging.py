"""What a try costs, through the whole of a session: accounts, devices, networks, searches (R10 to R13)."""

import pytest
from sqlalchemy import select

from faceauth.audit.events import Event
from faceauth.db.attempt_tables import place_attempts
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import Locked
from faceauth.identity.limits import PLACES
from faceauth.identity.places import Client
from faceauth.sessions import OpenedSession
from faceauth.types import Purpose
from tests.service import BLUE, RED, Service


def open_from(
    service: Service,
    account: str | None = "anna",
    *,
    device: str = "cookie-1",
    purpose: Purpose = "verify",
    veiled: bool = False,
) -> OpenedSession:
    """Open a session that the application says comes from a device."""
    return service.installation.desk.open(
        tenant=DEFAULT_TENANT,
        purpose=purpose,
        scenario="login",
        account=account,
        reauthenticated_at=service.clock(),
        actor="test",
        veiled=veiled,
        client=Client(device=device),
    )


def tries(service: Service) -> list[int]:
    with service.installation.data.read() as conn:
        return list(conn.scalars(select(place_attempts.c.tries)))


def test_a_device_that_goes_from_account_to_account_is_stopped(enrolled: Service) -> None:
    """And so is its next one for somebody who never failed; another device is not."""
    for number in range(PLACES.device.verify):
        assert enrolled.post(open_from(enrolled, f"guess-{number}", veiled=True)).state == "denied"
    with pytest.raises(Locked, match="device"):
        open_from(enrolled)
    opened = open_from(enrolled, veiled=True)
    assert enrolled.post(opened, RED).state == "denied"
    assert enrolled.reason(opened) == ("denied", "locked")
    assert enrolled.post(open_from(enrolled, device="cookie-2"), RED).state == "accepted"


def test_a_success_costs_nothing_and_a_failure_one(enrolled: Service) -> None:
    for _ in range(3):
        assert enrolled.post(open_from(enrolled), RED).state == "accepted"
    assert tries(enrolled) == [0]
    assert enrolled.post(open_from(enrolled), BLUE).state == "denied"
    assert tries(enrolled) == [1]


def test_who_is_locked_out_is_still_counted_for_the_device(enrolled: Service) -> None:
    with enrolled.installation.data.begin() as conn:
        for _ in range(10):
            enrolled.installation.attempts.charge(conn, tenant=DEFAULT_TENANT, account="anna", pad=True)
    assert enrolled.post(open_from(enrolled, veiled=True)).state == "denied"
    assert tries(enrolled) == [1]


def test_enrolling_costs_nothing(enrolled: Service) -> None:
    assert enrolled.post(open_from(enrolled, purpose="enrol"), RED).state == "accepted"
    assert tries(enrolled) == []


def test_the_last_failure_is_audited_once(enrolled: Service) -> None:
    """R10: face login is off, the log says so, and another factor brings it back."""
    into = enrolled.installation
    with into.data.begin() as conn:
        for _ in range(99):
            enrolled.clock.forward(3600)
            into.attempts.charge(conn, tenant=DEFAULT_TENANT, account="anna", pad=True)
    enrolled.clock.forward(3600)
    for _ in range(2):
        assert enrolled.post(open_from(enrolled, veiled=True), BLUE).state == "denied"
    with into.data.read() as conn:
        told = [one.event for one in into.audit.activity(conn, DEFAULT_TENANT, "anna")]
    assert told.count(Event.FACE_LOGIN_DISABLED) == 1
