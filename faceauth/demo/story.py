"""The story of the demo, act by act. A line that is not as expected ends it."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from faceauth.capture.detect import build_detector
from faceauth.demo.agreeing import asked_first, enrolment
from faceauth.demo.leaving import closing, withdrawal
from faceauth.demo.line import Line
from faceauth.demo.login import another_person, flat_photograph, new_scenario, replay, right_person
from faceauth.demo.people import Cast, folder_cast, group_cast
from faceauth.demo.stage import Recording, Stage, installed, quiet_log
from faceauth.embed.packs import Pack
from faceauth.embed.sources import Progress
from faceauth.errors import FaceauthError
from faceauth.settings import Settings
from faceauth.types import Detector

MIN_FACE = 40
"""Pixels of the smallest face looked for in a photograph."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One line with the act it belongs to; `act` counts from 1."""

    act: int
    title: str
    line: Line


Act = tuple[str, Callable[[Stage], Iterator[Line]]]


def acts() -> tuple[Act, ...]:
    """Return the acts in their order."""
    login = Recording()

    def logs_in(stage: Stage) -> Iterator[Line]:
        yield from right_person(stage)
        login.parts, login.times, login.steps = stage.recording.parts, stage.recording.times, stage.recording.steps

    return (
        ("Asked first", asked_first),
        ("Enrolment", enrolment),
        ("The right person", logs_in),
        ("Another person", another_person),
        ("A flat photograph", flat_photograph),
        ("A replay", lambda stage: replay(stage, login)),
        ("A new purpose asks again", new_scenario),
        ("Withdrawal", withdrawal),
        ("Closing, and the scan", closing),
    )


def play(stage: Stage) -> Iterator[Scene]:
    """Play the acts until the end, or until a line is not as expected."""
    for number, (title, act) in enumerate(acts(), 1):
        try:
            for line in act(stage):
                yield Scene(number, title, line)
                if not line.as_expected:
                    return
        except FaceauthError as error:
            failed = Line("(the act goes on)", f"{error.code}: {error}", "", as_expected=False)
            yield Scene(number, title, failed)
            return


class Theatre:
    """The stage with its cast, in a folder that is removed afterwards unless `keep` is given."""

    def __init__(self, settings: Settings, *, images: Path | None, keep: bool) -> None:
        self._settings = settings
        self._images = images
        self._keep = keep
        self._stack = ExitStack()

    def open(self, progress: Progress) -> Stage:
        """Make installation and cast.

        Raises:
            FaceauthError: The pack is not installed, or the pictures are not usable.
        """
        if self._keep:
            folder = Path(tempfile.mkdtemp(prefix="faceauth-demo-"))
        else:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="faceauth-demo-")))
        log = self._stack.enter_context(quiet_log())
        installation = self._stack.enter_context(installed(folder, self._settings))
        cast = self._cast(photo_detector(installation.pack), progress)
        return Stage(folder=folder, installation=installation, cast=cast, log=log)

    def close(self) -> None:
        """Close the installation and remove the folder."""
        self._stack.close()

    def _cast(self, detector: Detector, progress: Progress) -> Cast:
        if self._images is None:
            return group_cast(detector, progress=progress)
        return folder_cast(self._images, detector)


def photo_detector(pack: Pack) -> Detector:
    """Return the pack's detector, set to find faces as small as photographs have them."""
    if pack.detector is not None:
        return pack.detector
    options = {**pack.detector_options, "min_face": MIN_FACE}
    return build_detector(pack.detector_kind, pack.detector_sessions, options)
