"""Texture followed from frame to frame: what the skin did, as no detector's idea of a face can tell it.

Pyramidal Lucas-Kanade (Bouguet's implementation in OpenCV) on a grid over the face. A point is kept only if
following it back leads to where it came from (Kalal et al., "Forward-Backward Error", ICPR 2010).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.liveness.geometry import FaceFrame
from faceauth.types import AlignedFace, Points

SCALE = 48.0
"""Pixels between the eyes in the pictures that are tracked; smaller is faster and, on camera noise, steadier."""
APART = 0.12
"""Between two points, in eye distances. A grid and no corners: corners crowd on eyes and mouth and leave out the
nose, and the nose is what counts."""
WINDOW = (9, 9)
"""Pixels; a fifth of the way between the eyes. Larger ones mix the nose with the cheek behind it, and lose the
parallax: docs/liveness.md has the comparison."""
LEVELS = 2
BACK_PX = 0.7
"""How far, in those pixels, a point followed there and back may end from its start."""
SETTLED_PX = 2.5
"""How far a direct look from the first frame may move a point that was followed: more is a mistake."""

LEAST_POINTS = 12
"""Points from which on an affine map, of six numbers, is more than a guess."""

Grey = NDArray[np.uint8]
Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Points in the face's frame before a motion and in it, shape (n, 2) each."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Points of the first of `frames` followed through the others.

    `at` has shape (frames, points, 2), in pixels of the cut pictures, `alive` (frames, points); the first row is
    where they started. `face` maps those pixels to the face's frame of the first frame.
    """

    frames: range
    at: NDArray[np.float32] = field(repr=False)
    alive: NDArray[np.bool_] = field(repr=False)
    face: FaceFrame

    def left(self) -> int:
        """Return how many points are still followed in the last frame."""
        return int(self.alive[-1].sum())

    def furthest(self, axis: int, sign: float, *, least: int, most: float, count: int) -> list[int]:
        """Return the `count` frames in which the face went furthest along an axis, but not beyond `most`.

        What counts is the texture: a detector's landmarks may go where the face did not.

        Args:
            axis: 0 along the eyes, 1 across them.
            sign: 1 or -1, the direction.
            least: how many points a frame must have left.
            most: eye distances; who goes further hides a part of the face, and points are lost.
            count: how many frames.
        """
        start = self.face.into(self.at[0])[:, axis]
        way = [
            sign * float(np.median((self.face.into(at)[:, axis] - start)[alive]))
            if alive.sum() >= least
            else -np.inf
            for at, alive in zip(self.at, self.alive, strict=True)
        ]
        best = min(max(way), most)
        return [self.frames[int(number)] for number in np.argsort(np.abs(np.array(way) - best))[:count]]

    def grown(self, *, least: int) -> tuple[float, int]:
        """Return by how much the face's texture grew at most, and in which frame; `least` as in `furthest`."""
        spread = [
            float(np.sqrt(at[alive].var(axis=0).sum() / max(float(self.at[0, alive].var(axis=0).sum()), 1e-9)))
            if alive.sum() >= max(least, 2)
            else 0.0
            for at, alive in zip(self.at, self.alive, strict=True)
        ]
        most = int(np.argmax(spread))
        return spread[most], self.frames[most]

    def kept(self) -> float:
        """Return the share of points that the worst step from one frame to the next has left."""
        counts = self.alive.sum(axis=1)
        return float(np.min(counts[1:] / np.maximum(counts[:-1], 1)))


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

    def track(self, frames: range, landmarks: Points | None = None) -> Track:
        """Follow the face's texture from the first frame of `frames` through the others.

        `landmarks` are steadier ones of the first frame, shape (5, 2), where there are some.
        """
        corner = np.array([self._left, self._top], dtype=np.float32)
        first = self._faces[frames[0]].face.landmarks if landmarks is None else landmarks
        face = FaceFrame.of((first - corner) * np.float32(self._ratio))
        points = face.out_of(_grid())
        at, alive = [points], [np.ones(len(points), dtype=bool)]
        for before, after in pairwise(frames):
            points, left = points.copy(), alive[-1].copy()
            if left.any():  # nobody asks where a point is that was lost before
                points[left], kept = _follow(self._grey[before], self._grey[after], points[left])
                left[left] = kept
            at.append(points)
            alive.append(left)
        return Track(frames, np.stack(at), np.stack(alive), face)

    def steadied(self, track: Track) -> list[Points]:
        """Return the landmarks of each of a track's frames, steadied by the texture, shape (5, 2) each.

        A detector's landmarks tremble by pixels from frame to frame; the texture says how the face really went. So
        all frames' landmarks are brought to the first one along it, and their median goes back to each frame.

        Raises:
            ValueError: a frame has no texture left to go by.
        """
        corner = np.array([self._left, self._top], dtype=np.float32)
        ways = [_affine(track.at[0, alive], at[alive]) for at, alive in zip(track.at, track.alive, strict=True)]
        seen = [(self._faces[frame].face.landmarks - corner) * np.float32(self._ratio) for frame in track.frames]
        first = np.median(
            [(points - way[2]) @ np.linalg.inv(way[:2]) for points, way in zip(seen, ways, strict=True)], axis=0
        )
        return [np.asarray((first @ way[:2] + way[2]) / self._ratio + corner, dtype=np.float32) for way in ways]

    def pair(self, track: Track, frame: int) -> Pair:
        """Return where a track's points started and where they are in `frame`, both in the face's frame.

        Each is looked for once more, directly from the first frame: from frame to frame small errors add up.
        """
        number = track.frames.index(frame)
        kept = track.alive[number]
        start, guess = track.at[0, kept], track.at[number, kept]
        if not len(start):
            return track.face.into(start), track.face.into(guess)
        there, lost = _flow(self._grey[track.frames[0]], self._grey[frame], start, guess)
        good = ~lost & (np.hypot(*(there - guess).T) < SETTLED_PX)
        return track.face.into(start[good]), track.face.into(there[good])


def _affine(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float64]:
    """Fit the affine map between points, shape (3, 2): two rows for the plane, one for the shift."""
    if len(before) < LEAST_POINTS:
        raise ValueError("too few points to follow the face by")
    design = np.column_stack([before, np.ones(len(before))]).astype(np.float64)
    return np.asarray(np.linalg.lstsq(design, after.astype(np.float64), rcond=None)[0], dtype=np.float64)


def _grid() -> NDArray[np.float64]:
    """Return points over the face's oval, shape (n, 2), in the face's frame."""
    x, y = np.meshgrid(np.arange(-0.84, 0.85, APART), np.arange(-0.48, 1.33, APART))
    inside = np.hypot(x / 0.95, (y - 0.42) / 1.0) <= 1.0
    return np.column_stack([x[inside], y[inside]])


def _follow(
    before: Grey, after: Grey, points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    there, gone = _flow(before, after, points)
    back, lost = _flow(after, before, there)
    kept = ~gone & ~lost & (np.hypot(*(back - points).T) < BACK_PX)
    return there, kept


def _flow(
    before: Grey, after: Grey, points: NDArray[np.float32], guess: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return where the points went, and which were lost; with a guess it is only settled."""
    to = (points if guess is None else guess)[:, None].copy()
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        points[:, None],
        to,
        winSize=WINDOW,
        maxLevel=LEVELS if guess is None else 0,
        flags=0 if guess is None else cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.asarray(there, dtype=np.float32).reshape(-1, 2), np.asarray(found.ravel() == 0, dtype=bool)
