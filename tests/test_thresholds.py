"""What decides is what was accepted; other thresholds take two people (R52)."""

from dataclasses import replace

import pytest

from faceauth.audit.events import Event
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.embed.manifest import pack_spec
from faceauth.errors import ApprovalRequired
from faceauth.match.accepted import Accepted, accepted
from faceauth.thresholds import Deciding, Thresholds
from faceauth.two_people import accept_thresholds
from tests.service import Service

FIRST = Deciding("open", "aa", {"fmr-1e-4": 0.5, "fmr-1e-5": 0.6}, "first")
LOWER = replace(FIRST, points={"fmr-1e-4": 0.4, "fmr-1e-5": 0.6}, digest="lower")
OTHER = replace(FIRST, pack="mine", model="bb", digest="other")


def settled(service: Service, *packs: Deciding) -> Thresholds:
    """Start a process with these packs."""
    made = Thresholds(service.installation.data, packs)
    made.settle(service.installation.audit)
    return made


def accept(service: Service, one: Deciding, actor: str) -> str | None:
    into = service.installation
    return accept_thresholds(one, data=into.data, approvals=into.approvals, audit=into.audit, actor=actor).told


def approve(service: Service) -> None:
    with service.installation.data.begin() as conn:
        approvals = service.installation.approvals
        asked = approvals.list(conn, tenant=DEFAULT_TENANT)[0]
        approvals.approve(conn, asked.approval_id, tenant=DEFAULT_TENANT, actor="cli:ben")


def test_other_thresholds_decide_nothing_until_two_people_accept_them(enrolled: Service) -> None:
    """R52: neither alone, whichever way they went; what was accepted goes on, and no restart is needed."""
    settled(enrolled, FIRST).require()
    settled(enrolled, FIRST).require()
    for one in (LOWER, replace(FIRST, digest="stricter"), OTHER):
        with pytest.raises(ApprovalRequired, match="faceauth models thresholds"):
            settled(enrolled, one).require()
    waits = settled(enrolled, LOWER)
    assert accept(enrolled, LOWER, "cli:anna") is None
    with pytest.raises(ApprovalRequired):
        waits.require()
    approve(enrolled)
    assert accept(enrolled, LOWER, "cli:anna") is not None
    waits.require()
    with pytest.raises(ApprovalRequired):
        settled(enrolled, FIRST).require()
    with enrolled.installation.data.read() as conn:
        events = [one.event for one in enrolled.installation.audit.records(conn, limit=500)]
    assert events.count(Event.THRESHOLDS_ACCEPTED) == 2


def test_two_packs_stand_beside_each_other(enrolled: Service) -> None:
    """While the model changes, each decides by its own."""
    settled(enrolled, FIRST, OTHER).require()
    settled(enrolled, OTHER).require()
    with pytest.raises(ApprovalRequired):
        settled(enrolled, OTHER, LOWER).require()


def test_while_nobody_is_enrolled_there_is_nothing_to_protect(enrolled: Service) -> None:
    settled(enrolled, FIRST)
    enrolled.withdraw()
    settled(enrolled, LOWER).require()
    with enrolled.installation.data.read() as conn:
        assert accepted(conn)["aa"].digest == "lower"


def test_a_login_is_denied_meanwhile_and_rights_are_not(enrolled: Service) -> None:
    """R4: the backend reads `unavailable`; withdrawing works all the same."""
    settled(enrolled, OTHER)
    into = enrolled.installation
    waits = Thresholds(into.data, [FIRST])
    comparing = replace(into.pipeline.comparing, thresholds=waits)
    service = replace(enrolled, installation=replace(into, pipeline=replace(into.pipeline, comparing=comparing)))
    opened = service.open("verify")
    assert service.post(opened).state == "denied"
    assert service.reason(opened) == ("denied", "unavailable")
    service.withdraw()


@pytest.mark.parametrize(
    ("points", "digest", "how"),
    [
        ({"fmr-1e-4": 0.5, "fmr-1e-5": 0.6}, "first", "accepted"),
        ({"fmr-1e-4": 0.5, "fmr-1e-5": 0.6}, "another normaliser", "other"),
        ({"fmr-1e-4": 0.5}, "a point less", "lower"),
        ({"fmr-1e-4": 0.5, "fmr-1e-5": 0.7}, "stricter", "higher"),
    ],
)
def test_the_second_person_is_told_which_way_it_goes(points: dict[str, float], digest: str, how: str) -> None:
    known = {FIRST.model: Accepted(FIRST.digest, FIRST.points)}
    assert replace(FIRST, points=points, digest=digest).differs(known) == how
    assert OTHER.differs(known) == "another model"


def test_all_that_decides_is_in_the_digest() -> None:
    """A pack of another name with the same model and thresholds decides the same; else it does not."""
    open_ = pack_spec("open", None)
    point = open_.operating_points["fmr-1e-4"]
    looser = {**open_.operating_points, "fmr-1e-4": point.model_copy(update={"fmr_upper": point.fmr_upper / 2})}
    same = open_.model_copy(update={"name": "mine", "title": "mine"})
    assert Deciding.of(same).digest == Deciding.of(open_).digest
    assert Deciding.of(open_.model_copy(update={"operating_points": looser})).digest != Deciding.of(open_).digest
    assert Deciding.of(open_.model_copy(update={"normaliser": None})).digest != Deciding.of(open_).digest or (
        open_.normaliser is None
    )
