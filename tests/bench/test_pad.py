"""`faceauth bench pad`: what is judged, how it is counted, and that nothing of a person is in the report."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest

from faceauth.bench import pad_report
from faceauth.bench.pad import SINGLE, Judge, Trial, levels_of
from faceauth.bench.pad_items import BONA_FIDE, Item, read_items
from faceauth.bench.pad_observed import LEAST, as_lines, summary
from faceauth.bench.pad_plots import det, write_plots
from faceauth.bench.pad_recordings import find_recordings, read_film, read_session
from faceauth.bench.rates import Rate
from faceauth.capture.faces import FaceReader
from faceauth.errors import InvalidRequest, InvalidTimeline
from faceauth.liveness.challenge import challenge_to_wire
from faceauth.liveness.observations import Measured, Outcomes
from faceauth.liveness.profiles import MOTION, PROFILES
from faceauth.sections import CaptureSettings
from faceauth.simulate import Head, SimulatedFrame, simulate_session
from faceauth.types import AlignedFace, Challenge, DetectedFace, Frame
from tests.liveness.conftest import LANDMARKS, MeanEmbedder, challenge_of, portrait, to_face

PASSIVE = ("passive", "live")


# --- what is judged ---------------------------------------------------------------------------------------------


def put(path: Path, data: bytes = b"x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def told(items: Sequence[Item]) -> list[tuple[str, str, str]]:
    return [(one.kind, one.species, one.channel) for one in items]


def test_the_layout(tmp_path: Path) -> None:
    """R6: what is injected is told apart; a folder with a challenge is one session, whatever lies in it."""
    for name in ("bona_fide/a.jpg", "live/b/c.PNG", "attack/mask/d.mp4", "injection/canvas/s/challenge.json"):
        put(tmp_path / name)
    put(tmp_path / "injection/canvas/s/1.jpg")
    put(tmp_path / "print/ann/e.webp")
    put(tmp_path / "print/notes.txt")
    assert told(read_items(tmp_path)) == [
        ("clip", "mask", "presentation"),
        ("picture", BONA_FIDE, "presentation"),
        ("session", "canvas", "injection"),
        ("picture", BONA_FIDE, "presentation"),
        ("picture", "print", "presentation"),
    ]


def test_a_list_instead(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    put(tmp_path / "b/c.mp4")
    put(tmp_path / "left_out.jpg")
    labels = tmp_path / "pad.csv"
    labels.write_text("path,label,species,channel\na.jpg,bona_fide,,\nb,attack,replay,injection\n")
    assert told(read_items(tmp_path, labels)) == [
        ("picture", BONA_FIDE, "presentation"),
        ("clip", "replay", "injection"),
    ]


@pytest.mark.parametrize(
    "line", ["none.jpg,bona_fide,,", ",bona_fide,,", "a.jpg,attack,,", "a.jpg,maybe,x,", "a.jpg,attack,x,other"]
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    put(tmp_path / "a.jpg")
    labels = tmp_path / "pad.csv"
    labels.write_text(f"path,label,species,channel\n{line}\n")
    with pytest.raises(InvalidRequest, match="line 2"):
        read_items(tmp_path, labels)


def test_nothing_to_judge(tmp_path: Path) -> None:
    for folder, labels in ((tmp_path, None), (tmp_path / "none", None), (tmp_path, tmp_path / "none.csv")):
        with pytest.raises(InvalidRequest):
            read_items(folder, labels)


# --- how it is judged -------------------------------------------------------------------------------------------


@dataclass
class TrueReader:
    """Finds the faces that the simulated camera drew, by their frame's digest."""

    faces: dict[bytes, AlignedFace]

    def read(self, frames: Sequence[Frame], **_: Any) -> tuple[tuple[AlignedFace, ...], tuple[str, ...]]:
        seen = [self.faces.get(frame.digest) for frame in frames]
        if None in seen:
            return (), ("no_face",)
        return tuple(replace(one, frame=frame) for one, frame in zip(seen, frames, strict=True) if one), ()


@dataclass
class Says:
    """Models that find every face as living as they are told."""

    score: float = 0.9

    def live_scores(self, faces: Sequence[AlignedFace]) -> np.ndarray:
        return np.full(len(faces), self.score, np.float32)


@pytest.fixture(scope="module")
def turns() -> Challenge:
    return challenge_of("center", "turn_left", "center", "turn_right")


@pytest.fixture(scope="module")
def person() -> Head:
    return Head(portrait(1), LANDMARKS, seed=1)


@pytest.fixture(scope="module")
def filmed(turns: Challenge, person: Head) -> list[SimulatedFrame]:
    return simulate_session(person, turns, seed=3)


def write_session(folder: Path, challenge: Challenge, frames: Sequence[SimulatedFrame], **changes: Any) -> Path:
    for number, frame in enumerate(frames):
        put(folder / f"{number:03d}.jpg", frame.jpeg)
    timeline = [{"step": frame.step, "t_ms": frame.t_ms} for frame in frames]
    content = {"challenge": challenge_to_wire(challenge), "timeline": timeline, **changes}
    (folder / "challenge.json").write_text(json.dumps(content))
    return folder


def judge_of(frames: Sequence[SimulatedFrame], *levels: str, score: float = 0.9) -> Judge:
    reader = TrueReader({(face := to_face(frame)).frame.digest: face for frame in frames})
    return Judge(
        reader=cast("FaceReader", reader),
        embedder=MeanEmbedder(),
        passive=Says(score),
        levels=[PROFILES[name] for name in levels],
        limits=CaptureSettings(),
    )


def test_a_session_is_judged_as_the_service_would(
    tmp_path: Path, turns: Challenge, filmed: list[SimulatedFrame]
) -> None:
    """Accepted at both levels, every gate's value is there; a level with a flash is left out: none was shown."""
    folder = write_session(tmp_path / "s", turns, filmed)
    judge = judge_of(filmed, *PROFILES)
    trials = list(judge.item(Item(folder, "session", BONA_FIDE)))
    assert [(one.level, one.verdict) for one in trials] == [("motion", "accepted"), ("motion+passive", "accepted")]
    assert trials[0].values["parallax", "gamma"] > MOTION.parallax
    assert trials[1].values[PASSIVE] == pytest.approx(0.9)


def test_each_gate_is_measured_though_one_denies(
    tmp_path: Path, turns: Challenge, filmed: list[SimulatedFrame]
) -> None:
    folder = write_session(tmp_path / "s", turns, filmed)
    (trial,) = judge_of(filmed, "motion+passive", score=0.1).item(Item(folder, "session", "mask"))
    assert (trial.verdict, trial.by) == ("denied", "passive")
    gates = {gate for gate, _ in trial.values}
    assert gates == {"continuity", "motion", "parallax", "plane", "identity", "passive"}
    assert {("parallax", "gamma"), PASSIVE} <= set(trial.values)
    (unclear,) = judge_of(filmed, "motion+passive", score=0.6).item(Item(folder, "session", "mask"))
    assert (unclear.verdict, unclear.by) == ("unclear", "passive")


def test_what_cannot_be_judged_is_no_response(
    tmp_path: Path, turns: Challenge, filmed: list[SimulatedFrame]
) -> None:
    judge = judge_of([], "motion")
    folder = write_session(tmp_path / "s", turns, filmed)
    (unseen,) = judge.item(Item(folder, "session", BONA_FIDE))
    assert (unseen.verdict, unseen.by) == ("no response", "no_face")
    put(folder / "000.jpg", b"no picture")
    (unread,) = judge.item(Item(folder, "session", BONA_FIDE))
    assert (unread.verdict, unread.by) == ("no response", "unreadable")
    put(tmp_path / "a.jpg", b"no picture")
    (picture,) = judge.item(Item(tmp_path / "a.jpg", "picture", "print"))
    assert (picture.level, picture.verdict) == (SINGLE, "no response")


@pytest.mark.parametrize(("score", "verdict"), [(0.9, "accepted"), (0.6, "unclear"), (0.2, "denied")])
def test_a_picture_is_shown_to_the_passive_models(
    tmp_path: Path, filmed: list[SimulatedFrame], score: float, verdict: str
) -> None:
    put(tmp_path / "a.jpg", filmed[0].jpeg)
    (trial,) = judge_of(filmed, "motion", score=score).item(Item(tmp_path / "a.jpg", "picture", "print"))
    assert (trial.level, str(trial.verdict)) == (SINGLE, verdict)
    assert trial.values[PASSIVE] == pytest.approx(score)


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"challenge": 3}', '{"challenge": {}, "timeline": []}', '{"timeline": [], "challenge": 1}'],
)
def test_a_wrong_challenge_file_is_refused(tmp_path: Path, content: str) -> None:
    put(tmp_path / "s" / "challenge.json", content.encode())
    put(tmp_path / "s" / "1.jpg")
    with pytest.raises(InvalidRequest):
        read_session(tmp_path / "s", CaptureSettings())


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, filmed: list[SimulatedFrame]) -> Path:
    """The session as a film, 12 frames a second."""
    path = tmp_path_factory.mktemp("film") / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 12, (640, 480))
    for frame in filmed:
        picture = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        writer.write(picture)
    writer.release()
    return path


def test_a_film_with_a_timeline_is_a_session(
    tmp_path: Path, turns: Challenge, filmed: list[SimulatedFrame], film: Path
) -> None:
    folder = tmp_path / "s"
    timeline = [{"step": frame.step, "t_ms": frame.t_ms} for frame in filmed]
    put(folder / "film.avi", film.read_bytes())
    for told_of, fits in ((timeline, True), (timeline[1:], False), ([1] * len(timeline), False)):
        write_session(folder, turns, [], timeline=told_of)
        if fits:
            recording = read_session(folder, CaptureSettings())
            assert [frame.step for frame in recording.frames] == [frame.step for frame in filmed]
            assert len({frame.digest for frame in recording.frames}) == len(filmed)
        else:
            with pytest.raises(InvalidTimeline):
                read_session(folder, CaptureSettings())


def test_a_clip_is_put_to_what_it_happens_to_answer(film: Path, filmed: list[SimulatedFrame]) -> None:
    """A left and a right turn are found in a film that says nothing of itself."""
    frames = read_film(film)
    assert len(frames) == len(filmed)
    found: dict[int, Sequence[DetectedFace]] = {
        number: [DetectedFace((0.0, 0.0, 9.0, 9.0), shot.landmarks, 1.0)] for number, shot in enumerate(filmed)
    }
    recordings = find_recordings(frames, found, MOTION)
    assert [[step.kind for step in one.challenge.steps] for one in recordings] == [
        ["center", "turn_left", "center", "turn_right"]
    ]
    still = dict.fromkeys(found, found[0])
    assert find_recordings(frames, still, MOTION) == []
    assert find_recordings(frames, dict.fromkeys(found, ()), MOTION) == []


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "a.mp4", b"no film")
    with pytest.raises(InvalidRequest, match="film"):
        read_film(tmp_path / "a.mp4")


def test_levels() -> None:
    assert [one.name for one in levels_of([], passive=False)] == ["motion", "motion+flash"]
    assert len(levels_of([], passive=True)) == 4
    assert [one.name for one in levels_of(["motion+passive"], passive=True)] == ["motion+passive"]
    with pytest.raises(InvalidRequest, match="pad-minifasnet"):
        levels_of(["motion+passive"], passive=False)
    with pytest.raises(InvalidRequest, match="Known ones"):
        levels_of(["nonesuch"], passive=True)


# --- how it is counted ------------------------------------------------------------------------------------------


def trial(species: str, verdict: Any, live: float | None = None, channel: Any = "presentation") -> Trial:
    values = {} if live is None else {PASSIVE: live}
    by = "" if verdict == "accepted" else "passive"
    return Trial("motion+passive", "session", species, channel, verdict, by, values)


TRIALS = [
    *(trial(BONA_FIDE, "accepted", 0.95) for _ in range(18)),
    trial(BONA_FIDE, "unclear", 0.7),
    trial(BONA_FIDE, "denied", 0.3),
    trial(BONA_FIDE, "no response"),
    *(trial("print", "denied", 0.1) for _ in range(30)),
    *(trial("screen", "denied", 0.2) for _ in range(9)),
    trial("screen", "accepted", 0.9),
    *(trial("canvas", "accepted", 0.99, "injection") for _ in range(4)),
]


def test_the_worst_species_is_named_and_nothing_averaged() -> None:
    """R5, R6: by species, the worst first; what is injected counts among no presentations."""
    (result,) = pad_report.summarise(TRIALS)
    assert result.worst is not None
    assert (result.worst.species, result.worst.wrong) == ("screen", Rate(1, 10))
    assert [one.species for one in result.attacks] == ["screen", "print"]
    assert [(one.species, one.wrong) for one in result.injections] == [("canvas", Rate(4, 4))]
    assert result.bona_fide is not None
    assert (result.bona_fide.wrong, result.bona_fide.unclear) == (Rate(2, 20), 1)
    assert result.bona_fide.no_response == Rate(1, 21)
    (gate,) = result.gates
    assert gate.missed == Rate(2, 20)
    assert gate.wrong == {"canvas": Rate(4, 4), "print": Rate(0, 30), "screen": Rate(1, 10)}


def test_among_species_without_an_error_the_one_least_tried_is_worst() -> None:
    """R3: none of 3 says less than none of 30."""
    few = [*(trial("print", "denied") for _ in range(30)), *(trial("mask", "denied") for _ in range(3))]
    (result,) = pad_report.summarise(few)
    assert result.worst is not None
    assert result.worst.species == "mask"


def test_the_report_tells_rates_with_their_trials() -> None:
    """R3, R24: n and an interval everywhere; no value of a single presentation."""
    results = pad_report.summarise(TRIALS)
    page = pad_report.as_markdown(results, ["det.png"], pack="open", passive="pad-minifasnet")
    assert "Worst species: **screen**" in page
    assert "(1 of 10)" in page
    assert "passive? 1" in page
    assert "Injected, past the camera" in page
    assert "0.95" not in page.replace("95 %", "")
    wire = pad_report.as_json(results, pack="open", passive="pad-minifasnet")
    level = json.loads(json.dumps(wire))["levels"][0]
    assert level["worst_species"] == "screen"
    assert level["attacks"][0]["rate"] | {"low": 0, "high": 0} == {
        "rate": 0.1,
        "low": 0,
        "high": 0,
        "events": 1,
        "trials": 10,
    }


def test_nothing_judged_is_no_rate() -> None:
    (result,) = pad_report.summarise([trial("print", "no response")])
    assert result.worst is None
    assert "nothing was judged" in pad_report.as_markdown([result], [], pack="open", passive="")


def test_det_curves(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert [file.name for file in write_plots(TRIALS, tmp_path)] == ["det-motion-passive-passive-live.png"]
    assert (tmp_path / "det-motion-passive-passive-live.png").stat().st_size > 1000
    assert det(TRIALS[:18], PASSIVE, "no attacks") is None


# --- what the service observed ----------------------------------------------------------------------------------


def test_observed_values_in_two_lines_each() -> None:
    """R24: percentiles of many, and none of a few."""
    many = Measured("parallax", "gamma", tuple(np.linspace(0, 1, 101)), (0.5,) * (LEAST - 1))
    found = summary([Outcomes("motion", {"accepted": 101, "parallax": 19})], [many])
    assert as_lines(found) == [
        "motion: accepted 101, parallax 19",
        "parallax gamma, accepted: 101 values; 5th, 50th, 95th percentile 0.050, 0.500, 0.950",
        f"parallax gamma, denied: 19 values, too few to tell percentiles ({LEAST} are needed)",
    ]
