"""Sessions from opening to decision: the stages are composed in order, and every error on the way is a denial."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from faceauth import pipeline as pipeline_module
from faceauth.db.audit_tables import audit_log
from faceauth.db.schema import attempts, biometric_references
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import (
    AuditUnavailable,
    ConsentRequired,
    InvalidImage,
    InvalidRequest,
    LivenessDenied,
    LivenessInconclusive,
    Locked,
    NotAuthenticated,
    ReauthenticationRequired,
    SessionClosed,
    UnknownAccount,
    UnknownScenario,
    UnknownSession,
)
from faceauth.types import Challenge, LiveCapture, Purpose
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.keys import KeyringProvider
from faceauth.vault.watched import WatchedKeyring
from tests.service import BLUE, RED, Boom, Service, everybody_is_live, failing, frames


def events(service: Service) -> list[str]:
    with service.installation.data.read() as conn:
        return list(conn.scalars(select(audit_log.c.event).order_by(audit_log.c.seq)))


def references(service: Service) -> int:
    with service.installation.data.read() as conn:
        return len(conn.execute(select(biometric_references)).all())


# --- the way ---------------------------------------------------------------------------------------------------


def test_enrolled_people_log_in_and_others_do_not(enrolled: Service) -> None:
    """The backend learns who and why, the device only accepted or denied (R24, R25)."""
    right, wrong = enrolled.open("verify"), enrolled.open("verify")
    assert enrolled.post(right).state == "accepted"
    answer = enrolled.post(wrong, BLUE)
    assert (answer.state, answer.guidance) == ("denied", ())
    assert enrolled.reason(right) == ("accepted", None)
    assert enrolled.reason(wrong) == ("denied", "mismatch")


def test_an_accepted_login_has_a_token_and_others_have_none(enrolled: Service) -> None:
    """R17: amr says face, because nothing else was proven."""
    opened = enrolled.open("verify")
    enrolled.post(opened)
    desk = enrolled.installation.desk
    view = desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)
    assert view.amr == ("face",)
    assert view.id_token is not None
    claims = enrolled.installation.tokens.check(view.id_token, expected_audience=DEFAULT_TENANT)
    assert claims.account == "anna"
    enrolled.clock.forward(3600)
    assert desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id).id_token is None


def test_nobody_logs_in_before_enrolling(service: Service) -> None:
    service.agree()
    opened = service.open("verify")
    assert service.post(opened).state == "denied"
    assert service.reason(opened) == ("denied", "not_enrolled")


def test_enrolling_again_replaces(enrolled: Service) -> None:
    before = references(enrolled)
    assert enrolled.post(enrolled.open("enrol"), BLUE).state == "accepted"
    assert references(enrolled) == before
    assert enrolled.post(enrolled.open("verify"), BLUE).state == "accepted"
    assert enrolled.post(enrolled.open("verify"), RED).state == "denied"


def test_a_session_is_used_once(enrolled: Service) -> None:
    """R15: whatever it was decided, and also when it was cancelled or is over."""
    accepted, denied, cancelled, late = (enrolled.open("verify") for _ in range(4))
    enrolled.post(accepted)
    enrolled.post(denied, BLUE)
    enrolled.installation.desk.cancel(cancelled.session_id, cancelled.client_token)
    enrolled.clock.forward(301)
    for opened in (accepted, denied, cancelled, late):
        with pytest.raises(SessionClosed):
            enrolled.post(opened)
    assert enrolled.reason(late) == ("expired", "expired")
    assert enrolled.reason(cancelled)[0] == "cancelled"


def test_a_session_opens_with_its_own_token_and_for_its_own_tenant_only(enrolled: Service) -> None:
    one, other = enrolled.open("verify"), enrolled.open("verify")
    pipeline, desk = enrolled.installation.pipeline, enrolled.installation.desk
    for session_id, token in ((one.session_id, other.client_token), ("fs_none", one.client_token), ("", "")):
        with pytest.raises(NotAuthenticated, match="opens no session"):
            pipeline.submit(session_id, token, frames(RED), [])
        with pytest.raises(NotAuthenticated, match="opens no session"):
            desk.cancel(session_id, token)
    with pytest.raises(UnknownSession):
        desk.view(tenant="another", session_id=one.session_id)


def test_bad_input_is_told_and_loses_nothing(enrolled: Service) -> None:
    opened = enrolled.open("verify")
    step = opened.challenge.steps[0].id
    with pytest.raises(InvalidImage):
        enrolled.installation.pipeline.submit(
            opened.session_id, opened.client_token, [b"no picture"], [{"step": step, "t_ms": 0}]
        )
    assert enrolled.post(opened).state == "accepted"


def test_guidance_leaves_the_session_open_three_times(enrolled: Service) -> None:
    """Bad light is no failed attempt, but a session does not last for ever."""
    opened = enrolled.open("verify")
    assert enrolled.post(opened, (5, 5, 5)).guidance
    assert enrolled.post(opened, (5, 5, 5)).guidance
    assert enrolled.post(opened, (5, 5, 5)).state == "denied"
    assert enrolled.reason(opened) == ("denied", "quality")
    with enrolled.installation.data.read() as conn:
        assert not conn.execute(select(attempts).where(attempts.c.consecutive > 0)).all()


def test_frames_of_another_session_are_a_replay(enrolled: Service) -> None:
    """R16, R11: it is denied as an injection, and charged."""
    first, second = enrolled.open("verify"), enrolled.open("verify")
    parts = frames(RED, seed=99)
    for opened in (first, second):
        timeline = [{"step": opened.challenge.steps[0].id, "t_ms": 80 * n} for n in range(len(parts))]
        enrolled.installation.pipeline.submit(opened.session_id, opened.client_token, parts, timeline)
    assert enrolled.reason(first)[0] == "accepted"
    assert enrolled.reason(second) == ("denied", "injection")
    with enrolled.installation.data.read() as conn:
        assert conn.scalar(select(attempts.c.consecutive)) == 1


# --- who may open one ------------------------------------------------------------------------------------------


def test_opening_asks_for_what_is_missing(service: Service) -> None:
    """R8, R14, R29: each with its own error."""
    desk = service.installation.desk
    with pytest.raises(UnknownScenario):
        service.open("verify", scenario="elsewhere")
    with pytest.raises(UnknownAccount):
        service.open("verify", "nobody")
    service.agree("anna")
    with pytest.raises(InvalidRequest, match="account_id"):
        service.open("verify", None)
    with pytest.raises(InvalidRequest, match="does not identify"):
        service.open("identify", None)
    service.withdraw("anna")
    with pytest.raises(ConsentRequired):
        service.open("verify")
    service.agree("ben")
    for at in (None, service.clock() - timedelta(seconds=301), service.clock() + timedelta(seconds=31)):
        with pytest.raises(ReauthenticationRequired):
            desk.open(
                tenant=DEFAULT_TENANT,
                purpose="enrol",
                scenario="login",
                account="ben",
                reauthenticated_at=at,
                actor="test",
            )


def test_hammering_is_refused(enrolled: Service) -> None:
    """R10: after ten failures in a row the next has to wait, and the right face does not open it either."""
    for _ in range(10):
        assert enrolled.post(enrolled.open("verify"), BLUE).state == "denied"
    with pytest.raises(Locked):
        enrolled.open("verify")
    enrolled.clock.forward(31)
    assert enrolled.post(enrolled.open("verify")).state == "accepted"


# --- one more step ---------------------------------------------------------------------------------------------


def cannot_tell(session_id: str, challenge: Challenge, faces: Any, **_: Any) -> LiveCapture:
    """Stand in for a gate that can never tell, as `judge` has it: asked once more, it denies."""
    if challenge.extra:
        raise LivenessDenied("flash")
    raise LivenessInconclusive("flash", "motion")


def failures(service: Service) -> int:
    with service.installation.data.read() as conn:
        return conn.scalar(select(attempts.c.total)) or 0


@pytest.mark.parametrize("clear", [True, False])
def test_one_more_step_is_asked_for_once(enrolled: Service, monkeypatch: pytest.MonkeyPatch, clear: bool) -> None:
    """The longer challenge is answered by a whole new burst, and is the same attempt (R11)."""
    opened = enrolled.open("verify")
    monkeypatch.setattr(pipeline_module, "judge", cannot_tell)
    answer = enrolled.post(opened)
    longer = enrolled.installation.desk.challenge(opened.session_id, opened.client_token)
    assert (answer.state, answer.guidance) == ("open", (f"step:{longer.steps[-1].id}",))
    assert longer.steps[: len(opened.challenge.steps)] == opened.challenge.steps
    assert (longer.extra, longer.nonce) == (1, opened.challenge.nonce)
    assert len(longer.steps) == len(opened.challenge.steps) + 1
    assert failures(enrolled) == 1
    if clear:
        monkeypatch.setattr(pipeline_module, "judge", everybody_is_live)
    assert enrolled.post(opened).state == ("accepted" if clear else "denied")
    assert failures(enrolled) == (0 if clear else 1)
    assert enrolled.reason(opened) == (("accepted", None) if clear else ("denied", "liveness"))


# --- what may go wrong -----------------------------------------------------------------------------------------

STAGES = ["read_post", "judge", "make_probe"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("error", [RuntimeError("x"), MemoryError(), Boom("x"), FloatingPointError()])
def test_an_error_in_any_stage_denies(
    enrolled: Service, monkeypatch: pytest.MonkeyPatch, stage: str, error: BaseException
) -> None:
    """R4, R57: never an open door, never a traceback for the device."""
    monkeypatch.setattr(pipeline_module, stage, failing(error))
    opened = enrolled.open("verify")
    assert enrolled.post(opened).state == "denied"
    assert enrolled.reason(opened) == ("denied", "unavailable")


@pytest.mark.parametrize(
    "part", ["references.open_account", "gate.confirm", "charging.charge", "charging.succeed"]
)
def test_an_error_in_any_part_denies(enrolled: Service, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """R57: whatever the vault, the gate or the counters meet."""
    opened = enrolled.open("verify")
    room, method = part.split(".")
    owner: Any = type(getattr(enrolled.installation.pipeline, room))
    monkeypatch.setattr(owner, method, failing(OSError("disk")))
    assert enrolled.post(opened).state == "denied"
    assert enrolled.reason(opened) == ("denied", "unavailable")


def test_while_the_keyring_is_away_everyone_is_denied(enrolled: Service, tmp_path: Path) -> None:
    """R57: a key provider that is down denies, and nothing is used in its place; once it is back, all goes on."""
    place, stored = tmp_path / "keyring", references(enrolled)
    installation_id = enrolled.installation.keyring.installation_id
    watched = WatchedKeyring(KeyringPlace(place), expected_installation=installation_id)
    enrolled.installation.pipeline.keys._provider = KeyringProvider(watched)
    assert enrolled.post(enrolled.open("verify")).state == "accepted"
    place.rename(tmp_path / "away")
    purposes: tuple[Purpose, ...] = ("verify", "enrol")
    for purpose in purposes:
        opened = enrolled.open(purpose)
        assert enrolled.post(opened).state == "denied"
        assert enrolled.reason(opened) == ("denied", "unavailable")
    assert references(enrolled) == stored
    (tmp_path / "away").rename(place)
    assert enrolled.post(enrolled.open("verify")).state == "accepted"


def test_a_liveness_denial_keeps_its_reason(enrolled: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_module, "judge", failing(LivenessDenied("parallax")))
    opened = enrolled.open("verify")
    assert enrolled.post(opened).state == "denied"
    assert enrolled.reason(opened) == ("denied", "liveness")


def test_without_an_audit_record_nobody_logs_in_and_nothing_is_stored(
    enrolled: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R49: when the record cannot be written, the act does not happen."""
    verify, enrol = enrolled.open("verify"), enrolled.open("enrol")
    before = references(enrolled)
    monkeypatch.setattr(type(enrolled.installation.audit), "append", failing(AuditUnavailable("full")))
    for opened in (verify, enrol):
        with pytest.raises(AuditUnavailable):
            enrolled.post(opened)
    monkeypatch.undo()
    assert references(enrolled) == before
    assert enrolled.reason(verify)[0] == "open"
    with pytest.raises(SessionClosed):
        enrolled.post(verify)


def test_the_attempt_is_charged_before_the_comparison(enrolled: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R11: a process that ends between charge and comparison has spent the attempt."""
    monkeypatch.setattr(pipeline_module, "judge", failing(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        enrolled.post(enrolled.open("verify"))
    with enrolled.installation.data.read() as conn:
        assert conn.scalar(select(attempts.c.consecutive)) == 1


WITHDRAWN_AT = ["read_post", "judge", "make_probe", "references.open_account", "attempts.charge"]


@pytest.mark.parametrize("where", WITHDRAWN_AT)
@pytest.mark.parametrize("purpose", ["verify", "enrol"])
def test_a_withdrawal_at_any_step_stops_the_session(
    enrolled: Service, monkeypatch: pytest.MonkeyPatch, where: str, purpose: Any
) -> None:
    """R33: the login had begun before; it fails at commit, and nothing is stored."""
    opened = enrolled.open(purpose)
    done = threading.Event()

    def first_withdraw(inner: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **more: Any) -> Any:
            if not done.is_set() and where != "attempts.charge":
                done.set()
                enrolled.withdraw()
            return inner(*args, **more)

        return wrapped

    if where == "attempts.charge":
        # Inside a write transaction the withdrawal has to wait, so it is started just before.
        enrolled.withdraw()
    elif "." in where:
        room, method = where.split(".")
        owner: Any = type(getattr(enrolled.installation.pipeline, room))
        monkeypatch.setattr(owner, method, first_withdraw(getattr(owner, method)))
    else:
        monkeypatch.setattr(pipeline_module, where, first_withdraw(getattr(pipeline_module, where)))
    answer = enrolled.post(opened)
    if purpose == "enrol" and where == "references.open_account":
        assert answer.state == "accepted"  # enrolling opens nothing, so nobody withdrew
        return
    assert answer.state == "denied"
    # Whoever comes after the erasure's end finds no reference at all.
    assert enrolled.reason(opened) in {("denied", "consent_required"), ("denied", "not_enrolled")}
    assert references(enrolled) == 0


def test_two_posts_at_once_are_one_try(enrolled: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R11: a session that is being judged takes no second post."""
    opened = enrolled.open("verify")
    refused: list[type[Exception]] = []

    def meanwhile(*args: Any, **more: Any) -> Any:
        try:
            enrolled.post(opened)
        except SessionClosed as error:
            refused.append(type(error))
        return everybody_is_live(*args, **more)

    monkeypatch.setattr(pipeline_module, "judge", meanwhile)
    assert enrolled.post(opened).state == "accepted"
    assert refused == [SessionClosed]


# --- the record ------------------------------------------------------------------------------------------------


def test_every_end_of_a_session_is_audited(enrolled: Service) -> None:
    start = len(events(enrolled))
    enrolled.post(enrolled.open("verify"))
    enrolled.post(enrolled.open("verify"), BLUE)
    cancelled = enrolled.open("verify")
    enrolled.installation.desk.cancel(cancelled.session_id, cancelled.client_token)
    ends = [event.rsplit(":", 1)[1] for event in events(enrolled)[start:]]
    judged = ["opened", "received", "accepted", "opened", "received", "denied"]
    assert ends == [*judged, "opened", "cancelled"]
    with enrolled.installation.data.read() as conn:
        assert enrolled.installation.audit.verify(conn).intact
