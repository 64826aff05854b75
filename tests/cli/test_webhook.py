"""`faceauth webhook` and `faceauth campaign`, as an operator uses them, from an endpoint to a question."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from typer.testing import Result

from faceauth.cli import campaign as campaign_command
from faceauth.clock import system_clock
from faceauth.consent.audience import Audience
from faceauth.consent.campaigns import CampaignStore
from faceauth.db.engine import Database
from faceauth.db.schema import accounts, live_consents
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.installation import create_installation, databases
from faceauth.outbox.messages import Outbox
from faceauth.settings import load_settings
from tests.outbox.receiver import Receiver, receiving

Cli = Callable[..., Result]


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """An installation without models, and a receiver it may send to."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACEAUTH_DATA_DIR", str(tmp_path / "data"))
    for name, value in (("ALLOW", '["127.0.0.1"]'), ("PRIVATE", "true"), ("HTTP", "true"), ("TRIES", "1")):
        monkeypatch.setenv(f"FACEAUTH_WEBHOOKS__{name}", value)
    create_installation(load_settings())
    with receiving() as one:
        yield one


@pytest.fixture
def data(receiver: Receiver) -> Iterator[Database]:
    assert receiver.port
    both = databases(load_settings())
    yield both[0]
    for one in both:
        one.dispose()


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def put(data: Database, key: str = "1") -> None:
    with data.begin() as conn:
        told = {"scenario": "login"}
        Outbox().put(conn, tenant=DEFAULT_TENANT, kind="consent.requested", key=key, data=told, now=system_clock())


def test_an_endpoint_from_adding_to_removing(cli: Cli, receiver: Receiver, data: Database) -> None:
    added = answer(cli("webhook", "add", receiver.url, "--json"))
    assert added["secret"].startswith("whsec_")
    listed = cli("webhook", "list")
    assert added["endpoint_id"] in listed.stdout
    assert "whsec_" not in listed.output, "the secret is shown once"
    assert answer(cli("webhook", "list", "--json"))["messages"] == {"pending": 0, "delivered": 0, "dead": 0}

    receiver.answers += [500]
    put(data)
    assert answer(cli("webhook", "deliver", "--json")) == {"delivered": 0, "again": 0, "dead": 1}
    (dead,) = answer(cli("webhook", "messages", "--state", "dead", "--json"))
    assert (dead["problem"], dead["tries"]) == ("http_500", 1)
    assert dead["message_id"] in cli("webhook", "messages").stdout
    assert "1 to be delivered again" in cli("webhook", "replay").stderr
    assert "Delivered: 1." in cli("webhook", "deliver").stderr
    assert [headers["webhook-id"] for headers, _ in receiver.got] == [dead["message_id"]] * 2

    rotated = cli("webhook", "rotate", added["endpoint_id"], "--overlap", "1")
    assert rotated.stdout.startswith("whsec_")
    assert rotated.stdout.strip() != added["secret"]
    assert answer(cli("webhook", "replay", dead["message_id"], "--json")) == {"replayed": 1}
    assert answer(cli("webhook", "deliver", "--json"))["delivered"] == 1
    assert len(receiver.got[-1][0]["webhook-signature"].split()) == 2, "the old secret signs as well"

    put(data, "2")
    assert answer(cli("webhook", "remove", added["endpoint_id"], "--json"))["dropped"] == 1
    assert answer(cli("webhook", "list", "--json"))["endpoints"] == []
    assert cli("audit", "verify").exit_code == 0


@pytest.mark.usefixtures("receiver")
@pytest.mark.parametrize(
    "call",
    [
        ("webhook", "add", "https://evil.example/hook"),
        ("webhook", "add", "hook"),
        ("webhook", "remove", "endpoint_0"),
        ("webhook", "messages", "--state", "lost"),
        ("campaign", "show", "campaign_0"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(cli: Cli, call: tuple[str, ...]) -> None:
    """R26: the first."""
    result = cli(*call)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.fixture
def campaign_id(data: Database) -> str:
    """A campaign that is to ask one person."""
    now, account = system_clock(), {"tenant": DEFAULT_TENANT, "account": "anna"}
    consent = {"scenario": "login", "consent_id": "consent_1", "notice_version": 1}
    dates = {"valid_until": now + timedelta(days=30), "granted_at": now}
    with data.begin() as conn:
        conn.execute(insert(accounts).values(**account, created_at=now))
        conn.execute(insert(live_consents).values(**account, **consent, **dates))
        made = CampaignStore().create(
            conn,
            campaign_id="campaign_1",
            tenant=DEFAULT_TENANT,
            scenario="login",
            notice_version=1,
            audience=Audience(version_below=2),
            deadline=now + timedelta(days=10),
            on_deadline="suspend",
            remind_days=(1,),
            created_by="apikey:key_1",
            now=now,
        )
    return made.campaign_id


def test_a_campaign_is_shown(cli: Cli, campaign_id: str) -> None:
    (listed,) = answer(cli("campaign", "list", "--json"))
    assert (listed["campaign_id"], listed["progress"]["waiting"]) == (campaign_id, 1)
    assert "0 of 1" in cli("campaign", "list").stdout
    shown = cli("campaign", "show", campaign_id).stdout
    assert "version_below 2" in shown
    assert "apikey:key_1" in shown
    assert answer(cli("campaign", "show", campaign_id, "--json")) == listed


def test_a_round_by_hand(cli: Cli, campaign_id: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The installation is opened without models here, which asking has no use for."""
    from faceauth.asking import Asking, Done  # noqa: PLC0415  for this test alone

    class Opened:
        def close(self) -> None:
            closed.append(True)

    closed: list[bool] = []
    done = Done(asked=1, closed=[campaign_id])
    monkeypatch.setattr(campaign_command, "open_installation", lambda *_, **__: Opened())
    monkeypatch.setattr(Asking, "of", classmethod(lambda *_: type("A", (), {"run": lambda *_: done})()))
    told = cli("campaign", "run")
    assert (told.exit_code, closed) == (0, [True])
    assert "asked: 1" in told.stderr
    assert campaign_id in told.stderr
    done.failed = 1
    assert cli("campaign", "run", "--json").exit_code == 1
    assert receiver.got == []
