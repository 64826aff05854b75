"""Attacks as an attacker would try them, on the shipped level (`motion+flash`) with the pack's own networks.

The victim is on a group photograph; the attacker has that photograph, recordings of the victim before the service,
and a canvas in place of a camera. Each attack must be denied, and by the gate that is there for it (R4, R6, R16).
Other tests hold single gates (`tests/liveness`), and frames that are sent twice (`tests/test_pipeline.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import distribution
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from faceauth.capture.decode import decode
from faceauth.capture.detect import build_detector
from faceauth.capture.faces import FaceReader
from faceauth.embed.packs import load_pack
from faceauth.errors import LivenessDenied, LivenessInconclusive
from faceauth.liveness.challenge import make_challenge
from faceauth.liveness.decision import judge
from faceauth.liveness.profiles import MOTION_FLASH
from faceauth.sections import CaptureSettings
from faceauth.simulate import Head, Print, SimulatedFrame, simulate_session
from faceauth.simulate.attacks import BEND_RADIUS, Screen
from faceauth.simulate.surface import Subject, Surface
from faceauth.types import AlignedFace, Challenge, Embedder, Evidence, Image, Points

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Faces = tuple[AlignedFace, ...]


@dataclass(frozen=True)
class Service:
    """Capture and liveness with the pack `open`."""

    reader: FaceReader
    embedder: Embedder

    def read(self, frames: Sequence[SimulatedFrame]) -> Faces:
        limits = CaptureSettings()
        decoded = [decode(frame.jpeg, t_ms=frame.t_ms, step=frame.step, limits=limits) for frame in frames]
        faces, guidance = self.reader.read(decoded)
        assert guidance == ()
        return faces

    def answer(self, challenge: Challenge, faces: Faces, evidence: Evidence | None = None) -> str:
        """Return the gate that denied, with a question mark if one more step would be asked for, or accepted."""
        try:
            judge("fs_1", challenge, faces, embedder=self.embedder, profile=MOTION_FLASH, evidence=evidence)
        except LivenessInconclusive as unclear:
            return f"{unclear.gate}?"
        except LivenessDenied as denied:
            return denied.gate
        return "accepted"


@dataclass(frozen=True)
class Person:
    """Somebody's photograph, and their head."""

    photo: Image
    points: Points
    seed: int

    @property
    def head(self) -> Head:
        return Head(self.photo, self.points, seed=self.seed)


@pytest.fixture(scope="module")
def service(models_dir: Path) -> Service:
    pack = load_pack("open", models_dir)
    detector = build_detector(pack.detector_kind, pack.detector_sessions, pack.detector_options)
    return Service(FaceReader(detector, pack.embedder.template), pack.embedder)


@pytest.fixture(scope="module")
def people(models_dir: Path) -> list[Person]:
    pack = load_pack("open", models_dir)
    detector = build_detector(pack.detector_kind, pack.detector_sessions, pack.detector_options)
    read = cv2.imread(str(distribution("insightface").locate_file("insightface/data/images/t1.jpg")))
    assert read is not None
    image = np.ascontiguousarray(read[..., ::-1], dtype=np.uint8)
    faces = sorted(detector.detect(image), key=lambda face: face.box[0])
    return [Person(image, face.landmarks, seed) for seed, face in enumerate(faces)]


@pytest.fixture(scope="module")
def victim(people: list[Person]) -> Person:
    return people[VICTIM]


VICTIM, OTHER = 4, 2
"""Two of the six who are seen from the front."""


def drawn(seed: int, motion: str = "turn_left") -> Challenge:
    """Draw until the motion is the one wanted; the colours are as they come."""
    while True:
        chance = Random(seed)  # noqa: S311  repeatable, no secret
        challenge = make_challenge(
            profile=MOTION_FLASH, now=NOW, random=chance.randbytes, expires_at=NOW + timedelta(minutes=5)
        )
        if challenge.steps[1].kind == motion:
            return challenge
        seed += 1


@pytest.fixture(scope="module")
def challenge() -> Challenge:
    return drawn(1)


@pytest.fixture(scope="module")
def films(victim: Person, challenge: Challenge) -> dict[str, list[SimulatedFrame]]:
    """The victim before the service: now, and in an earlier session with the same motion and other colours."""
    earlier = drawn(1000)
    assert earlier.steps[-1].colours != challenge.steps[-1].colours
    return {
        "now": simulate_session(victim.head, challenge, seed=4, mild=True),
        "earlier": simulate_session(victim.head, earlier, seed=5, mild=True),
    }


@pytest.fixture(scope="module")
def now(service: Service, films: dict[str, list[SimulatedFrame]]) -> Faces:
    return service.read(films["now"])


@pytest.fixture(scope="module")
def earlier(service: Service, films: dict[str, list[SimulatedFrame]]) -> Faces:
    return service.read(films["earlier"])


@pytest.fixture(scope="module")
def attacker(service: Service, challenge: Challenge, people: list[Person]) -> Faces:
    """Another living person who answers the same challenge."""
    return service.read(simulate_session(people[OTHER].head, challenge, seed=4, mild=True))


def test_the_victim_gets_in(service: Service, challenge: Challenge, now: Faces) -> None:
    """Else every denial below would prove nothing."""
    assert service.answer(challenge, now) == "accepted"


# --- the photograph ---------------------------------------------------------------------------------------------


class Cutout:
    """The victim's face cut out of a photograph along its outline: no edge of paper is in sight."""

    def __init__(self, person: Person) -> None:
        worn = person.head.surface
        points = worn.landmarks.copy()
        points[:, 2] = 0.0
        self.surface = replace(worn, z=np.zeros_like(worn.z), landmarks=points)

    def surface_at(self, t_ms: int) -> Surface:  # noqa: ARG002  it looks the same at any time
        return self.surface


def swung(sheet: Print) -> Print:
    """Turn a print about an axis behind it, as a head turns: its texture goes to the commanded side."""
    sheet.surface = replace(sheet.surface, pivot=(0.0, 0.7, -1.2))
    return sheet


def test_the_photograph_held_still(service: Service, challenge: Challenge, victim: Person) -> None:
    frames = simulate_session(Print(victim.photo, victim.points), challenge, seed=6, manner="still")
    assert service.answer(challenge, service.read(frames)) == "motion"


def test_the_photograph_waved(service: Service, challenge: Challenge, victim: Person) -> None:
    frames = simulate_session(Print(victim.photo, victim.points), challenge, seed=6, manner="wave")
    assert service.answer(challenge, service.read(frames)) == "continuity"


@pytest.mark.parametrize(("shape", "gate"), [("flat", "parallax"), ("bent", "parallax"), ("cut out", "motion")])
def test_the_photograph_turned_as_told(
    service: Service, challenge: Challenge, victim: Person, shape: str, gate: str
) -> None:
    subject: Subject = Cutout(victim)
    if shape != "cut out":
        radius = BEND_RADIUS if shape == "bent" else np.inf
        subject = swung(Print(victim.photo, victim.points, radius=radius))
    frames = simulate_session(subject, challenge, seed=6, mild=True)
    assert service.answer(challenge, service.read(frames)) == gate


# --- recordings -------------------------------------------------------------------------------------------------


def test_a_recording_of_another_motion_on_a_screen(
    service: Service, films: dict[str, list[SimulatedFrame]]
) -> None:
    asked = drawn(50, "turn_right")
    frames = simulate_session(Screen(films["earlier"]), asked, seed=8, manner="still")
    assert service.answer(asked, service.read(frames)) == "motion"


def test_a_recording_of_the_same_motion_sent_past_the_camera(
    service: Service, challenge: Challenge, now: Faces, earlier: Faces
) -> None:
    """Injected frame by frame, at the right times: only the colours are another session's."""
    count = min(len(now), len(earlier))
    placed = [
        replace(old, frame=replace(old.frame, t_ms=new.frame.t_ms, step=new.frame.step))
        for old, new in zip(earlier[:count], now[:count], strict=True)
    ]
    assert service.answer(challenge, tuple(placed)) == "flash"


def test_two_sessions_spliced(service: Service, challenge: Challenge, now: Faces, earlier: Faces) -> None:
    """The motion of one session and the flash of another: the face jumps where they are joined."""
    at = next(number for number, face in enumerate(now) if face.frame.step == "s3")
    spliced = [*earlier[:at], *now[at:]]
    placed = [
        replace(face, frame=replace(face.frame, t_ms=new.frame.t_ms, step=new.frame.step))
        for face, new in zip(spliced, now, strict=True)
    ]
    assert service.answer(challenge, tuple(placed)) == "continuity"


def test_the_attackers_motion_with_the_victims_key_frames(
    service: Service, challenge: Challenge, attacker: Faces, now: Faces
) -> None:
    """The attacker answers everything; the frames that would be compared are exchanged for the victim's."""
    count = min(len(now), len(attacker))
    mixed = [
        replace(mine, frame=replace(theirs.frame, t_ms=mine.frame.t_ms, step=mine.frame.step), face=theirs.face)
        if number % 7 == 3 and mine.frame.step in {"s1", "s3"}
        else mine
        for number, (mine, theirs) in enumerate(zip(attacker[:count], now[:count], strict=True))
    ]
    assert sum(a is not b for a, b in zip(mixed, attacker[:count], strict=True)) >= 2
    assert service.answer(challenge, tuple(mixed)) == "continuity"


def test_key_frames_exchanged_after_the_texture_was_followed(
    service: Service, challenge: Challenge, attacker: Faces, now: Faces
) -> None:
    """Even if nothing showed in the texture, the embeddings are not one person's."""
    chips = [face.chip for face in attacker if face.frame.step == "s3"]
    looks = [number for number, face in enumerate(now) if face.frame.step == "s3"]
    mixed = list(now)
    for number, chip in zip(looks, chips, strict=False):
        mixed[number] = replace(mixed[number], chip=chip)
    assert service.answer(challenge, tuple(mixed)) == "identity"


def test_frames_at_double_speed(service: Service, challenge: Challenge, now: Faces) -> None:
    fast = tuple(replace(face, frame=replace(face.frame, t_ms=face.frame.t_ms // 2)) for face in now)
    assert service.answer(challenge, fast) == "integrity"


def test_frames_at_double_speed_under_the_right_times(service: Service, challenge: Challenge, now: Faces) -> None:
    """On the stream the service's own clock tells."""
    received = tuple(face.frame.t_ms // 2 + 40 for face in now)
    told = {face.frame.step: face.frame.t_ms // 2 for face in reversed(now)}
    assert service.answer(challenge, now, Evidence(received_ms=received, told_ms=told)) == "timing"


def test_one_frame_again_and_again_with_noise(service: Service, challenge: Challenge, now: Faces) -> None:
    chance = np.random.default_rng(1)
    still = now[3].frame.pixels.astype(np.int16)
    faces = tuple(
        replace(
            now[3],
            frame=replace(
                face.frame,
                pixels=np.clip(still + chance.normal(0, 3, still.shape), 0, 255).astype(np.uint8),
            ),
        )
        for face in now
    )
    assert service.answer(challenge, faces) == "motion"


# --- a canvas in place of the camera ----------------------------------------------------------------------------


def canvas(person: Person, challenge: Challenge, times: Sequence[tuple[int, str]]) -> list[SimulatedFrame]:
    """Draw what a page's canvas can: the photograph, moved and sheared as told, under the colours as told."""
    eyes = float(np.hypot(*(person.points[1] - person.points[0])))
    middle = person.points.mean(axis=0)
    begun: dict[str, int] = {}
    chance = np.random.default_rng(3)  # or the frames of a look would be the same bytes, which are counted
    frames = []
    for t_ms, name in times:
        step = next(one for one in challenge.steps if one.id == name)
        since = t_ms - begun.setdefault(name, t_ms)
        turned = min(max(since - 200, 0) / 500, 1.0) if step.kind == "turn_left" else 0.0
        scale = 85 / eyes
        # A turn in two dimensions: narrower, to the side, and sheared, so that the nose goes ahead of the eyes.
        matrix = np.array([[scale * (1 - 0.1 * turned), 0.12 * scale * turned, 0.0], [0.0, scale, 0.0]])
        matrix[:, 2] = np.array([320 + 30 * turned, 240]) - matrix[:, :2] @ middle
        drawn_on = cv2.warpAffine(person.photo, matrix, (640, 480), borderMode=cv2.BORDER_REPLICATE)
        light = np.ones(3)
        if step.colours:
            colour = step.colours[min(since // step.colours[0].ms, len(step.colours) - 1)].rgb
            light += 0.1 * np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        noise = chance.normal(0, 1, drawn_on.shape)
        pixels = np.clip(drawn_on * (light / 1.1) + noise, 0, 255).astype(np.uint8)
        _, encoded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
        points = (person.points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
        frames.append(SimulatedFrame(encoded.tobytes(), t_ms, name, points))
    return frames


def test_a_canvas_that_obeys(service: Service, challenge: Challenge, victim: Person, now: Faces) -> None:
    """R6: injected frames with every colour right and no camera behind them; a picture has no depth."""
    frames = canvas(victim, challenge, [(face.frame.t_ms, face.frame.step) for face in now])
    assert service.answer(challenge, service.read(frames)) == "motion"


@pytest.mark.parametrize(("strength", "gates"), [(0.08, "flash? flash"), (0.25, "continuity continuity")])
def test_a_canvas_after_a_true_motion(
    service: Service, challenge: Challenge, now: Faces, strength: float, gates: str
) -> None:
    """The motion is a recording's; then the canvas tints the last frame in the colours as told, but evenly."""
    at = next(number for number, face in enumerate(now) if face.frame.step == "s4")
    held, started, shown = now[at - 1], now[at].frame.t_ms, list(now[:at])
    colours = challenge.steps[-1].colours
    chance = np.random.default_rng(2)
    for face in now[at:]:
        late = max(face.frame.t_ms - started - 90, 0)
        rgb = colours[min(late // colours[0].ms, len(colours) - 1)].rgb
        tint = 1 + strength * np.array([int(rgb[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        pixels = held.frame.pixels * (tint / (1 + strength / 2)) + chance.normal(0, 1, held.frame.pixels.shape)
        frame = replace(face.frame, pixels=np.clip(pixels, 0, 255).astype(np.uint8))
        shown.append(replace(held, frame=frame))
    first = service.answer(challenge, tuple(shown))
    again = service.answer(replace(challenge, extra=1), tuple(shown))
    assert f"{first} {again}" == gates


# --- colours ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "gate"),
    [
        # Without light nothing can be told: one more flash is asked for, once, and then it is a denial.
        ("no colours", "flash?"),
        ("wrong colours", "flash"),
        ("late colours", "flash"),
    ],
)
def test_colours(service: Service, challenge: Challenge, victim: Person, how: str, gate: str) -> None:
    """A living head in the wrong light: a recording, or a screen that is told nothing."""
    power = 0.0 if how == "no colours" else 0.08
    shown = drawn(1000) if how == "wrong colours" else None
    late = 800.0 if how == "late colours" else 0.0
    frames = simulate_session(victim.head, challenge, seed=4, mild=True, power=power, shown=shown, late_ms=late)
    faces = service.read(frames)
    assert service.answer(challenge, faces) == gate
    assert service.answer(replace(challenge, extra=1), faces) == "flash"


# --- the order of things ----------------------------------------------------------------------------------------


def test_a_step_answered_before_it_was_told(service: Service, challenge: Challenge, now: Faces) -> None:
    """On the stream each step is told only when the one before was accepted; who knows it earlier was not told."""
    received = tuple(face.frame.t_ms + 40 for face in now)
    told = {face.frame.step: face.frame.t_ms for face in reversed(now)}
    honest = Evidence(received_ms=received, told_ms=told)
    assert service.answer(challenge, now, honest) == "accepted"
    early = Evidence(received_ms=received, told_ms={**told, "s2": told["s2"] + 400})
    assert service.answer(challenge, now, early) == "timing"


def test_steps_in_another_order(service: Service, challenge: Challenge, now: Faces) -> None:
    other = {"s1": "s1", "s2": "s4", "s3": "s3", "s4": "s2"}
    swapped = tuple(replace(face, frame=replace(face.frame, step=other[face.frame.step])) for face in now)
    assert service.answer(challenge, swapped) == "integrity"
