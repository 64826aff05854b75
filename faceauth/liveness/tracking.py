"""Texture followed from frame to frame: what the skin did, as no detector's idea of a face can tell it.

Pyramidal Lucas-Kanade (Bouguet's implementation in OpenCV) on corners by Shi and Tomasi, CVPR 1994. A point is
kept only if following it back leads to where it came from (Kalal et al., "Forward-Backward Error", ICPR 2010).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.liveness.geometry import FaceFrame
from faceauth.types import AlignedFace

SCALE = 48.0
"""Pixels between the eyes in the pictures that are tracked; smaller is faster and, on camera noise, steadier."""
MOST_POINTS = 220
LEAST_APART = 3
WINDOW = (13, 13)
LEVELS = 2
BACK_PX = 0.7
"""How far, in those pixels, a point followed there and back may end from its start."""

Grey = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Points of one frame followed through the frames after it.

    `at` has shape (frames, points, 2), in pixels of the camera's picture, `alive` (frames, points); the first row
    is where they started. `face` is the start frame's face frame.
    """

    at: NDArray[np.float32] = field(repr=False)
    alive: NDArray[np.bool_] = field(repr=False)
    face: FaceFrame

    def survival(self) -> float:
        """Return the share of points that are still followed in the last frame."""
        return float(self.alive[-1].mean()) if self.alive.shape[1] else 0.0

    def pair(self, frame: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the points still followed in a frame: where they started and where they are, in the face."""
        kept = self.alive[frame]
        return self.face.into(self.at[0, kept]), self.face.into(self.at[frame, kept])


class Footage:
    """A burst's frames in grey, cut to where the face is and brought to one size."""

    def __init__(self, faces: Sequence[AlignedFace]) -> None:
        """Cut the frames; `faces` come in order."""
        self._faces = faces
        landmarks = np.stack([face.face.landmarks for face in faces]).astype(np.float64)
        eyes = float(np.median(np.hypot(*(landmarks[:, 1] - landmarks[:, 0]).T)))
        high, wide = faces[0].frame.pixels.shape[:2]
        low, top = landmarks.min(axis=(0, 1)) - 1.3 * eyes, landmarks.max(axis=(0, 1)) + 1.3 * eyes
        self._left, self._top = (int(max(value, 0)) for value in low)
        self._right, self._bottom = int(min(top[0], wide)), int(min(top[1], high))
        self._ratio = min(SCALE / max(eyes, 1.0), 1.0)
        self._grey = [self._cut(face) for face in faces]

    def _cut(self, face: AlignedFace) -> Grey:
        part = face.frame.pixels[self._top : self._bottom, self._left : self._right]
        grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
        size = (max(round(grey.shape[1] * self._ratio), 16), max(round(grey.shape[0] * self._ratio), 16))
        return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def track(self, frames: range) -> Track:
        """Follow the face's texture from the first frame of `frames` through the others."""
        start = self._faces[frames[0]].face.landmarks
        points = self._corners(frames[0], start)
        at, alive = [points], [np.ones(len(points), dtype=bool)]
        for before, after in pairwise(frames):
            points, kept = _follow(self._grey[before], self._grey[after], points)
            at.append(points)
            alive.append(alive[-1] & kept)
        offset = np.array([self._left, self._top], dtype=np.float32)
        return Track(np.stack(at) / self._ratio + offset, np.stack(alive), FaceFrame.of(start))

    def _corners(self, frame: int, landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
        grey = self._grey[frame]
        local = (landmarks - np.array([self._left, self._top])) * self._ratio
        eyes, mouth = local[:2].mean(axis=0), local[3:].mean(axis=0)
        down = mouth - eyes
        middle = eyes + 0.40 * down
        length, width = float(np.hypot(*down)), float(np.hypot(*(local[1] - local[0])))
        mask = np.zeros_like(grey)
        angle = float(np.degrees(np.arctan2(-down[0], down[1])))
        axes = (round(0.95 * width), round(1.15 * length))
        cv2.ellipse(mask, (round(float(middle[0])), round(float(middle[1]))), axes, angle, 0, 360, 255, -1)
        found = cv2.goodFeaturesToTrack(grey, MOST_POINTS, 0.004, LEAST_APART, mask=mask, blockSize=5)
        # OpenCV answers None, not an empty list, where there are no corners; its stubs do not say so.
        corners = [] if found is None else found  # type: ignore[redundant-expr]
        return np.asarray(corners, dtype=np.float32).reshape(-1, 2)


def _follow(
    before: Grey, after: Grey, points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    if not len(points):
        return points, np.zeros(0, dtype=bool)
    there, gone = _flow(before, after, points)
    back, lost = _flow(after, before, there)
    kept = ~gone & ~lost & (np.hypot(*(back - points).T) < BACK_PX)
    return there, kept


def _flow(before: Grey, after: Grey, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return where the points went, and which were lost."""
    guess = points[:, None].copy()
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points[:, None], guess, winSize=WINDOW, maxLevel=LEVELS
    )
    return np.asarray(there, dtype=np.float32).reshape(-1, 2), np.asarray(found.ravel() == 0, dtype=bool)
