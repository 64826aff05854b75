"""Attacks before the simulated camera, by name (PAI species of ISO/IEC 30107-3), and the screen that replays."""

import bisect
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import cv2
import numpy as np

from faceauth.simulate.motion import Manner
from faceauth.simulate.session import SimulatedFrame, simulate_session
from faceauth.simulate.surface import TEXTURE_UNIT, Head, Print, Subject, Surface, opaque
from faceauth.types import Challenge, Image, Points

Species = Literal[
    "still_photograph",
    "flat_print_turned",
    "flat_print_waved",
    "bent_print_turned",
    "bent_more_print_turned",
    "flat_print_swung",
    "bent_print_swung",
    "bent_more_print_swung",
    "cut_out_swung",
    "screen_photograph_turned",
    "screen_replay",
    "head_shaking_replay",
]
"""Presentation attacks that `record` knows."""

SPECIES: tuple[Species, ...] = get_args(Species)

BEND_RADIUS = 1.6
"""Radius of a bent print in eye distances of 63 mm: 10 cm."""

BEND_MORE = 1.11
"""The same of 7 cm, about as round as a face is."""

BEHIND: tuple[float, float, float] = (0.0, 0.7, -1.2)
"""What a print is swung about, the neck's axis of the person on it: its texture goes where a head's goes."""


class CutOut:
    """The face cut out of a photograph along its outline: no edge of paper is in sight."""

    def __init__(self, photo: Image, landmarks: Points) -> None:
        """Cut `photo`, (H, W, 3) RGB, out round the head of `landmarks`, shape (5, 2)."""
        worn = Head(photo, landmarks).surface
        points = worn.landmarks.copy()
        points[:, 2] = 0.0
        self.surface = replace(worn, z=np.zeros_like(worn.z), landmarks=points, pivot=BEHIND)

    def surface_at(self, t_ms: int) -> Surface:  # noqa: ARG002  paper looks the same at any time
        """Return the cut-out."""
        return self.surface


_PRINTS: dict[Species, tuple[float, bool]] = {
    "flat_print_turned": (np.inf, False),
    "bent_print_turned": (BEND_RADIUS, False),
    "bent_more_print_turned": (BEND_MORE, False),
    "flat_print_swung": (np.inf, True),
    "bent_print_swung": (BEND_RADIUS, True),
    "bent_more_print_swung": (BEND_MORE, True),
}
"""Sheets that are turned as told: the bend's radius, and whether about an axis behind them."""


class Screen:
    """A flat screen that plays recorded frames."""

    def __init__(self, frames: Sequence[SimulatedFrame]) -> None:
        """Play `frames`, starting with the session; the last one stays."""
        self._frames = list(frames)
        self._starts = [frame.t_ms - frames[0].t_ms for frame in frames]
        self._shown: tuple[int, Surface] | None = None

    def surface_at(self, t_ms: int) -> Surface:
        """Return the screen with the frame that plays at `t_ms`."""
        number = max(bisect.bisect_right(self._starts, t_ms) - 1, 0)
        if self._shown is None or self._shown[0] != number:
            self._shown = (number, self._show(self._frames[number]))
        return self._shown[1]

    @staticmethod
    def _show(frame: SimulatedFrame) -> Surface:
        encoded = cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
        if encoded is None:
            raise ValueError("A recorded frame is no JPEG.")
        pixels = np.asarray(encoded, dtype=np.uint8)
        high, wide = pixels.shape[:2]
        unit = 0.18 * high  # so that the face on the screen is as large as a face before it
        u, v = np.meshgrid(
            np.arange(0, wide - 1, unit / 40, dtype=np.float32),
            np.arange(0, high - 1, unit / 40, dtype=np.float32),
        )
        middle = np.array([wide / 2, high / 2 - 0.55 * unit], dtype=np.float32)
        x, y = (u - middle[0]) / unit, (v - middle[1]) / unit
        points = np.zeros((5, 3), dtype=np.float32)
        points[:, :2] = (frame.landmarks - middle) / unit
        return Surface(opaque(pixels), x, y, np.zeros_like(x), u, v, points, pivot=(0.0, 0.6, 0.0), emits=True)


def record(
    species: Species,
    photo: Image,
    landmarks: Points,
    challenge: Challenge,
    *,
    seed: int,
    size: tuple[int, int] = (640, 480),
    fps: float = 12,
    stolen: Challenge | None = None,
) -> list[SimulatedFrame]:
    """Return the frames of an attack with one photograph of the victim.

    `screen_replay` plays a recording in which the victim answered the challenge `stolen`;
    `head_shaking_replay` one in which the victim turns left and right all the time.
    """
    subject: Subject
    manner: Manner = "obey"
    if species == "still_photograph":
        subject, manner = Print(photo, landmarks), "still"
    elif species == "flat_print_waved":
        subject, manner = Print(photo, landmarks), "wave"
    elif species in _PRINTS:
        radius, swung = _PRINTS[species]
        sheet = Print(photo, landmarks, radius=radius)
        sheet.surface = replace(sheet.surface, pivot=BEHIND) if swung else sheet.surface
        subject = sheet
    elif species == "cut_out_swung":
        subject = CutOut(photo, landmarks)
    elif species == "screen_photograph_turned":
        subject = Print(photo, landmarks, emits=True)
    else:
        how: Manner = "shake" if species == "head_shaking_replay" else "obey"
        victim = Head(photo, landmarks, seed=seed)
        subject = Screen(simulate_session(victim, stolen or challenge, seed=seed + 1, fps=fps, manner=how))
        manner = "still"
    return simulate_session(subject, challenge, seed=seed, size=size, fps=fps, manner=manner)


__all__ = [
    "BEHIND",
    "BEND_MORE",
    "BEND_RADIUS",
    "SPECIES",
    "TEXTURE_UNIT",
    "CutOut",
    "Screen",
    "Species",
    "record",
]
