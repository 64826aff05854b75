"""Whom an incident reached, on faces that were enrolled: by window, scenario, model and key version (R54)."""

import json
from datetime import timedelta
from typing import Any

import pytest

from faceauth.audit import register
from faceauth.consent.names import masked
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import InvalidRequest
from faceauth.incidents import Incidents, Scope
from faceauth.outbox.endpoints import Endpoints
from faceauth.outbox.messages import Outbox
from tests.service import BLUE, ColourEmbedder, Service

HOUR = 3600


@pytest.fixture
def desk(enrolled: Service) -> Incidents:
    """A register over an installation in which Anna is enrolled."""
    return Incidents.of(enrolled.installation)


def reached(service: Service, desk: Incidents, hours: tuple[float, float], **scope: Any) -> list[str | None]:
    """Return whom a window reaches, in hours from now."""
    since, until = (service.clock.now + timedelta(hours=one) for one in hours)
    wanted = Scope(**({"reach": "stored"} | scope), since=since, until=until)
    opened = desk.open(
        tenant=DEFAULT_TENANT,
        title="t",
        nature="n",
        risk="risk",
        aware_at=service.clock.now,
        scope=wanted,
        actor="test",
    )
    found = desk.affected(opened.incident_id, tenant=DEFAULT_TENANT)
    return [one.account for one in found]


def test_a_stored_face_counts_until_it_is_erased(enrolled: Service, desk: Incidents) -> None:
    enrolled.clock.forward(10 * HOUR)
    assert reached(enrolled, desk, (-5, -1)) == ["anna"]
    assert reached(enrolled, desk, (-20, -15)) == [], "before it was stored"
    enrolled.withdraw()
    enrolled.clock.forward(10 * HOUR)
    assert reached(enrolled, desk, (-15, -12)) == ["anna"], "it was there then"
    assert reached(enrolled, desk, (-5, 0)) == [], "it was gone by then"
    assert reached(enrolled, desk, (-15, -12), scenario="door") == []
    assert reached(enrolled, desk, (-15, -12), scenario="login") == ["anna"]


def test_a_face_counts_as_used_only_when_it_was(enrolled: Service, desk: Incidents) -> None:
    enrolled.clock.forward(10 * HOUR)
    assert reached(enrolled, desk, (-5, 1), reach="used") == []
    assert enrolled.post(enrolled.open("verify")).state == "accepted"
    assert reached(enrolled, desk, (-5, 1), reach="used") == ["anna"]


def test_a_model_or_a_key_version_narrows_and_who_left_stays_counted(enrolled: Service, desk: Incidents) -> None:
    keyring = enrolled.installation.keyring
    enrolled.agree("ben")
    assert enrolled.post(enrolled.open("enrol", "ben"), BLUE).state == "accepted"
    enrolled.withdraw("ben")
    enrolled.clock.forward(HOUR)
    window = (-5, 1)
    ours, theirs = ColourEmbedder.model_digest.hex(), (b"x" * 32).hex()
    assert sorted(map(str, reached(enrolled, desk, window, model_digest=ours))) == ["anna", "ben"]
    assert reached(enrolled, desk, window, model_digest=theirs) == ["ben"], "nobody can tell any more"
    assert reached(enrolled, desk, window, key_version=keyring.active, model_digest=ours).count("anna") == 1
    assert "anna" not in reached(enrolled, desk, window, key_version=keyring.active + 1)


def test_the_names_go_out_once_and_to_two_people_only(enrolled: Service, desk: Incidents) -> None:
    """R52."""
    enrolled.clock.forward(HOUR)
    opened = desk.open(
        tenant=DEFAULT_TENANT,
        title="t",
        nature="n",
        risk="high",
        aware_at=enrolled.clock.now,
        scope=Scope(reach="stored", since=enrolled.clock.now - timedelta(hours=2), until=enrolled.clock.now),
        actor="cli:anna",
    )
    asked, names = desk.recipients(opened.incident_id, tenant=DEFAULT_TENANT, actor="cli:anna")
    assert (asked.told, names) == (None, ())
    with enrolled.installation.data.begin() as conn:
        enrolled.installation.approvals.approve(
            conn, asked.approval.approval_id, tenant=DEFAULT_TENANT, actor="cli:ben"
        )
    assert desk.recipients(opened.incident_id, tenant=DEFAULT_TENANT, actor="cli:anna")[1] == ("anna",)
    assert desk.recipients(opened.incident_id, tenant=DEFAULT_TENANT, actor="cli:anna")[1] == ()


def test_each_person_is_told_once_in_their_language(enrolled: Service, desk: Incidents) -> None:
    """R54: notices go into the outbox; telling the same again adds nothing."""
    into, clock = enrolled.installation, enrolled.clock
    opened = desk.open(
        tenant=DEFAULT_TENANT,
        title="t",
        nature="n",
        risk="high",
        aware_at=clock.now,
        scope=Scope(reach="stored", since=clock.now - timedelta(hours=1), until=clock.now + timedelta(hours=1)),
        actor="test",
    )

    def tell() -> int:
        texts = {"en": "A disk was lost.", "zh": "丢失了一块磁盘。"}
        return desk.tell(
            opened.incident_id, tenant=DEFAULT_TENANT, texts=texts, elsewhere=False, actor="test"
        ).people

    with pytest.raises(InvalidRequest, match="faceauth webhook add"):
        tell()
    with into.data.begin() as conn:
        into.accounts.ensure(conn, tenant=DEFAULT_TENANT, account="anna", locale="zh-Hans", now=clock())
        place = {"endpoint_id": "e", "tenant": DEFAULT_TENANT, "url": "https://shop.example/hook"}
        Endpoints().add(conn, **place, salt=b"s" * 32, now=clock())
    assert tell() == tell() == 1
    with into.data.begin() as conn:
        (message,) = Outbox().claim(conn, now=clock(), lease=timedelta(minutes=1), most=10)
        assert len(register.notices_of(conn, opened.incident_id)) == 1
    told = json.loads(message.body)["data"]
    assert (told["account_id"], told["locale"], told["text"]) == ("anna", "zh", "丢失了一块磁盘。")
    assert (told["incident_id"], message.account) == (opened.incident_id, "anna")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("anna@example.com", "a***@example.com"),
        ("anna", "a***"),
        ("a@example.com", "***@example.com"),
        ("7", "***"),
    ],
)
def test_a_name_is_shown_in_disguise(name: str, shown: str) -> None:
    """Issue 6, item 8: desensitised wherever an administrator sees an account."""
    assert masked(name) == shown
