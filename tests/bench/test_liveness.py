"""`faceauth bench liveness`: each stage's share of one session's CPU time (issue 5, speed)."""

from pathlib import Path

import pytest

from faceauth.bench.accuracy import detector_of
from faceauth.bench.liveness import STAGES, LivenessCost, SessionCost, liveness_cost, write_plot
from faceauth.bench.pad import Judge
from faceauth.bench.pad_fixtures import Portrait
from faceauth.capture.faces import FaceReader
from faceauth.embed.packs import load_pack
from faceauth.liveness.profiles import MOTION_FLASH
from faceauth.sections import CaptureSettings


def cost(frames: int, each: float, outcome: str = "accepted") -> SessionCost:
    return SessionCost(frames, dict.fromkeys(STAGES, each), outcome)


def test_medians_and_the_scale_of_the_study() -> None:
    found = LivenessCost("motion+flash", [cost(60, 10.0), cost(60, 20.0), cost(60, 90.0, "motion")])
    told = found.as_json()
    assert told["cpu_ms"] == 20.0 * len(STAGES)
    assert told["cpu_ms_of_40_frames"] == pytest.approx(20.0 * len(STAGES) * 40 / 60)
    assert told["cpu_ms_least_most"] == [10.0 * len(STAGES), 90.0 * len(STAGES)]
    assert told["outcomes"] == {"accepted": 2, "motion": 1}
    assert all(spent == 20.0 for spent in told["stages_cpu_ms"].values())
    lines = found.lines()
    assert len(lines) == len(STAGES) + 2
    assert "median of 3" in lines[0]
    assert "900 to 1000" in lines[-1]


def test_the_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="plots are an extra")
    file = write_plot(LivenessCost("motion", [cost(40, 1.0)]), tmp_path)
    assert file.read_bytes().startswith(b"\x89PNG")


def test_a_real_session_is_measured_stage_by_stage(models_dir: Path) -> None:
    """Each stage of a session without passive models takes some time, and none is counted twice."""
    pytest.importorskip("insightface", reason="its photograph lends the faces")
    from faceauth.demo.people import group_cast  # noqa: PLC0415  after the check that its package is there

    pack = load_pack("open", models_dir)
    detector = detector_of(pack)
    ann = group_cast(detector).everybody[0].first
    judging = Judge(
        reader=FaceReader(detector, pack.embedder.template),
        embedder=pack.embedder,
        passive=None,
        levels=[MOTION_FLASH],
        limits=CaptureSettings(),
    )
    try:
        found = liveness_cost(
            judging,
            detector,
            pack.embedder.template,
            [Portrait(ann.image, ann.landmarks)],
            sessions=1,
            progress=lambda *_: None,
        )
    finally:
        pack.close()
    (session,) = found.sessions
    assert session.outcome == "accepted"
    assert session.frames > 40
    assert session.stages_ms["passive"] == 0
    assert all(spent > 0 for name, spent in session.stages_ms.items() if name != "passive"), session.stages_ms
