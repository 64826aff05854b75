"""People are asked, reminded and, if they stay silent, suspended or erased; nobody answers for them."""

from typing import Any

import pytest
from sqlalchemy import func, select

from faceauth.asking import Asking
from faceauth.audit.events import Event
from faceauth.campaigns import Campaigns
from faceauth.consent.campaigns import CampaignStore, Progress
from faceauth.consent.request import Affirmation, ConsentRequest
from faceauth.db.campaign_tables import campaign_members
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import ConsentRequired, StorageError
from faceauth.outbox.messages import Outbox
from faceauth.vault.erasure import Erasure
from tests.campaigning import (
    DAY,
    T,
    approved,
    asked_by,
    begin,
    deliver,
    events,
    messages,
    progress,
    publish,
    references,
)
from tests.crowd import agree_all, answer_some, timed
from tests.service import Service, failing

__all__ = ["asked_by"]


def test_a_login_that_meets_a_question_fails_though_the_consent_is_fresh(asked_by: Service) -> None:
    """R33, R34: also one that was opened before the question was put."""
    opened = asked_by.open("verify")
    campaign = begin(asked_by)
    assert asked_by.post(asked_by.open("verify")).state == "accepted", "nobody was asked yet"
    Asking.of(asked_by.installation).run()
    assert asked_by.post(opened).state == "denied"
    assert asked_by.reason(opened) == ("denied", "consent_required")
    Campaigns.of(asked_by.installation).cancel(campaign_id=campaign.campaign_id, actor="cli:ann", **T)
    assert asked_by.post(asked_by.open("verify")).state == "accepted", "what was taken back asks for nothing"


def test_silence_suspends_and_erases_nothing(asked_by: Service) -> None:
    """R34: an answer later opens the gate again."""
    campaign, asking = begin(asked_by), Asking.of(asked_by.installation)
    asking.run()
    deliver(asked_by)
    asked_by.clock.forward(10 * DAY)
    done = asking.run()
    assert (done.suspended, done.erased, done.closed) == (1, 0, [campaign.campaign_id])
    assert references(asked_by)
    with pytest.raises(ConsentRequired):
        asked_by.open("verify")
    closed, counts = Campaigns.of(asked_by.installation).view(campaign_id=campaign.campaign_id, **T)
    assert (closed.state, counts) == ("closed", Progress(1, asked=1, suspended=1))
    assert closed.report is not None
    assert closed.report["undelivered"] == 0
    assert messages(asked_by)[-1]["type"] == "campaign.closed"
    assert messages(asked_by)[-1]["data"]["suspended"] == 1
    assert {Event.CONSENT_SUSPENDED, Event.CAMPAIGN_CLOSED} <= set(events(asked_by))

    asked_by.agree()
    assert asked_by.post(asked_by.open("verify")).state == "accepted"
    asking.run()
    with asked_by.installation.data.read() as conn:
        assert conn.scalar(select(func.count()).select_from(campaign_members)) == 0, "nobody is remembered longer"


def test_who_never_got_the_question_is_not_erased_for_silence(asked_by: Service) -> None:
    """The message is still in the outbox, or was given up: suspended at most."""
    campaign, asking = approved(asked_by), Asking.of(asked_by.installation)
    asking.run()
    asked_by.clock.forward(10 * DAY)
    done = asking.run()
    assert (done.erased, done.suspended) == (0, 1)
    assert references(asked_by)
    report = Campaigns.of(asked_by.installation).view(campaign_id=campaign.campaign_id, **T)[0].report
    assert report is not None
    assert (report["suspended"], report["undelivered"]) == (1, 1)


def test_who_was_never_asked_loses_nothing(asked_by: Service) -> None:
    """The service was down from the beginning to the deadline."""
    campaign = approved(asked_by)
    asked_by.clock.forward(11 * DAY)
    done = Asking.of(asked_by.installation).run()
    assert (done.asked, done.erased, done.suspended, done.closed) == (0, 0, 0, [campaign.campaign_id])
    assert asked_by.post(asked_by.open("verify")).state == "accepted"
    assert progress(asked_by, campaign) == Progress(1, waiting=1)


def test_who_answers_at_the_last_moment_keeps_the_face(asked_by: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at who is silent and the erasure anything may happen: each is looked at again."""
    campaign, asking = approved(asked_by), Asking.of(asked_by.installation)
    asking.run()
    deliver(asked_by)
    asked_by.clock.forward(10 * DAY)
    look = CampaignStore.unsettled

    def look_and_answer(store: CampaignStore, *arguments: Any, **more: Any) -> Any:
        found = look(store, *arguments, **more)
        if found:
            asked_by.agree()
        return found

    monkeypatch.setattr(CampaignStore, "unsettled", look_and_answer)
    done = asking.run()
    assert (done.erased, done.closed) == (0, [campaign.campaign_id])
    assert progress(asked_by, campaign) == Progress(1, asked=1, given=1)
    assert asked_by.post(asked_by.open("verify")).state == "accepted"


def test_an_erasure_that_is_cut_short_leaves_the_campaign_open(
    asked_by: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R40: it was written down, is resumed, and the next round closes the campaign."""
    campaign, asking = approved(asked_by), Asking.of(asked_by.installation)
    asking.run()
    deliver(asked_by)
    asked_by.clock.forward(10 * DAY)
    with monkeypatch.context() as broken:
        broken.setattr(Erasure, "run", failing(StorageError("The disk is full.")))
        done = asking.run()
    assert (done.erased, done.failed, done.closed) == (0, 1, [])
    asked_by.installation.erasure.resume()
    assert references(asked_by) == 0
    assert asking.run().closed == [campaign.campaign_id]
    assert progress(asked_by, campaign) == Progress(1, asked=1, erased=1)


def test_a_no_is_an_answer(asked_by: Service) -> None:
    """R36: whoever says no to what they had agreed to withdraws, which erases at once."""
    campaign, asking = begin(asked_by), Asking.of(asked_by.installation)
    asking.run()
    asked_by.withdraw()
    assert references(asked_by) == 0
    assert progress(asked_by, campaign) == Progress(1, asked=1, refused=1)
    asked_by.clock.forward(10 * DAY)
    assert (asking.run().suspended, progress(asked_by, campaign).refused) == (0, 1)


@pytest.mark.parametrize(("on_deadline", "kept"), [("suspend", 1), ("erase", 0)])
def test_a_no_to_the_new_text_is_counted_and_opens_nothing(asked_by: Service, on_deadline: str, kept: int) -> None:
    """R34, R36: no reminder to whoever said it; the deadline's action is theirs as well, as nobody agreed."""
    publish(asked_by, material=False)
    campaign = approved(asked_by) if on_deadline == "erase" else begin(asked_by)
    stored = references(asked_by)
    asking = Asking.of(asked_by.installation)
    asking.run()
    deliver(asked_by)
    asked_by.refuse()
    assert progress(asked_by, campaign) == Progress(1, asked=1, refused=1)
    with pytest.raises(ConsentRequired):
        asked_by.open("verify")
    asked_by.clock.forward(8 * DAY)
    assert asking.run().reminded == 0

    asked_by.clock.forward(2 * DAY)
    done = asking.run()
    assert (done.suspended, done.erased, done.closed) == (kept, 1 - kept, [campaign.campaign_id])
    assert references(asked_by) == kept * stored
    assert progress(asked_by, campaign) == Progress(1, asked=1, refused=1)
    asking.run()
    with pytest.raises(ConsentRequired):
        asked_by.open("verify")

    asked_by.agree()
    if kept:
        assert asked_by.post(asked_by.open("verify")).state == "accepted"
    asking.run()
    with asked_by.installation.data.read() as conn:
        assert conn.scalar(select(func.count()).select_from(campaign_members)) == 0


def test_a_no_to_the_same_text_asked_again_is_an_answer(asked_by: Service) -> None:
    """R34: also where nothing was published; what is taken back afterwards leaves the yes as it was."""
    campaign = begin(asked_by)
    Asking.of(asked_by.installation).run()
    asked_by.refuse()
    assert progress(asked_by, campaign).refused == 1
    Campaigns.of(asked_by.installation).cancel(campaign_id=campaign.campaign_id, actor="cli:ann", **T)
    assert asked_by.post(asked_by.open("verify")).state == "accepted"


def test_a_yes_to_an_older_text_is_no_answer(asked_by: Service) -> None:
    """R34: the ledger may still take it, where nothing of substance changed; the question stays."""
    publish(asked_by, material=False)
    campaign = begin(asked_by)
    Asking.of(asked_by.installation).run()
    into = asked_by.installation
    with into.data.begin() as conn:
        first = into.notices.version(conn, DEFAULT_TENANT, "login", 1)
    yes = Affirmation("checkbox", checked_by_default=False, text="Yes, with my face")
    request = ConsentRequest("login", 1, first.texts["en"].sha256, "en", "given", yes)
    into.lifecycle.record_consent(account="anna", request=request, actor="test", **T)
    assert progress(asked_by, campaign).pending == 1
    with pytest.raises(ConsentRequired):
        asked_by.open("verify")
    asked_by.agree()
    assert progress(asked_by, campaign).given == 1


def test_reminders_go_to_the_silent_at_their_time(asked_by: Service) -> None:
    asked_by.agree("ben")
    begin(asked_by, days=10, remind_days=(7, 1))
    asking = Asking.of(asked_by.installation)
    assert asking.run().asked == 2
    asked_by.agree("ben")
    asked_by.clock.forward(3 * DAY)
    assert asking.run().reminded == 1
    assert asking.run().reminded == 0
    asked_by.clock.forward(6 * DAY)
    assert asking.run().reminded == 1
    kinds = [(one["type"], one["data"]["account_id"]) for one in messages(asked_by)]
    assert sorted(kinds) == [
        ("consent.reminder", "anna"),
        ("consent.reminder", "anna"),
        ("consent.requested", "anna"),
        ("consent.requested", "ben"),
    ]


def test_who_is_asked_late_is_not_reminded_at_once(asked_by: Service) -> None:
    begin(asked_by, days=2, remind_days=(7, 1))
    asking = Asking.of(asked_by.installation)
    assert (asking.run().reminded, asking.run().reminded) == (0, 0)
    asked_by.clock.forward(DAY)
    assert asking.run().reminded == 1


@pytest.mark.parametrize("people", [1_000, pytest.param(100_000, marks=pytest.mark.soak)])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_many_people(asked_by: Service, people: int) -> None:
    """A campaign from beginning to end; the measured figures are in docs/campaigns.md."""
    agree_all(asked_by, people)
    campaign, asking = begin(asked_by), Asking.of(asked_by.installation)
    with timed("asking", people):
        assert asking.run().asked == people + 1
    given = answer_some(asked_by, range(0, people, max(10, people // 1_000)))
    with timed("counting", people):
        assert progress(asked_by, campaign) == Progress(
            people + 1, asked=people + 1, given=given, pending=people + 1 - given
        )
    asked_by.clock.forward(4 * DAY)
    with timed("reminding", people):
        assert asking.run().reminded == people + 1 - given
    asked_by.clock.forward(6 * DAY)
    with timed("closing", people):
        done = asking.run()
    assert (done.suspended, done.closed) == (people + 1 - given, [campaign.campaign_id])
    with timed("a round afterwards", people):
        asking.run()
    with asked_by.installation.data.read() as conn:
        assert Outbox().counts(conn, **T)["pending"] == 2 * (people + 1) - given + 1
