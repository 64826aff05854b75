"""What the stages hand to each other: Frame → AlignedFace → LiveCapture → Probe → MatchDecision.

Every type is frozen. A stage takes only the type that the stage before it makes, so code that skips liveness
or consent fails type checking. Who may make which type is held by ``tests/test_house.py``: `LiveCapture` only
by ``faceauth.liveness``, `Probe` only by ``faceauth.embed``, `ConsentGrant` only by ``faceauth.consent``,
`MatchDecision` only by ``faceauth.match``, `DeviceProof` only by ``faceauth.identity``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]
"""Pixels, shape (H, W, 3), RGB, 0 to 255."""

Points: TypeAlias = NDArray[np.float32]
"""Points, shape (n, 2), x then y, in pixels; x grows to the picture's right, y downwards."""

Vector: TypeAlias = NDArray[np.float32]
"""One embedding, shape (d,), of unit length."""

Purpose = Literal["enrol", "verify", "identify"]
StepKind = Literal["center", "turn_left", "turn_right", "nod_up", "nod_down", "closer", "flash"]
DeviceKeyPolicy = Literal["required", "preferred", "none"]
"""What a scenario asks of device keys: no acceptance without, used where one is proven, or not looked at."""
KeyStrength = Literal["hwk", "swk"]
"""Where a proven device key is kept, in RFC 8176's words: in hardware that was attested, or else in software."""


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour that the device's screen shows, as ``#rrggbb``, for so many ms."""

    rgb: str
    ms: int


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the person is asked to do, told by `id`; it must last at least `min_ms`.

    `colours` are what the screen shows one after the other in a `flash` step; no other kind has any.
    """

    id: str
    kind: StepKind
    min_ms: int = 0
    colours: tuple[Colour, ...] = ()


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a session is opened for beside the login: the person sees `text`, and `sha256` is over its UTF-8.

    The text goes when the session is over; the digest stays. `locale` names the text's language, if it is known.
    """

    sha256: bytes
    text: str | None = field(default=None, repr=False)
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """The random steps one session must be answered with; `nonce` is 128 random bits or more (R15).

    `extra` counts the motions that were asked for in addition because the answer was not clear: none or one.
    `device_key` tells the device whether to sign, and `transaction` is what the answer is for, if anything.
    """

    nonce: bytes
    profile: str
    steps: tuple[Step, ...]
    expires_at: datetime
    extra: int = 0
    device_key: DeviceKeyPolicy = "none"
    transaction: Transaction | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a burst beside its frames; each is None where nothing is known.

    Attributes:
        received_ms: when the service received each face's frame, by its own clock, in order; over the stream only.
        told_ms: when it told each step, by the same clock and the step's id; over the stream only.
        chain: the last hash over nonce, challenge and frames as received; what the device says of it was compared.
        unverified_signature: what the device says is its signature over `chain`, as parsed JSON.
    """

    received_ms: tuple[int, ...] | None = None
    told_ms: Mapping[str, int] | None = None
    chain: bytes | None = None
    unverified_signature: object = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded camera frame.

    `t_ms` counts from the session's first frame, `step` is the id of the step it was taken for, and `digest` is
    the SHA-256 of the bytes as they were received. `sent_pixels` says how many pixels the picture had as it was
    sent, which is what decoding it cost; 0 where it was not sent.
    """

    pixels: Image = field(repr=False)
    t_ms: int
    step: str
    digest: bytes
    sent_pixels: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A face found in a frame.

    `box` is (x, y, width, height) in pixels. `landmarks` has shape (5, 2): the eye at the picture's left, the eye
    at its right, the nose tip, the mouth corner at the picture's left, the one at its right. `score` is the
    detector's confidence, 0 to 1.
    """

    box: tuple[float, float, float, float]
    landmarks: Points = field(repr=False)
    score: float = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pose:
    """Head angles in degrees: yaw grows as the nose moves to the picture's right, pitch as it moves up."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True)
class Quality:
    """What makes a frame fit to compare.

    `eye_distance` is in pixels; `sharpness` is the variance of the Laplacian of the grey 128×128 face;
    `brightness` is its mean, 0 to 255; `contrast` its standard deviation; `features` is the least contrast at an
    eye or the mouth as a share of `contrast`; `weight`, 0 to 1, ranks the frames of one session and weighs them
    in the probe.
    """

    eye_distance: float
    pose: Pose
    sharpness: float
    brightness: float
    contrast: float
    weight: float
    features: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class AlignedFace:
    """The one face of a frame, cut out and turned upright for the embedder.

    `chip` has the shape the pack's `ChipTemplate` asks for: (size, size, 3), RGB.
    """

    frame: Frame
    face: DetectedFace
    chip: Image = field(repr=False)
    quality: Quality = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class LiveCapture:
    """A session's frames after every liveness gate has passed; only ``faceauth.liveness`` makes it.

    `faces` are frames of the very burst that passed, best first, and nothing else may be embedded.
    """

    session_id: str
    profile: str
    faces: tuple[AlignedFace, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """One embedding made from a live capture; only ``faceauth.embed`` makes it.

    `vector` has shape (d,) and unit length, `parts` shape (n, d): the embeddings that were fused, best first.
    `model_digest` is the SHA-256 that names embedder, preprocessing and alignment together (R23).
    """

    vector: Vector = field(repr=False)
    parts: NDArray[np.float32] = field(repr=False)
    model_digest: bytes
    profile: str


@dataclass(frozen=True, slots=True)
class ConsentGrant:
    """Permission to process one account's face for one scenario now; only ``faceauth.consent`` makes it."""

    tenant: str
    account: str
    scenario: str
    consent_id: str
    notice_version: int
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class DeviceProof:
    """That a bound device key signed this very capture; only ``faceauth.identity`` makes it (R17)."""

    device_id: str
    tenant: str
    account: str
    strength: KeyStrength


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """One opened reference, in memory only. `vector` has shape (d,) and unit length."""

    reference_id: str
    tenant: str
    account: str
    scenario: str
    consent_id: str
    model_digest: bytes
    vector: Vector = field(repr=False)


@dataclass(frozen=True, slots=True)
class MatchDecision:
    """That a probe matched a reference; only ``faceauth.match`` makes it, and it holds no score (R24)."""

    tenant: str
    account: str
    scenario: str
    reference_id: str
    operating_point: str


@dataclass(frozen=True, slots=True, eq=False)
class ChipTemplate:
    """Where the five landmarks must come to lie in a square chip of `size` pixels; `points` has shape (5, 2).

    `margin` pixels along each edge are there for who looks for the face once more (``faceauth.embed.recut``); what
    lies within them is the face as other packs have it.
    """

    size: int
    points: Points
    margin: int = 0


class ModelSession(Protocol):
    """A loaded network; the graph's digest was checked before (R22)."""

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> Mapping[str, NDArray[np.float32]]:
        """Return every output of the graph by its name, for inputs by their names.

        Raises:
            ModelError: the network failed, or an input has the wrong name or shape.
        """
        ...


class Detector(Protocol):
    """Finds faces. Images are RGB, as in `Image`."""

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        """Return every face found, the largest first; an empty sequence if there is none."""
        ...


class Embedder(Protocol):
    """Turns chips into embeddings."""

    @property
    def model_digest(self) -> bytes:
        """SHA-256 over weights, preprocessing and alignment."""
        ...

    @property
    def template(self) -> ChipTemplate:
        """The alignment it was trained for."""
        ...

    @property
    def operating_points(self) -> Mapping[str, "OperatingPoint"]:
        """The thresholds measured for it, by name."""
        ...

    def embed(self, chips: Sequence[Image]) -> NDArray[np.float32]:
        """Return embeddings of unit length, shape (n, d), for n chips of the template's size."""
        ...


class Normaliser(Protocol):
    """Knows how close strangers come to a face: a cosine that is high among look-alikes is lowered by it."""

    def offset(self, vector: Vector) -> float:
        """Return what is taken off a comparison score for an embedding of unit length, shape (d,).

        Raises:
            ModelError: The embedding has another dimension than the normaliser was trained for.
        """
        ...


class PassiveModels(Protocol):
    """Networks that tell a living face from a picture of one by its looks alone (G2)."""

    def live_scores(self, faces: Sequence[AlignedFace]) -> NDArray[np.float32]:
        """Return how living each face looks, 0 to 1, shape (n,).

        Raises:
            ModelError: a network failed.
        """
        ...


class Recorder(Protocol):
    """Is told what the liveness gates measured; it must keep that inside the service (R24)."""

    def __call__(self, gate: str, name: str, value: float) -> None:
        """Take one measured value of one gate."""
        ...


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold on the comparison score with the measurement behind it.

    `fmr` is the target; `comparisons` says how many non-mated comparisons were made, and `fmr_lower` and
    `fmr_upper` are the ends of the 95 % interval they allow; `fnmr` was measured on `mated` mated comparisons at
    that threshold. With a `normaliser` the score is the cosine less the mean of both sides' offsets, else the
    cosine itself.
    """

    name: str
    threshold: float = field(repr=False)
    fmr: float
    fmr_upper: float
    comparisons: int
    fnmr: float
    mated: int
    source: str
    fmr_lower: float = 0.0
    normaliser: Normaliser | None = field(default=None, repr=False, compare=False)
