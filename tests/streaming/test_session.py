"""The states as data, and a session's clock, without a socket (R4, R15)."""

import dataclasses
import itertools
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from faceauth.errors import Denied
from faceauth.liveness.following import Mark
from faceauth.settings import Settings
from faceauth.streaming.machine import OVER, TABLE, Signal, State, move
from faceauth.streaming.session import Received, Seen, StreamSession
from faceauth.types import Challenge, Colour, Step, Transaction

STEPS = (
    Step("s1", "center", 450),
    Step("s2", "turn_left", 900),
    Step("s3", "center", 1000),
    Step("s4", "flash", 800, (Colour("#ff0000", 400), Colour("#00ff00", 400))),
)
CHALLENGE = Challenge(bytes(range(16)), "motion", STEPS, datetime(2030, 1, 1, tzinfo=UTC))


class Timer:
    """Seconds, by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class World:
    """A session and whoever answers it."""

    def __init__(self) -> None:
        self.timer = Timer()
        self.session = StreamSession(CHALLENGE, settings=Settings(), timer=self.timer)
        self.t_ms = -100
        self.heard = self.session.take()

    def frame(self, nose: tuple[float, float] = (0.0, 0.5), *, code: str | None = None, look: bool = True) -> None:
        self.t_ms += 100
        self.timer.now += 0.1
        self.session.text(json.dumps({"t_ms": self.t_ms, "step": self.session.current.id}))
        self.session.binary(b"jpeg %d" % self.t_ms)
        newest = self.session.newest(0)
        if look and newest is not None:
            self.saw(newest, nose, code)
        self.heard += self.session.take()

    def saw(self, frame: Received, nose: tuple[float, float], code: str | None) -> None:
        mark = Mark(frame.t_ms, good=code is None, nose=np.array(nose), eyes=80.0)
        self.session.saw(frame, Seen(frame.number, (), code, mark))

    def go_on(self, frames: int, *, code: str | None = None) -> None:
        for _ in range(frames):
            self.frame(code=code)
            self.session.tick()

    def told(self) -> list[str]:
        return [message["id"] for message in self.heard if message["type"] == "step"]


def test_what_is_not_in_the_table_denies_and_what_is_over_stays() -> None:
    """R4: over every pair there is."""
    for state, signal in itertools.product(State, Signal):
        after = move(state, signal)
        if state in OVER:
            assert after is state
        else:
            assert after is TABLE.get((state, signal), State.DENIED)
    accepting = [pair for pair, after in TABLE.items() if after is State.ACCEPTED]
    assert accepting == [(State.EVALUATING, Signal.ACCEPTED)]
    assert not any(state in OVER for state, _ in TABLE)


def test_a_session_from_the_first_step_to_the_evaluation() -> None:
    world = World()
    for nose, frames in (((0.0, 0.5), 8), ((0.3, 0.5), 12), ((0.0, 0.5), 14), ((0.0, 0.5), 14)):
        for _ in range(frames):
            if world.session.state is State.EVALUATING:
                break
            world.frame(nose)
    assert world.session.state is State.EVALUATING
    assert world.told() == ["s1", "s2", "s3", "s4"]
    colours = [message.get("colours") for message in world.heard if message["type"] == "step"]
    assert [bool(one) for one in colours] == [False, False, False, True]
    assert world.heard[-1] == {"type": "evaluating", "frames": world.session.chain.count, "sign": False}
    assert world.session.ready


def test_colours_are_told_with_their_step_and_nowhere_before() -> None:
    """LIVENESS.md: colours are sent late."""
    world = World()
    for _ in range(5):
        world.frame()
    assert "#ff0000" not in json.dumps(world.heard)


def test_a_signal_that_leads_nowhere_is_refused_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """R4: who drives the session hears of it, writes the denial down and tells the device."""
    world = World()
    world.frame()
    monkeypatch.setattr("faceauth.streaming.session.move", lambda *_: State.DENIED)
    with pytest.raises(Denied):
        world.session.again(CHALLENGE)


def test_only_an_evaluation_accepts() -> None:
    world = World()
    world.frame()
    world.session.decided(accepted=True)
    assert world.session.state is State.DENIED
    assert world.session.take() == [{"type": "done", "state": "denied"}]


def test_every_frame_since_the_person_was_in_place_stays_in_the_burst() -> None:
    """Older frames are dropped from guidance, never from the decision."""
    world = World()
    for _ in range(3):
        world.frame(code="too_far")
    for number in range(9):
        world.frame(look=number % 4 == 0)
    assert [frame.t_ms for frame in world.session.frames] == [100 * n for n in range(3, 12)]
    assert len(world.session.seen) == 3


def test_a_step_that_is_not_answered_in_time_is_denied() -> None:
    world = World()
    for _ in range(8):
        world.frame()
    assert world.session.current.id == "s2"
    with pytest.raises(Denied) as denied:
        world.go_on(80)
    assert 7_000 <= world.t_ms - 700 <= 7_300
    assert denied.value.reason == "liveness"


def test_silence_is_denied() -> None:
    world = World()
    world.frame()
    world.timer.now += world.session.due_in_s() - 0.01
    world.session.tick()
    world.timer.now += 0.02
    with pytest.raises(Denied) as denied:
        world.session.tick()
    assert denied.value.reason == "expired"


def test_a_connection_that_never_sends_a_frame_is_given_up() -> None:
    world = World()
    world.timer.now += 31
    with pytest.raises(Denied):
        world.session.tick()


def test_no_session_lives_longer_than_a_minute_from_its_first_frame() -> None:
    """R15."""
    world = World()
    with pytest.raises(Denied):
        world.go_on(700, code="too_dark")
    assert 59_900 <= world.t_ms <= 60_200


def test_guidance_that_was_not_sent_yet_gives_way_to_newer() -> None:
    world = World()
    world.frame()
    for t_ms in (1, 2, 3):
        world.session.saw(world.session.frames[-1], _seen(world.session.frames[-1], t_ms))
    assert [one["type"] for one in world.session.take()].count("guidance") == 1


def _seen(frame: Received, t_ms: int) -> Seen:
    return Seen(frame.number, (), None, Mark(t_ms, good=True, nose=np.zeros(2), eyes=80.0))


# --- signatures --------------------------------------------------------------------------------------------------


def signed() -> World:
    """A world whose device said that it signs, and whose last step was answered."""
    world = World()
    world.session.text(json.dumps({"t_ms": 0, "step": "s1", "sign": True}))
    world.session.binary(b"jpeg 0")
    world.t_ms = 0
    for nose in ((0.0, 0.5), (0.3, 0.5), (0.0, 0.5), (0.0, 0.5)):
        for _ in range(20):
            if world.session.state is not State.EVALUATING:
                world.frame(nose)
    assert world.session.state is State.EVALUATING
    return world


def test_a_device_that_signs_is_told_over_how_many_frames_and_waited_for() -> None:
    """R17: the signature is over the chain as the service has it, whatever was still on its way."""
    world = signed()
    assert world.heard[-1] == {"type": "evaluating", "frames": world.session.chain.count, "sign": True}
    assert not world.session.ready
    digest = world.session.chain.digest
    world.session.text(json.dumps({"t_ms": world.t_ms + 100, "step": "s4"}))
    world.session.binary(b"late")
    assert (world.session.ready, world.session.chain.digest) == (False, digest)
    world.session.text(json.dumps({"type": "signature", "signature": {"kind": "raw"}}))
    after = dict(vars(world.session), ready=world.session.ready)
    assert (after["ready"], after["signature"]) == (True, {"kind": "raw"})
    world.session.text(json.dumps({"type": "signature", "signature": {"kind": "webauthn"}}))
    assert world.session.signature == {"kind": "raw"}


@pytest.mark.parametrize("said", [{}, {"signature": None}])
def test_a_person_may_still_decide_not_to_sign(said: dict[str, None]) -> None:
    """Then it is judged as if no signature had been announced; a false one stays a false one."""
    world = signed()
    world.session.text(json.dumps({"type": "signature", **said}))
    assert world.session.ready
    assert world.session.signature is None
    values: list[object] = [{}, [], "", False, 0]
    for value in values:
        false = signed()
        false.session.text(json.dumps({"type": "signature", "signature": value}))
        assert (false.session.ready, false.session.signature) == (True, value)


def test_whoever_announced_a_signature_and_sends_none_is_denied() -> None:
    """The session waits half a minute for it, and a new connection is told again."""
    world = signed()
    world.session.resume()
    assert world.session.take()[-1]["sign"] is True
    assert world.session.due_in_s() == pytest.approx(30, abs=0.01)
    world.timer.now += 31
    with pytest.raises(Denied) as denied:
        world.session.tick()
    assert denied.value.reason == "expired"


@pytest.mark.parametrize("raw", ["x" * 9_000, "no json", "[" * 8_000])
def test_what_is_no_signature_is_an_injection(raw: str) -> None:
    """R4."""
    world = signed()
    with pytest.raises(Denied) as denied:
        world.session.text(raw)
    assert denied.value.reason == "injection"


@pytest.mark.parametrize("sign", [False, "true", 1, None])
def test_a_header_says_that_the_device_signs_or_nothing_of_it(sign: object) -> None:
    """No truth is guessed from a text."""
    world = World()
    with pytest.raises(Denied):
        world.session.text(json.dumps({"t_ms": 0, "step": "s1", "sign": sign}))


def test_a_transaction_is_told_with_the_challenge() -> None:
    """The page shows its text and hashes its digest."""
    transaction = Transaction(bytes(32), "Pay 3 EUR", "en")
    challenge = dataclasses.replace(CHALLENGE, transaction=transaction, device_key="preferred")
    session = StreamSession(challenge, settings=Settings(), timer=Timer())
    told = session.take()[0]
    assert told["transaction"] == {"text": "Pay 3 EUR", "locale": "en", "sha256": "00" * 32}
    assert told["device_key"] == "preferred"
    assert session.chain.digest != StreamSession(CHALLENGE, settings=Settings(), timer=Timer()).chain.digest
