"""The work that a denial does not need, done all the same: how long it took tells the device nothing (R25).

A denial that is certain early (no consent, too many attempts, a flat picture) goes on to the end of the way that a
denial of somebody else's face goes. What is embedded for that is noise, and the references are decoys: no face is
compared with anybody's for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray

from faceauth.capture.session import CaptureSession
from faceauth.db.engine import Database
from faceauth.errors import Denied, FaceauthError, ModelError
from faceauth.liveness.profiles import PROFILES
from faceauth.types import (
    AlignedFace,
    Challenge,
    ChipTemplate,
    Embedder,
    Image,
    OperatingPoint,
    PassiveModels,
)
from faceauth.vault.decoys import Decoys

log = structlog.get_logger(__name__)


class CountedEmbedder:
    """One burst's embedder: it embeds no chip twice, and counts those that it embedded.

    The gate `identity` and the probe look at the same chips, and a network is deterministic. A chip is known by
    being the same object, which is kept here for as long as its embedding is.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[int, tuple[Image, NDArray[np.float32]]] = {}
        self.chips = 0

    @property
    def model_digest(self) -> bytes:
        """The embedder's own; see `Embedder`."""
        return self._embedder.model_digest

    @property
    def template(self) -> ChipTemplate:
        """The embedder's own; see `Embedder`."""
        return self._embedder.template

    @property
    def operating_points(self) -> Mapping[str, OperatingPoint]:
        """The embedder's own; see `Embedder`."""
        return self._embedder.operating_points

    def embed(self, chips: Sequence[Image]) -> NDArray[np.float32]:
        """Embed what was not embedded before; see `Embedder`."""
        fresh = list({id(chip): chip for chip in chips if id(chip) not in self._known}.values())
        if fresh:
            self.chips += len(fresh)
            vectors = self._embedder.embed(fresh)
            if vectors.ndim != 2 or len(vectors) != len(fresh):
                raise ModelError("The embedder gave another number of embeddings than there are chips.")
            self._known |= {id(chip): (chip, vector) for chip, vector in zip(fresh, vectors, strict=True)}
        if not chips:
            return self._embedder.embed(chips)
        return np.stack([self._known[id(chip)][1] for chip in chips])


class CountedPassive:
    """Passive models that count the faces they are shown."""

    def __init__(self, models: PassiveModels) -> None:
        self._models = models
        self.faces = 0

    def live_scores(self, faces: Sequence[AlignedFace]) -> NDArray[np.float32]:
        """Look at the faces; see `PassiveModels`."""
        self.faces += len(faces)
        return self._models.live_scores(faces)


class Spent:
    """What the networks did for one burst so far."""

    def __init__(self, embedder: Embedder, passive: PassiveModels | None) -> None:
        self.embedder = CountedEmbedder(embedder)
        self.passive = None if passive is None else CountedPassive(passive)


Size = tuple[int, int]
"""How large a burst is: its frames, and the pixels that were decoded for them."""


@dataclass(slots=True)
class Way:
    """The way of one burst, as far as its time goes, and the denial at its end that nobody knows of yet.

    Attributes:
        session: whose burst it is.
        size: of the burst; (0, 0) if it was not read.
        whole: whether it came to a comparison, so that its time is what a whole way takes.
        denied: the denial, for `Pipeline.refuse`.
    """

    session: CaptureSession | None = None
    size: Size = (0, 0)
    whole: bool = False
    denied: Denied | None = None


class Sameness:
    """Takes a burst that is denied already to the end of the way.

    Args:
        data: Where references would be read from.
        decoys: The references that are opened instead.
    """

    def __init__(self, data: Database, decoys: Decoys) -> None:
        self._data = data
        self._decoys = decoys

    def finish(
        self, session: CaptureSession, challenge: Challenge, faces: Sequence[AlignedFace], spent: Spent
    ) -> None:
        """Do what a comparison would have done after all gates of liveness; whatever fails is logged and no more.

        Args:
            session: whose burst it is.
            challenge: what it answers; with it goes how many frames a whole burst has embedded.
            faces: its faces, for the passive models that have not seen them.
            spent: what was done already.
        """
        profile = PROFILES[challenge.profile]
        motions = sum(step.kind not in {"center", "flash"} for step in challenge.steps)
        try:
            if spent.passive is not None and profile.passive:
                missing = profile.passive_frames - spent.passive.faces
                if missing > 0 and faces:
                    spent.passive.live_scores([faces[number % len(faces)] for number in range(missing)])
            # The gate `identity` embeds the best frames and one of each motion; the probe is made of the same.
            missing = profile.best_faces + motions - spent.embedder.chips
            if missing > 0:
                size = spent.embedder.template.size
                spent.embedder.embed([_noise(size) for _ in range(missing)])
            self.compare(session, spent.embedder.model_digest)
        except FaceauthError as error:
            log.warning("session.not_the_same", code=error.code)

    def compare(self, session: CaptureSession, model_digest: bytes) -> None:
        """Read and open as many references as a comparison would have."""
        if session.account is None:
            return
        with self._data.read() as conn:
            self._decoys.open(
                conn,
                tenant=session.tenant,
                account=session.account,
                scenario=session.scenario,
                model_digest=model_digest,
            )


def _noise(size: int) -> Image:
    """Return a chip of noise, shape (size, size, 3), RGB: no face, and nobody's."""
    return np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
