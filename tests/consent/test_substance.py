"""What is material by rule: whatever the administrator says, such a change asks people again (R34)."""

from datetime import timedelta
from typing import Any

import pytest

from faceauth.consent.notices import Notice
from faceauth.consent.scenarios import ScenarioStore
from faceauth.consent.substance import UNRECORDED, Substance
from faceauth.errors import ConsentStale, InvalidRequest
from faceauth.sections import ConsentSettings
from tests.consent.story import ANN, TENANT, Story
from tests.databases import Databases

SHOP = ConsentSettings(controller="The shop", storage_place="Here")


@pytest.fixture
def story(database: Databases) -> Story:
    """A shop with a scenario that gives the data to a bank, and Ann."""
    story = Story(settings=SHOP)
    with database.data.begin() as conn:
        story.open(conn)
        story.scenarios.create(
            conn,
            tenant=TENANT,
            scenario="payment",
            mode="verify",
            titles={"en": "Confirm payments"},
            retention_days=90,
            liveness_profile="motion",
            notices={"en": "Your face confirms payments."},
            now=story.now,
            recipients=("The bank",),
        )
    return story


def published(database: Databases, story: Story, *, consent: ConsentSettings = SHOP, **changed: Any) -> Notice:
    """Publish the next notice, said to be immaterial."""
    facts: dict[str, Any] = {"notices": {"en": "In other words."}, "material": False} | changed
    with database.data.begin() as conn:
        return ScenarioStore(consent).publish_notice(
            conn, tenant=TENANT, scenario="payment", now=story.now, **facts
        )


def test_other_words_alone_are_not_material(database: Databases, story: Story) -> None:
    """R34: and nobody's consent changes by them."""
    with database.data.begin() as conn:
        story.agree(conn, "payment")
    notice = published(database, story)
    assert (notice.material, notice.because) == (False, ())
    with database.data.read() as conn:
        story.gate.ask(conn, tenant=TENANT, account=ANN, scenario="payment")


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        ("recipients", {"recipients": ("The bank", "A credit agency")}),
        ("recipients", {"recipients": ()}),
        ("purpose", {"titles": {"en": "Confirm payments and returns"}}),
        ("purpose", {"titles": {"en": "Confirm payments", "zh": "确认付款"}}),
        ("retention_days", {"retention_days": 91}),
        ("retention_days", {"retention_days": 30}),
        ("controller", {"consent": SHOP.model_copy(update={"controller": "Another company"})}),
        ("storage_place", {"consent": SHOP.model_copy(update={"storage_place": "A cloud"})}),
    ],
)
def test_a_change_of_substance_is_material_by_rule(
    database: Databases, story: Story, part: str, changed: dict[str, Any]
) -> None:
    """R34: said to be immaterial, it asks everyone again all the same."""
    with database.data.begin() as conn:
        story.agree(conn, "payment")
    notice = published(database, story, **changed)
    assert (notice.material, notice.because) == (True, (part,))
    with database.data.read() as conn, pytest.raises(ConsentStale):
        story.gate.ask(conn, tenant=TENANT, account=ANN, scenario="payment")


def test_nothing_slips_past_a_scheduled_change(database: Databases, story: Story) -> None:
    """R34: an editorial notice takes over what is scheduled before it, so it waits for it."""
    with database.data.begin() as conn:
        story.agree(conn, "payment")
    later = story.now + timedelta(days=30)
    scheduled = published(database, story, recipients=("The bank", "A credit agency"), effective_at=later)
    editorial = published(database, story)
    assert (editorial.material, editorial.effective_at) == (False, scheduled.effective_at)
    with pytest.raises(InvalidRequest, match="cannot come before it"):
        published(database, story, effective_at=story.now + timedelta(days=1))
    with database.data.begin() as conn:
        story.gate.ask(conn, tenant=TENANT, account=ANN, scenario="payment")
        story.later(days=30)
        with pytest.raises(ConsentStale):
            story.gate.ask(conn, tenant=TENANT, account=ANN, scenario="payment")


def test_another_method_is_another_substance() -> None:
    """A scenario's mode cannot change, but the rule knows it."""
    one, other = (Substance.of(SHOP, mode=mode, purpose={}, retention_days=1) for mode in ("verify", "identify"))
    assert other.changed_since(one) == ("method",)


def test_what_nobody_wrote_down_counts_as_changed() -> None:
    """A notice from before the rule: unclear is material."""
    assert Substance.of(SHOP, mode="verify", purpose={}, retention_days=1).changed_since(None) == (UNRECORDED,)


def test_what_is_left_out_stays(database: Databases, story: Story) -> None:
    first = published(database, story, retention_days=30, recipients=("The bank", "The post"))
    again = published(database, story)
    assert again.substance == first.substance
    assert again.because == ()


def test_a_consent_has_the_term_that_the_person_read(database: Databases, story: Story) -> None:
    """R39: agreeing before a longer term is in force does not give it, and rights are not reduced."""
    later = story.now.replace(day=20)
    published(database, story, retention_days=200, effective_at=later)
    with database.data.begin() as conn:
        story.agree(conn, "payment")
        (before,) = story.ledger.history(conn, TENANT, ANN)
        assert before.valid_until is not None
        assert (before.valid_until - story.now).days == 90
        story.later(days=30)
        story.agree(conn, "payment")
        after = story.ledger.history(conn, TENANT, ANN)[-1]
        assert after.valid_until is not None
        assert (after.valid_until - story.now).days == 200


def test_the_record_says_what_the_notice_said(database: Databases, story: Story) -> None:
    """R28: recipients, controller, place and purpose are the notice's, whatever the settings say by now."""
    with database.data.begin() as conn:
        story.agree(conn, "payment")
        record: Any = story.ledger.history(conn, TENANT, ANN)[-1].record
    (purpose,) = record["pii_processing"]["purposes"]
    assert purpose["recipient_third_parties"] == ["The bank"]
    assert purpose["purpose_description"] == "Confirm payments"
    assert purpose["storage_locations"] == ["Here"]
    assert purpose["retention_period"] == "P90D"
    assert record["party_identification"][0]["party_name"] == "The shop"


@pytest.mark.parametrize("names", [("",), ("a\nb",), ("x" * 201,), tuple(f"r{n}" for n in range(21))])
def test_odd_recipients_are_refused(database: Databases, story: Story, names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest):
        published(database, story, recipients=names)
