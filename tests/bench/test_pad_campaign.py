"""`faceauth bench pad --fixtures`: the kinds take turns, and what is written down is not filmed again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from faceauth.bench import pad_campaign
from faceauth.bench.pad import Judge, Trial
from faceauth.bench.pad_campaign import KINDS, Key, Outcomes, Plan, run
from faceauth.bench.pad_fixtures import Portrait
from faceauth.errors import InvalidRequest
from faceauth.liveness.profiles import MOTION, MOTION_FLASH, Profile


@dataclass
class Films:
    """Stands in for camera and gates: every session is denied, and is counted."""

    levels: Sequence[Profile] = (MOTION_FLASH,)
    passive: None = None
    filmed: list[Key] = field(default_factory=list)

    def one(self, _judge: Judge, _portraits: Sequence[Portrait], key: Key) -> list[Trial]:
        self.filmed.append(key)
        values = {("parallax", "gamma"): key[1] / 8}
        return [Trial("motion+flash", "session", key[0], "presentation", "denied", "parallax", values)]


@pytest.fixture
def films(monkeypatch: pytest.MonkeyPatch) -> Films:
    found = Films()
    monkeypatch.setattr(pad_campaign, "one_session", found.one)
    return found


def campaign(films: Films, sessions: int, file: Path | None, of: str = "a") -> list[Trial]:
    plan = Plan([], sessions, seed=0)
    made = lambda: cast("Judge", films)  # noqa: E731  a name for one line
    return list(run(plan, made, films.levels, Outcomes(file, of), jobs=1, progress=lambda _done, _of: None))


def test_the_kinds_take_turns() -> None:
    """Stopped anywhere, no kind has had two sessions more than another."""
    keys = Plan([], 3, seed=7).keys([MOTION_FLASH])
    assert [key[0] for key in keys] == list(KINDS) * 3
    assert [key[1] for key in keys[:: len(KINDS)]] == [7, 8, 9]
    assert {key[2] for key in Plan([], 1, seed=0).keys([MOTION, MOTION_FLASH])} == {False, True}


def test_a_stopped_campaign_goes_on(films: Films, tmp_path: Path) -> None:
    """The last line was cut off: that session is filmed again, and no other."""
    file = tmp_path / "outcomes.jsonl"
    first = campaign(films, 2, file)
    file.write_text(file.read_text()[:-20])
    cut = films.filmed.pop()
    films.filmed.clear()
    again = campaign(films, 3, file)
    assert films.filmed == [cut, *((kind, 2, True) for kind in KINDS)]
    assert again[: len(first)] == first
    films.filmed.clear()
    assert campaign(films, 3, file) == again
    assert not films.filmed


def test_outcomes_of_other_thresholds_do_not_count(films: Films, tmp_path: Path) -> None:
    file = tmp_path / "outcomes.jsonl"
    campaign(films, 1, file, "a")
    films.filmed.clear()
    campaign(films, 1, file, "b")
    assert len(films.filmed) == len(KINDS)


def test_the_fingerprint_follows_what_decides() -> None:
    photo, points = np.zeros((4, 4, 3), np.uint8), np.zeros((5, 2), np.float32)
    plan, other = Plan([Portrait(photo, points)], 1, 0), Plan([Portrait(photo + 1, points)], 1, 0)
    judges = [cast("Judge", Films(levels=levels)) for levels in ((MOTION,), (MOTION_FLASH,))]
    prints = {plan.fingerprint(judges[0], "open"), plan.fingerprint(judges[0], "retail")}
    prints |= {plan.fingerprint(judges[1], "open"), other.fingerprint(judges[0], "open")}
    assert len(prints) == 4


@pytest.mark.parametrize("text", ["hello\nworld\n", "hello"])
def test_a_file_of_something_else_is_named_and_left_alone(films: Films, tmp_path: Path, text: str) -> None:
    file = tmp_path / "notes.txt"
    file.write_text(text)
    with pytest.raises(InvalidRequest, match="Line 1"):
        campaign(films, 1, file)
    assert file.read_text() == text
