"""Many simulated sessions: filmed and judged by one process a core, each outcome written down as it comes.

A campaign takes hours on a small machine. So the kinds take turns, seed by seed, and whenever it is stopped every
kind has as many sessions as the others; started again with the same file it goes on where it was.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import cv2

from faceauth.bench.pad import Judge, Trial
from faceauth.bench.pad_films import film
from faceauth.bench.pad_fixtures import Portrait
from faceauth.bench.pad_items import BONA_FIDE
from faceauth.errors import InvalidRequest
from faceauth.liveness.profiles import Profile
from faceauth.simulate.attacks import SPECIES

KINDS: Final = (BONA_FIDE, *SPECIES)
"""Whom and what a campaign puts before the camera."""

AHEAD: Final = 4
"""Sessions a process is given at a time: enough that none waits, few enough that stopping loses little."""

_BEGIN: Final = '{"of": "'
"""How each line of outcomes begins."""

Made = Callable[[], Judge]
Key = tuple[str, int, bool]
"""The kind, the seed, and whether colours were shown."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is filmed: so many sessions of each kind, from this seed on, of these portraits."""

    portraits: Sequence[Portrait]
    sessions: int
    seed: int

    def keys(self, levels: Sequence[Profile]) -> list[Key]:
        """Return every session, so that at any moment all kinds have had as many, but for one."""
        flashes = sorted({level.flash for level in levels})
        numbers = range(self.seed, self.seed + self.sessions)
        return [(kind, number, flash) for number in numbers for flash in flashes for kind in KINDS]

    def fingerprint(self, judge: Judge, pack: str) -> str:
        """Return a digest of all that decides what comes out: pack, thresholds, portraits and passive models."""
        digest = hashlib.sha256(repr((pack, list(judge.levels), judge.passive is not None)).encode())
        for portrait in self.portraits:
            digest.update(portrait.photo.tobytes())
            digest.update(portrait.landmarks.tobytes())
        return digest.hexdigest()[:16]


class Outcomes:
    """A file of outcomes, one line a session: ``{"of", "kind", "seed", "flash", "trials"}``.

    Lines of other campaigns, with other thresholds or another pack, may lie in the same file; they are left alone.
    A last line that was cut off is left out.
    """

    def __init__(self, path: Path | None, fingerprint: str) -> None:
        """Go on with `path`; without one nothing is kept."""
        self._path, self._of = path, fingerprint
        self._whole = False

    def read(self) -> dict[Key, list[Trial]]:
        """Return what is there already.

        Raises:
            InvalidRequest: the file is none of outcomes.
        """
        if self._path is None or not self._path.exists():
            return {}
        found: dict[Key, list[Trial]] = {}
        lines = self._path.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            try:
                said = json.loads(line)
                if said["of"] == self._of:
                    key = (str(said["kind"]), int(said["seed"]), bool(said["flash"]))
                    found[key] = [_trial(one) for one in said["trials"]]
            except (ValueError, KeyError, TypeError) as error:
                if number == len(lines) and line.startswith(_BEGIN):
                    break  # it was being written when the campaign was stopped
                raise InvalidRequest(f"Line {number} of {self._path} is no outcome. Name another file.") from error
        return found

    def add(self, key: Key, trials: Sequence[Trial]) -> None:
        """Write one session's outcome down."""
        if self._path is None:
            return
        kind, seed, flash = key
        said = {
            "of": self._of,
            "kind": kind,
            "seed": seed,
            "flash": flash,
            "trials": [_said(one) for one in trials],
        }
        self._cut()
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")

    def _cut(self) -> None:
        """Take away a last line that was not finished, once: what follows would be added to it."""
        if self._path is None or self._whole or not self._path.exists():
            return
        text = self._path.read_bytes()
        if not text.endswith(b"\n"):
            with self._path.open("r+b") as file:
                file.truncate(text.rfind(b"\n") + 1)
        self._whole = True


def run(
    plan: Plan,
    made: Made,
    levels: Sequence[Profile],
    outcomes: Outcomes,
    *,
    jobs: int,
    progress: Callable[[int, int], None],
) -> Iterator[Trial]:
    """Film and judge what the outcomes do not hold yet, and yield every trial of the plan, the kinds in turn.

    Args:
        plan: what is filmed.
        made: makes what judges; it is called in each process, so it is a function of a module.
        levels: the levels that are judged.
        outcomes: what is there, and where the rest is written.
        jobs: processes.
        progress: is told how many sessions are done, and of how many.
    """
    keys = plan.keys(levels)
    done = {key: trials for key, trials in outcomes.read().items() if key in set(keys)}
    for key, trials in _results(plan, made, [key for key in keys if key not in done], jobs):
        outcomes.add(key, trials)
        done[key] = trials
        progress(len(done), len(keys))
    for key in keys:
        yield from done[key]


def _results(plan: Plan, made: Made, keys: Sequence[Key], jobs: int) -> Iterator[tuple[Key, list[Trial]]]:
    if jobs == 1:
        judge = made()
        yield from ((key, one_session(judge, plan.portraits, key)) for key in keys)
        return
    # Spawned, not forked: ONNX Runtime's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _start, (made, list(plan.portraits))) as pool:
        left, running = iter(keys), set[Future[tuple[Key, list[Trial]]]]()
        try:
            while True:
                running |= {pool.submit(_work, key) for key in islice(left, AHEAD * jobs - len(running))}
                if not running:
                    return
                ready, running = wait(running, return_when=FIRST_COMPLETED)
                for one in ready:
                    yield one.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def one_session(judge: Judge, portraits: Sequence[Portrait], key: Key) -> list[Trial]:
    """Film one session and judge it at every level that shows colours, or none, as it does."""
    kind, seed, flash = key
    level = next(one for one in judge.levels if one.flash == flash)
    item, recording = film(kind, portraits[seed % len(portraits)], level, seed=seed, limits=judge.limits)
    return list(judge.recording(item, recording))


_WORKER: dict[str, Any] = {}
"""What a process of its own keeps between two sessions."""


def _start(made: Made, portraits: list[Portrait]) -> None:
    cv2.setNumThreads(1)  # there is a process a core
    _WORKER.update(judge=made(), portraits=portraits)


def _work(key: Key) -> tuple[Key, list[Trial]]:
    return key, one_session(_WORKER["judge"], _WORKER["portraits"], key)


def _said(trial: Trial) -> dict[str, Any]:
    values = {"/".join(key): round(value, 5) for key, value in trial.values.items()}
    return {
        **{name: getattr(trial, name) for name in ("level", "kind", "species", "channel", "verdict", "by")},
        "values": values,
    }


def _trial(said: dict[str, Any]) -> Trial:
    values = {(key.split("/")[0], key.split("/")[1]): float(value) for key, value in said["values"].items()}
    return Trial(**{**said, "values": values})
