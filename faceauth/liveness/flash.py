"""Gate `flash` (G4): the screen's colours are seen on the skin, in their order, and as they fall on a face.

Binding: the colour of the light on the face, less that of the wall behind, follows the sequence that this
challenge told, and none that it might have told. That stops recordings. Shape: nose, cheeks and temples get the
light that their slope gives them. That stops prints, which are lit as well, but flat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from faceauth.errors import LivenessDenied, LivenessInconclusive
from faceauth.liveness.case import Case
from faceauth.liveness.colours import PALETTE, chroma
from faceauth.liveness.depth import Relief
from faceauth.liveness.skin import BLOCKS, SIDE, block_centres, colour_series, on_face
from faceauth.types import AlignedFace, Points, Step

GATE: Final = "flash"

LAGS_MS: Final = np.arange(0, 401, 25)
"""How late the colours may be seen: the display's and the camera's delay (study, G0: 0 to 400 ms)."""
FOLLOWS: Final = 0.8
"""How much of a change one frame shows (study, G4: one-pole smoothing)."""
DECOYS: Final = 200
"""Sequences that might have been told, which must all fit worse."""
FAR: Final = 8.0
"""Eye distances from face to screen, about half a metre; the shape depends little on it."""

Array = NDArray[np.float64]

MIDDLE: Final = 0.5
"""How far below the eyes the screen's middle is taken to be, in eye distances."""
_BESIDE: Final = (-0.15, -0.075, 0.0, 0.075, 0.15)
ASIDE: Final = tuple((right, down) for right in _BESIDE for down in _BESIDE)
"""Where else the nose tip may be: so far may a detector's constant mistake about a face put it."""
QUIETEST: Final = 0.25
"""No block counts as less noisy than this share of the middle one (own figure: a single block decides nothing)."""
FINE: Final = 4
"""Points a side within a block, at which the light is worked out."""
SLOPE: Final = 0.1
"""Half the way over which the face's slope is taken: no block can show a finer one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a flash showed.

    Attributes:
        amplitude: by how much the light on the face changed, as a share of it; whatever changed it.
        rho: correlation with the told sequence, at the best lag.
        decoy: the highest correlation with a sequence that was not told.
        shape: correlation of the response over the face with how light falls on a face.
        lag_ms: the best lag.
    """

    amplitude: float
    rho: float
    decoy: float
    shape: float
    lag_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One flash step with its frames and their steadied landmarks, shape (5, 2) each."""

    step: Step
    faces: Sequence[AlignedFace]
    landmarks: Sequence[Points]


def check_flash(case: Case, shown: Sequence[Shown], tip: Array) -> None:
    """Check all flash steps together.

    Args:
        case: the burst.
        shown: the flash steps.
        tip: the nose tip in the face's frame.

    Raises:
        LivenessInconclusive: too little of the screen's light is seen, as in the sun, or it falls neither as on
            a face nor as on something flat.
        LivenessDenied: gate `flash`.
    """
    if not shown:
        raise LivenessDenied(GATE, "The challenge shows no colours.")
    seen = read_flash(shown, tip, nonce=case.challenge.nonce)
    for name in ("amplitude", "rho", "decoy", "shape", "lag_ms"):
        case.record(GATE, name, float(getattr(seen, name)))
    profile = case.profile
    # Written so that a value that is no number is denied.
    bound = seen.rho >= profile.flash_rho and seen.rho > seen.decoy
    if seen.amplitude < profile.flash_least or (
        seen.amplitude < profile.flash_clear and not (bound and seen.shape >= profile.flash_shape)
    ):
        raise LivenessInconclusive(GATE, "flash", "Too little of the screen's light is seen on the face.")
    if not bound:
        raise LivenessDenied(GATE, "The light on the face does not follow the colours that were told.")
    if not seen.shape >= profile.flash_flat:
        raise LivenessDenied(GATE, "The light falls as on something flat.")
    if not seen.shape >= profile.flash_shape:
        raise LivenessInconclusive(GATE, "flash", "It is not clear whether the light falls as on a face.")


def read_flash(shown: Sequence[Shown], tip: Array, *, nonce: bytes) -> Reading:
    """Measure what the frames of each flash step show of its colours.

    Args:
        shown: the flash steps, one at least.
        tip: the nose tip in the face's frame.
        nonce: the challenge's; it picks the decoys, so that the same burst is always judged alike.

    Raises:
        ValueError: too few frames, or a value that is no number.
    """
    blocks, behind = zip(*(colour_series(one.faces, one.landmarks) for one in shown), strict=True)
    filters = [_filter(one.faces) for one in shown]
    oval = on_face(*block_centres())
    steps = [one.step for one in shown]
    times = [np.array([face.frame.t_ms - one.faces[0].frame.t_ms for face in one.faces]) for one in shown]
    # Detrended, each step by itself: what a step adds up to is not the screen's doing.
    skin = [
        _flat(len(wall)) @ (part - wall[:, None]).reshape(len(wall), -1)
        for part, wall in zip(blocks, behind, strict=True)
    ]
    all_blocks = np.concatenate(skin).reshape(-1, oval.size, 2)
    face = all_blocks[:, oval].mean(axis=1)
    told = _predict(
        [np.array([[chroma(colour.rgb) for colour in step.colours]]) for step in steps], steps, times, filters
    )
    others = _decoys(steps, nonce)
    decoys = _predict(others, steps, times, filters)
    fit = _correlate(told, face)[0]
    best = int(fit.argmax())
    prediction = told[0, best]
    power = float((prediction**2).sum())
    response = np.einsum("fbc,fc->b", all_blocks, prediction) / power
    noise = np.sqrt(((all_blocks - response[None, :, None] * prediction[:, None]) ** 2).mean(axis=(0, 2)))
    return Reading(
        amplitude=float(np.sqrt((face**2).sum() / power)),
        rho=float(fit[best]),
        decoy=float(_correlate(decoys, face).max()),
        shape=_shape(response[oval], noise[oval], [tip + np.array(aside) for aside in ASIDE]),
        lag_ms=int(LAGS_MS[best]),
    )


def _flat(frames: int) -> Array:
    """Return the projection, (frames, frames), that takes a quadratic trend out of a series."""
    if frames < 8:
        raise ValueError("too few frames of a flash")
    basis, _ = np.linalg.qr(np.vander(np.linspace(-1, 1, frames), 3))
    return np.asarray(np.eye(frames) - basis @ basis.T)


def _filter(faces: Sequence[AlignedFace]) -> Array:
    """Return what a camera makes of a sequence: a one-pole smoothing, then without its trend."""
    frames = len(faces)
    back = np.arange(frames)[:, None] - np.arange(frames)[None]
    pole = np.where(back >= 0, FOLLOWS * (1 - FOLLOWS) ** np.maximum(back, 0), 0.0)
    return np.asarray(_flat(frames) @ pole)


def _predict(
    sequences: Sequence[Array], steps: Sequence[Step], times: Sequence[NDArray[np.int64]], filters: Sequence[Array]
) -> Array:
    """Return what each sequence would look like, shape (sequences, lags, frames, 2).

    `sequences` holds the chroma of each step's colours, shape (sequences, colours, 2) a step.
    """
    parts = []
    for values, step, at, smooth in zip(sequences, steps, times, filters, strict=True):
        ends = np.cumsum([colour.ms for colour in step.colours])
        since = at[None] - LAGS_MS[:, None]
        index = np.searchsorted(ends, since, side="right")
        dark = np.zeros((len(values), 1, 2))
        padded = np.concatenate([values, dark], axis=1)  # nothing is shown before the first and after the last
        index = np.where(since < 0, len(ends), np.minimum(index, len(ends)))
        parts.append(np.einsum("gf,slfc->slgc", smooth, padded[:, index], optimize=True))
    return np.concatenate(parts, axis=2)


def _decoys(steps: Sequence[Step], nonce: bytes) -> list[Array]:
    """Return the chroma of `DECOYS` other sequences, shape (sequences, colours, 2) for each step."""
    rng = np.random.default_rng(int.from_bytes(nonce, "big"))
    palette = np.array([chroma(rgb) for rgb in PALETTE])
    drawn = []
    for step in steps:
        count = len(step.colours)
        # A step of 1 to 5 round the palette is always another colour.
        moves = rng.integers(1, len(PALETTE), (DECOYS, count))
        moves[:, 0] = rng.integers(0, len(PALETTE), DECOYS)
        drawn.append(np.cumsum(moves, axis=1) % len(PALETTE))
    own = [np.array([PALETTE.index(colour.rgb) for colour in step.colours]) for step in steps]
    same = np.all([(some == one).all(axis=1) for some, one in zip(drawn, own, strict=True)], axis=0)
    return [palette[some[~same]] for some in drawn]


def _correlate(predicted: Array, seen: Array) -> Array:
    """Return the correlation of each prediction, shape (sequences, lags); both have no trend left."""
    size = np.sqrt((predicted**2).sum(axis=(2, 3)) * (seen**2).sum())
    return np.asarray(np.einsum("slfc,fc->sl", predicted, seen) / np.maximum(size, 1e-12))


def _shape(response: Array, noise: Array, tips: Sequence[Array]) -> float:
    """Return how well the response over the face's blocks fits how light falls on a face, 1 at best.

    A block weighs as much as is known of it, one over its variance: dark hair, brows and the mouth tell little.
    A quadratic is taken out of both, as in the parallax: that is how a lamp from the side lies on a face, and how
    light falls on a print that is held askew or bent. What is left is the nose. Without the second order heads and
    prints lay closer together (docs/liveness.md). Of the nose tips that it may have, the best one counts.
    """
    lamp = _lamp()
    root = 1 / np.hypot(noise, QUIETEST * np.median(noise))
    x, y = lamp.x, lamp.y
    basis, _ = np.linalg.qr(np.column_stack([np.ones_like(x), x, y, x * x, x * y, y * y]) * root[:, None])
    seen = response * root
    seen = seen - basis @ (basis.T @ seen)
    fits = []
    for factor in lamp.form_factors(tips):
        expected = factor * root
        expected = expected - basis @ (basis.T @ expected)
        size = float(np.linalg.norm(seen) * np.linalg.norm(expected))
        fits.append(float(seen @ expected) / max(size, 1e-12))
    return max(fits)


class Lamp:
    """A near screen before an average face: how much of its light each block of the face's oval gets.

    `x` and `y` are the middles of those blocks in the face's frame, shape (blocks,).
    """

    def __init__(self) -> None:
        """Lay out the points at which the light is worked out."""
        x, y = block_centres()
        oval = on_face(x, y)
        self.x, self.y = x[oval], y[oval]
        within = (np.arange(FINE) + 0.5) / FINE * (SIDE / BLOCKS) - SIDE / BLOCKS / 2
        right, down = np.meshgrid(within, within)
        x, y = self.x[:, None] + right.ravel(), self.y[:, None] + down.ravel()
        self._fine = x, y - MIDDLE
        shifts = ((0.0, 0.0), (SLOPE, 0.0), (-SLOPE, 0.0), (0.0, SLOPE), (0.0, -SLOPE))
        self._relief = Relief(*(np.stack(part) for part in zip(*((x + a, y + b) for a, b in shifts), strict=True)))

    def form_factors(self, tips: Sequence[Array]) -> list[Array]:
        """Return for each nose tip, shape (2,), the blocks' shares of the light by Lambert's law, (blocks,)."""
        return [self._lit(depth).mean(axis=1) for depth in self._relief.depth(tips)]

    def _lit(self, depth: Array) -> Array:
        """Return the light at the points, from the depth there and `SLOPE` to each side, (5, blocks, n)."""
        x, below = self._fine
        here, right, left, lower, upper = depth
        slope_x, slope_y = (right - left) / (2 * SLOPE), (lower - upper) / (2 * SLOPE)
        away = FAR - here
        cosine = (slope_x * x + slope_y * below + away) / np.sqrt(1 + slope_x**2 + slope_y**2)
        return np.asarray(cosine / (x**2 + below**2 + away**2) ** 1.5 * FAR**2)


@cache
def _lamp() -> Lamp:
    return Lamp()
