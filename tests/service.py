"""A whole installation on fresh databases, with a detector and an embedder that are not the point of the test."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from faceauth.consent.request import Affirmation, ConsentRequest
from faceauth.db.tenants import DEFAULT_TENANT, ensure_tenant
from faceauth.embed.packs import Pack
from faceauth.errors import FaceauthError
from faceauth.installation import Installation, assemble
from faceauth.pipeline import SessionAnswer
from faceauth.sessions import OpenedSession
from faceauth.settings import Settings
from faceauth.types import (
    AlignedFace,
    Challenge,
    ChipTemplate,
    DetectedFace,
    Embedder,
    Image,
    LiveCapture,
    OperatingPoint,
    Purpose,
)
from faceauth.vault.keyring import Keyring, bind_installation
from faceauth.vault.keyring_place import KeyringPlace
from tests.clocks import HandClock
from tests.databases import Databases

TEMPLATE = ChipTemplate(size=100, points=np.array([[30, 35], [70, 35], [50, 58], [34, 75], [66, 75]], np.float32))
POINT = OperatingPoint("fmr-1e-4", 0.8, 1e-4, 1e-4, 100_000, 0.1, 100, "made up for this test")


class OneFace:
    """A detector that sees one face, always in the same place."""

    def detect(self, image: Image) -> Sequence[DetectedFace]:
        assert image.ndim == 3
        landmarks = (TEMPLATE.points * 2 + np.array([200, 100])).astype(np.float32)
        return [DetectedFace(box=(230, 130, 150, 180), landmarks=landmarks, score=0.99)]


SPREAD = np.linalg.qr(np.random.default_rng(1).normal(size=(32, 3)))[0].T
"""Three colours in 32 dimensions, lengths and angles kept."""


class ColourEmbedder:
    """Embeds the mean colour of a chip: people are told apart by what they wear on their faces."""

    model_digest = b"c" * 32
    template = TEMPLATE
    operating_points: Mapping[str, OperatingPoint] = {"fmr-1e-4": POINT}

    def embed(self, chips: Sequence[Image]) -> NDArray[np.float32]:
        means = (np.array([chip.reshape(-1, 3).mean(axis=0) for chip in chips], np.float64) - 110) @ SPREAD
        return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), np.float32)


def frames(colour: tuple[int, int, int], count: int = 6, *, seed: int = 0) -> list[bytes]:
    """JPEGs of a textured picture of one colour, no two alike."""
    return list(_frames(colour, count, seed))


@cache
def _frames(colour: tuple[int, int, int], count: int, seed: int) -> tuple[bytes, ...]:
    rng = np.random.default_rng(seed)
    base = np.array(colour, np.float32)
    parts = []
    for _ in range(count):
        coarse = rng.normal(0, 40, (48, 64, 1)).astype(np.float32)
        noise = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC)[..., None]
        pixels = np.clip(base + noise, 0, 255).astype(np.uint8)
        parts.append(bytes(cv2.imencode(".jpg", pixels[..., ::-1])[1]))
    return tuple(parts)


RED, BLUE = (190, 80, 80), (80, 80, 190)


def everybody_is_live(
    session_id: str,
    challenge: Challenge,
    faces: Sequence[AlignedFace],
    *,
    embedder: Embedder,
    profile: Any,
    **_: Any,
) -> LiveCapture:
    """Stand in for the liveness stage where it is not the point."""
    assert challenge.steps
    assert embedder.template is TEMPLATE
    return LiveCapture(session_id=session_id, profile=profile.name, faces=tuple(faces))


@dataclass
class Service:
    """An installation, and the calls that tests make on it."""

    installation: Installation
    clock: HandClock
    _seeds: int = field(default=0)

    def agree(self, account: str = "anna", scenario: str = "login") -> None:
        """Make the account and give its consent."""
        self._answer(account, scenario, "given")

    def refuse(self, account: str = "anna", scenario: str = "login") -> None:
        """Make the account and say no to the notice in force."""
        self._answer(account, scenario, "refused")

    def make_door(self, **more: Any) -> None:
        """Make a second scenario, `door`: who stands there is searched for; `more` changes what it is made of."""
        made: dict[str, Any] = {
            "mode": "identify",
            "titles": {"en": "Door"},
            "retention_days": 30,
            "liveness_profile": "motion",
            "notices": {"en": "We look who is at the door."},
        }
        into = self.installation
        with into.data.begin() as conn:
            into.scenarios.create(conn, tenant=DEFAULT_TENANT, scenario="door", now=self.clock(), **(made | more))

    def _answer(self, account: str, scenario: str, decision: Literal["given", "refused"]) -> None:
        into = self.installation
        with into.data.begin() as conn:
            into.accounts.ensure(
                conn,
                tenant=DEFAULT_TENANT,
                account=account,
                locale="en",
                birth_date=None,
                contact=None,
                guardian=None,
                now=self.clock(),
            )
            notice = into.notices.current(conn, DEFAULT_TENANT, scenario, self.clock())
        request = ConsentRequest(
            scenario,
            notice.version,
            notice.texts["en"].sha256,
            "en",
            decision,
            Affirmation("checkbox", checked_by_default=False, text="Yes, with my face"),
        )
        into.lifecycle.record_consent(tenant=DEFAULT_TENANT, account=account, request=request, actor="test")

    def open(self, purpose: Purpose, account: str | None = "anna", scenario: str = "login") -> OpenedSession:
        """Open a session as a backend that has just seen the person sign in."""
        return self.installation.desk.open(
            tenant=DEFAULT_TENANT,
            purpose=purpose,
            scenario=scenario,
            account=account,
            reauthenticated_at=self.clock(),
            actor="test",
        )

    def post(self, opened: OpenedSession, colour: tuple[int, int, int] = RED) -> SessionAnswer:
        """Post a fresh burst as the device."""
        self._seeds += 1
        parts = frames(colour, seed=self._seeds)
        step = opened.challenge.steps[0].id
        timeline = [{"step": step, "t_ms": 80 * number} for number in range(len(parts))]
        return self.installation.pipeline.submit(opened.session_id, opened.client_token, parts, timeline)

    def reason(self, opened: OpenedSession) -> tuple[str, str | None]:
        """Return state and reason as the backend sees them."""
        view = self.installation.desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)
        return view.session.state, view.session.reason

    def withdraw(self, account: str = "anna", scenario: str = "login") -> str:
        """Withdraw as the person."""
        return self.installation.lifecycle.withdraw(
            tenant=DEFAULT_TENANT, account=account, scenario=scenario, actor="test"
        )


def make_service(
    databases: Databases,
    keyring: Keyring,
    folder: Path,
    clock: HandClock,
    *,
    settings: Settings | None = None,
    place: KeyringPlace | None = None,
) -> Service:
    """Assemble an installation over migrated databases."""
    settings = settings or Settings(data_dir=folder, models_dir=folder)
    pack = Pack(
        name="double",
        licence="",
        digest=b"d" * 32,
        embedder=ColourEmbedder(),
        detector_kind="double",
        detector_sessions={},
        detector_options={},
        detector=OneFace(),
    )
    installation = assemble(settings, databases.data, databases.keys, keyring, pack, place=place, clock=clock)
    with databases.data.begin() as conn:
        bind_installation(conn, keyring)
        ensure_tenant(conn, tenant=DEFAULT_TENANT, now=clock())
        installation.scenarios.install_builtin(conn, tenant=DEFAULT_TENANT, now=clock())
    return Service(installation, clock)


Failing = Callable[..., Any]


def failing(error: BaseException | type[BaseException]) -> Failing:
    """Return a function that raises, whatever it is called with."""

    def fail(*_args: object, **_more: object) -> Any:
        raise error

    return fail


class Boom(FaceauthError):
    """An error of ours that nobody expects."""

    code = "boom"
