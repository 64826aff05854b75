"""A session before the simulated camera: a challenge goes in, JPEG frames with times and steps come out."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.simulate.camera import Camera, Sensor
from faceauth.simulate.light import Light, ScreenShow, wall
from faceauth.simulate.motion import Manner, perform
from faceauth.simulate.surface import Head, Subject
from faceauth.types import Challenge, Points


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedFrame:
    """One frame as a device would send it.

    `landmarks`, shape (5, 2), is where the five points truly are, in pixels: for tests that need no detector.
    """

    jpeg: bytes = field(repr=False)
    t_ms: int
    step: str
    landmarks: Points = field(repr=False)


def simulate_session(
    subject: Subject,
    challenge: Challenge,
    *,
    seed: int,
    size: tuple[int, int] = (640, 480),
    fps: float = 12,
    start_t_ms: int = 0,
    manner: Manner = "obey",
    mild: bool = False,
    power: float = 0.08,
    shown: Challenge | None = None,
    late_ms: float = 0.0,
) -> list[SimulatedFrame]:
    """Return the frames of `subject` answering `challenge`, the same for the same arguments.

    Args:
        subject: a `Head`, a `Print` or a `Screen`.
        challenge: whose steps are answered, each for a little longer than it must last.
        seed: decides on reaction times, angles, background, light and noise.
        size: width and height of the picture in pixels; the eyes are about 0.18 heights apart.
        fps: frames a second.
        start_t_ms: time of the first frame.
        manner: what is done instead of obeying.
        mild: turns of one size, little sway, little noise.
        power: the screen's light on the face in a flash step, as a share of all other light.
        shown: whose colours the screen shows instead of the challenge's own.
        late_ms: by how much the colours are shown later than they should be.
    """
    rng = np.random.default_rng(seed)
    unit = size[1] / 480
    camera = Camera(
        size=size, eye_distance=unit * float(rng.uniform(80, 90)), distance=float(rng.uniform(7.2, 9.0))
    )
    scene = _background(size, rng)
    if isinstance(subject, Head):
        _shoulders(scene, subject, camera)
    lamp = (float(rng.uniform(-0.6, 0.6)), float(rng.uniform(-0.8, -0.2)), 0.8)
    drift = rng.uniform(0, 2 * np.pi)
    sensor = Sensor(rng, size=size, sigma=1.0 if mild else 2.0)
    # Drawn apart, so that a session without flashes stays the same whatever is drawn for the screen.
    apart = np.random.default_rng((seed, 1))
    flashes = any(step.colours for step in challenge.steps)
    balance = _Balance(apart, amount=(0.005 if mild else 0.01) if flashes else 0.0)
    lag_ms = float(apart.uniform(50, 150)) + late_ms  # one or two frames of the display, as many of the camera
    show = ScreenShow(shown or challenge, power=power, lag_ms=lag_ms)
    frames = []
    for moment in perform(challenge, rng, fps=fps, start_t_ms=start_t_ms, manner=manner, mild=mild):
        seconds = (moment.t_ms - start_t_ms) / 1000
        exposure = 1.0 + 0.025 * float(np.sin(1.9 * seconds + drift))  # automatic exposure hunts a little
        surface = subject.surface_at(moment.t_ms - start_t_ms)
        light = Light(lamp, screen=show.light(moment.step, moment.since_ms))
        canvas = _times(scene.copy(), wall(light)) if light.coloured else scene.copy()
        camera.draw(surface, moment.at, light, canvas)
        _times(canvas, exposure * balance.at(seconds, light))
        points = camera.project(surface.landmarks, surface, moment.at)
        frames.append(SimulatedFrame(sensor.expose(canvas), moment.t_ms, moment.step, points))
    return frames


def _times(canvas: NDArray[np.float32], gain: NDArray[np.float32]) -> NDArray[np.float32]:
    """Multiply a picture's channels by `gain`, shape (3,), in place: row by row, which NumPy does faster."""
    rows = canvas.reshape(canvas.shape[0], -1)
    rows *= np.tile(gain.astype(np.float32), canvas.shape[1])
    return canvas


class _Balance:
    """Automatic exposure and white balance: slow, late, and never quite right."""

    def __init__(self, rng: np.random.Generator, *, amount: float) -> None:
        self._phase = rng.uniform(0, 2 * np.pi, 3)
        self._rate = rng.uniform(0.6, 1.4, 3)
        self._amount = amount
        self._seen = 0.0

    def at(self, seconds: float, light: Light) -> NDArray[np.float32]:
        """Return the gain of each channel, shape (3,); call it once a frame, in order."""
        self._seen += 0.2 * (sum(light.screen) / 3 - self._seen)  # follows the brightness within some frames
        hunting = 1.0 + self._amount * np.sin(self._rate * seconds + self._phase)
        return np.asarray(hunting * (1.0 - 0.3 * self._seen), dtype=np.float32)


def _background(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Paint a wall with a few blurred things on it."""
    wide, high = size
    wall = rng.uniform(90, 190) + rng.uniform(-20, 20, 3)
    scene = np.empty((high, wide, 3), dtype=np.float32)
    scene[:] = wall * (1 + 0.2 * np.linspace(-1, 1, wide)[None, :, None] * rng.uniform(-1, 1))
    for _ in range(7):
        x, y = rng.uniform(0, wide), rng.uniform(0, high)
        w, h = rng.uniform(0.05, 0.25, 2) * wide
        colour = (wall * rng.uniform(0.5, 1.3, 3)).tolist()
        cv2.rectangle(scene, (int(x), int(y)), (int(x + w), int(y + h)), colour, -1)
    blurred = cv2.GaussianBlur(scene, (0, 0), wide / 160)
    return np.clip(np.asarray(blurred, dtype=np.float32), 5, 250)


def _shoulders(scene: NDArray[np.float32], head: Head, camera: Camera) -> None:
    """Paint a neck and shoulders, which stay where they are when the head turns."""
    unit = camera.focal / camera.distance
    x, y = camera.centre

    def at(right: float, down: float) -> tuple[int, int]:
        return int(x + right * unit), int(y + down * unit)

    layer = scene.copy()
    neck = [0.82 * value for value in head.skin]  # it lies in the chin's shadow
    corners = [at(-0.72, 1.2), at(0.72, 1.2), at(0.85, 2.7), at(-0.85, 2.7)]
    cv2.fillConvexPoly(layer, np.array(corners, dtype=np.int32), neck)
    axes = (int(2.7 * unit), int(1.3 * unit))
    cv2.ellipse(layer, at(0.0, 3.55), axes, 0, 0, 360, head.clothes, -1)
    cv2.rectangle(layer, at(-2.7, 3.55), at(2.7, 9.0), head.clothes, -1)
    scene[:] = cv2.GaussianBlur(layer, (0, 0), unit / 40)
