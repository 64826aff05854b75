"""What tests of campaigns share: beginning one, and looking at what it did."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

import pytest
from sqlalchemy import func, select

from faceauth.campaigns import Campaigns, Question
from faceauth.consent.audience import Audience
from faceauth.consent.campaigns import Campaign, OnDeadline, Progress
from faceauth.db.schema import biometric_references
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.installation import Installation
from faceauth.outbox.endpoints import Endpoints
from faceauth.outbox.messages import Outbox
from tests.clocks import HandClock
from tests.service import Service

DAY = 86_400
T = {"tenant": DEFAULT_TENANT}


class Installed(Protocol):
    """A service under test, with HTTP or without."""

    installation: Installation
    clock: HandClock


def add_endpoint(service: Installed) -> None:
    """Add a place for messages that nothing is sent to."""
    with service.installation.data.begin() as conn:
        Endpoints().add(
            conn,
            endpoint_id="ep_1",
            tenant=DEFAULT_TENANT,
            url="https://shop.example/hook",
            salt=bytes(32),
            now=service.clock(),
        )


@pytest.fixture
def asked_by(enrolled: Service) -> Service:
    """A service with anna's face and a webhook endpoint."""
    add_endpoint(enrolled)
    return enrolled


def question(service: Service, *, days: float = 10, on_deadline: OnDeadline = "suspend", **more: Any) -> Question:
    audience = more.pop("audience", Audience())
    deadline = service.clock() + timedelta(days=days)
    made = {"scenario": "login", "audience": audience, "deadline": deadline, "on_deadline": on_deadline, **more}
    return Question(**made)


def begin(service: Service, **more: Any) -> Campaign:
    begun = Campaigns.of(service.installation).begin(question=question(service, **more), actor="cli:ann", **T)
    assert begun.campaign is not None
    return begun.campaign


def progress(service: Service, campaign: Campaign) -> Progress:
    return Campaigns.of(service.installation).view(campaign_id=campaign.campaign_id, **T)[1]


def messages(service: Service) -> list[dict[str, Any]]:
    with service.installation.data.read() as conn:
        found = Outbox().list(conn, tenant=DEFAULT_TENANT, most=10_000)
    return [json.loads(one.body) for one in reversed(found)]


def deliver(service: Service) -> None:
    """Say that every message arrived."""
    box, now = Outbox(), service.clock()
    with service.installation.data.begin() as conn:
        for one in box.claim(conn, now=now, lease=timedelta(1), most=10_000):
            box.delivered(conn, one, now=now)


def publish(service: Service, *, material: bool = True) -> int:
    into = service.installation
    with into.data.begin() as conn:
        texts = {"en": f"# Again\n{service.clock()}", "zh": f"# 再\n{service.clock()}"}
        made = into.notices.publish(
            conn, scenario="login", notices=texts, material=material, now=service.clock(), tenant=DEFAULT_TENANT
        )
    return made.version


def references(service: Service) -> int:
    with service.installation.data.read() as conn:
        return conn.scalar(select(func.count()).select_from(biometric_references)) or 0


def events(service: Service) -> Sequence[str]:
    with service.installation.data.read() as conn:
        assert service.installation.audit.verify(conn).intact
        return [one.event for one in service.installation.audit.records(conn, limit=500)]


def approved(service: Service) -> Campaign:
    """Begin a campaign that erases."""
    campaigns, wanted = Campaigns.of(service.installation), question(service, on_deadline="erase")
    asked = campaigns.begin(question=wanted, actor="cli:ann", **T)
    assert asked.approval is not None
    with service.installation.data.begin() as conn:
        service.installation.approvals.approve(conn, asked.approval.approval_id, actor="cli:ben", **T)
    begun = campaigns.begin(question=wanted, actor="cli:ann", **T).campaign
    assert begun is not None
    return begun
