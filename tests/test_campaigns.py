"""Campaigns: who is asked is who was meant, two people stand behind an erasure, and what is wrong is told."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from faceauth.asking import Asking
from faceauth.audit.events import Event
from faceauth.campaigns import Campaigns
from faceauth.consent.audience import Audience
from faceauth.consent.campaigns import Progress
from faceauth.db.schema import tombstones
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import AlreadyExists, ConsentRequired, InvalidRequest, UnknownCampaign, UnknownScenario
from faceauth.vault.erasure import Erasure
from tests.campaigning import (
    DAY,
    T,
    asked_by,
    begin,
    deliver,
    events,
    messages,
    progress,
    publish,
    question,
    references,
)
from tests.service import Service

__all__ = ["asked_by"]


def test_a_material_change_is_asked_about_and_answered(asked_by: Service) -> None:
    """R34: the question reaches the application, the gate is shut until the person says yes, and opens then."""
    version = publish(asked_by)
    campaigns = Campaigns.of(asked_by.installation)
    old = Audience(version_below=version)
    preview = campaigns.preview(question=question(asked_by, audience=old), **T)
    assert (preview.people, preview.by_version, preview.notice_version) == (1, {version - 1: 1}, version)
    campaign = begin(asked_by, audience=old)
    assert progress(asked_by, campaign) == Progress(1, waiting=1)

    assert Asking.of(asked_by.installation).run().asked == 1
    (told,) = messages(asked_by)
    assert told["type"] == "consent.requested"
    assert set(told["data"]) == {"account_id", "scenario", "campaign_id", "deadline", "on_deadline", "notice"}
    assert told["data"]["notice"]["version"] == version
    assert set(told["data"]["notice"]["sha256"]) == {"en", "zh"}
    assert progress(asked_by, campaign) == Progress(1, asked=1, pending=1)
    with pytest.raises(ConsentRequired):
        asked_by.open("verify")

    asked_by.agree()
    assert progress(asked_by, campaign) == Progress(1, asked=1, given=1)
    assert asked_by.post(asked_by.open("verify")).state == "accepted"
    assert {Event.CAMPAIGN_CREATED, Event.CONSENT_REQUESTED} <= set(events(asked_by))
    assert not Asking.of(asked_by.installation).run().anything, "nobody is asked twice"


def test_erasing_takes_two_people_and_then_erases_the_silent(asked_by: Service) -> None:
    """R52: the first call asks, another approves, the same call begins. R40: with a receipt that says why."""
    campaigns, approvals = Campaigns.of(asked_by.installation), asked_by.installation.approvals
    wanted = question(asked_by, on_deadline="erase")
    asked = campaigns.begin(question=wanted, actor="cli:ann", **T)
    assert asked.campaign is None
    assert asked.approval is not None
    assert campaigns.begin(question=wanted, actor="cli:ann", **T).campaign is None, "asking again approves nothing"
    with asked_by.installation.data.begin() as conn:
        approvals.approve(conn, asked.approval.approval_id, actor="cli:ben", **T)
    other = question(asked_by, on_deadline="erase", audience=Audience(version_below=9))
    assert campaigns.begin(question=other, actor="cli:ann", **T).campaign is None, "another act was approved"
    campaign = campaigns.begin(question=wanted, actor="cli:ann", **T).campaign
    assert campaign is not None

    asking = Asking.of(asked_by.installation)
    asking.run()
    deliver(asked_by)
    asked_by.clock.forward(10 * DAY)
    done = asking.run()
    assert (done.erased, done.suspended, done.closed) == (1, 0, [campaign.campaign_id])
    assert references(asked_by) == 0
    assert progress(asked_by, campaign) == Progress(1, asked=1, erased=1)
    with asked_by.installation.data.read() as conn:
        assert conn.execute(select(tombstones.c.reason, tombstones.c.state)).all() == [
            ("campaign_deadline", "done")
        ]
        history = asked_by.installation.ledger.history(conn, account="anna", **T)
    assert [one.state for one in history] == ["given", "expired"]
    asked_by.agree()
    assert asked_by.post(asked_by.open("enrol")).state == "accepted"


def test_a_new_purpose_is_asked_of_those_who_agreed_to_another(asked_by: Service) -> None:
    """R34: silence leaves them without the new one, and what they had stays as it is."""
    into = asked_by.installation
    with into.data.begin() as conn:
        into.scenarios.create(
            conn,
            scenario="payment",
            mode="verify",
            titles={"en": "Payment"},
            retention_days=30,
            liveness_profile="motion",
            notices={"en": "# Payment"},
            now=asked_by.clock(),
            tenant=DEFAULT_TENANT,
        )
    asked_by.agree("ben")
    asked_by.agree("ben", "payment")
    campaign = begin(asked_by, scenario="payment", audience=Audience(consented_to="login"))
    assert campaign.chosen == 1, "ben has answered already"
    asking = Asking.of(into)
    asking.run()
    assert asked_by.post(asked_by.open("verify")).state == "accepted", "login was not asked about"
    asked_by.clock.forward(10 * DAY)
    done = asking.run()
    assert (done.suspended, done.erased, len(done.closed)) == (0, 0, 1)
    assert progress(asked_by, campaign) == Progress(1, asked=1, pending=1)
    assert asked_by.post(asked_by.open("verify")).state == "accepted"


def test_the_last_use_chooses(asked_by: Service) -> None:
    """A use is a login; before the first one, it is the consent."""
    asked_by.agree("ben")
    asked_by.clock.forward(20 * DAY)
    assert asked_by.post(asked_by.open("verify")).state == "accepted"
    lately = asked_by.clock() - timedelta(days=1)
    campaigns = Campaigns.of(asked_by.installation)

    def people(audience: Audience) -> int:
        return campaigns.preview(question=question(asked_by, audience=audience), **T).people

    assert people(Audience()) == 2
    assert people(Audience(active_since=lately)) == 1
    assert people(Audience(inactive_since=lately)) == 1
    assert people(Audience(inactive_since=lately - timedelta(days=30))) == 0
    assert begin(asked_by, audience=Audience(active_since=lately)).chosen == 1
    Asking.of(asked_by.installation).run()
    assert messages(asked_by)[0]["data"]["account_id"] == "anna"


def test_who_is_being_erased_is_not_asked(asked_by: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row that references lean on outlives the consent until the erasure has deleted it."""
    monkeypatch.setattr(Erasure, "run", lambda *_: (_ for _ in ()).throw(RuntimeError))
    with pytest.raises(RuntimeError):
        asked_by.withdraw()
    assert Campaigns.of(asked_by.installation).preview(question=question(asked_by), **T).people == 0


def test_closing_the_account_takes_its_question_and_its_message(asked_by: Service) -> None:
    """R37."""
    asked_by.agree("ben")
    campaign = begin(asked_by)
    Asking.of(asked_by.installation).run()
    asked_by.installation.lifecycle.close_account(account="ben", actor="test", **T)
    assert progress(asked_by, campaign) == Progress(2, asked=1, pending=1, gone=1)
    assert {one["data"]["account_id"] for one in messages(asked_by)} == {"anna"}


def test_what_cannot_be_begun_is_told(asked_by: Service) -> None:
    campaigns = Campaigns.of(asked_by.installation)

    def refused(error: type[Exception], **more: Any) -> None:
        with pytest.raises(error):
            campaigns.begin(question=question(asked_by, **more), actor="cli:ann", **T)

    refused(InvalidRequest, days=-1)
    refused(InvalidRequest, days=366)
    refused(InvalidRequest, remind_days=(0,))
    refused(InvalidRequest, audience=Audience(version_below=1))
    refused(InvalidRequest, audience=Audience(version_below=0))
    refused(UnknownScenario, audience=Audience(consented_to="nothing"))
    refused(UnknownScenario, scenario="nothing")
    begin(asked_by)
    refused(AlreadyExists)
    with pytest.raises(UnknownCampaign):
        campaigns.view(campaign_id="campaign_1", **T)
    with pytest.raises(UnknownCampaign):
        campaigns.cancel(campaign_id="campaign_1", actor="cli:ann", **T)


def test_without_an_endpoint_nobody_could_be_asked(enrolled: Service) -> None:
    with pytest.raises(InvalidRequest, match="webhook"):
        Campaigns.of(enrolled.installation).begin(question=question(enrolled), actor="cli:ann", **T)


def test_taking_back_twice_changes_nothing(asked_by: Service) -> None:
    campaign, campaigns = begin(asked_by), Campaigns.of(asked_by.installation)
    Asking.of(asked_by.installation).run()
    first = campaigns.cancel(campaign_id=campaign.campaign_id, actor="cli:ann", **T)
    assert first == campaigns.cancel(campaign_id=campaign.campaign_id, actor="cli:ann", **T)
    assert (first[0].state, first[1]) == ("cancelled", Progress(1, asked=1, pending=1))
    assert [one.campaign_id for one, _ in campaigns.list(**T)] == [campaign.campaign_id]
