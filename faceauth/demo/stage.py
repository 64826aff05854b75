"""What the story happens on: an installation of its own in a temporary folder, and a simulated camera."""

import itertools
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray
from pydantic import SecretStr

from faceauth.consent.events import ConsentEvent
from faceauth.consent.notices import Notice
from faceauth.consent.request import Affirmation, ConsentRequest
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.demo.people import Cast
from faceauth.installation import Installation, create_installation, open_installation
from faceauth.sections import KeySettings
from faceauth.sessions import OpenedSession
from faceauth.settings import Settings
from faceauth.simulate import SimulatedFrame, Subject, simulate_session
from faceauth.types import Purpose

ACTOR = "demo"

SIZE = (640, 480)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What everyone learned of a session: the device, the application's backend, the operator's log."""

    device: str
    guidance: tuple[str, ...]
    reason: str | None
    gate: str | None
    account: str | None
    id_token: str | None
    frames: int
    steps: str

    @property
    def accepted(self) -> bool:
        """Whether it was accepted."""
        return self.device == "accepted"


@dataclass(slots=True, eq=False)
class Recording:
    """Frames somebody recorded on the way from the device to the service."""

    parts: tuple[bytes, ...] = field(default=(), repr=False)
    times: tuple[int, ...] = ()
    steps: tuple[str, ...] = ()


class OperatorLog:
    """Keeps the log's lines instead of printing them between the story's."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def __call__(
        self,
        logger: Any,  # noqa: ARG002  the signature is structlog's
        method: str,  # noqa: ARG002  as above
        event: MutableMapping[str, Any],
    ) -> MutableMapping[str, Any]:
        """Take one line; nothing is printed."""
        self.lines.append(dict(event))
        raise structlog.DropEvent

    def gate_since(self, start: int) -> str | None:
        """Return the liveness gate that denied, if one did, among the lines from `start` on."""
        gates = [line["gate"] for line in self.lines[start:] if "gate" in line]
        return str(gates[-1]) if gates else None


@dataclass(slots=True, eq=False)
class Stage:
    """Everything the acts need, and what they must remember.

    `templates` are the embeddings that were stored, `sealed` their sealed records: both must be gone at the end.
    """

    folder: Path
    installation: Installation
    cast: Cast
    log: OperatorLog
    seeds: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    recording: Recording = field(default_factory=Recording)
    templates: list[NDArray[np.float32]] = field(default_factory=list, repr=False)
    sealed: list[bytes] = field(default_factory=list, repr=False)

    # --- consent ----------------------------------------------------------------------------------------------

    def notice(self, scenario: str) -> Notice:
        """Return the notice in force."""
        place = self.installation
        with place.data.read() as conn:
            return place.notices.current(conn, DEFAULT_TENANT, scenario, place.clock())

    def answer(self, account: str, scenario: str, *, ticked_before: bool = False) -> ConsentEvent:
        """Send a yes to the notice in force, as an application would."""
        notice = self.notice(scenario)
        request = ConsentRequest(
            scenario=scenario,
            notice_version=notice.version,
            notice_sha256=notice.text("en").sha256,
            locale="en",
            decision="given",
            affirmation=Affirmation(
                "checkbox", checked_by_default=ticked_before, text="Yes, use my face for this"
            ),
        )
        return self.installation.lifecycle.record_consent(
            tenant=DEFAULT_TENANT, account=account, request=request, actor=ACTOR
        )

    # --- sessions ---------------------------------------------------------------------------------------------

    def open(
        self, purpose: Purpose, scenario: str, account: str | None, *, reauthenticated: bool = True
    ) -> OpenedSession:
        """Open a session as the application's backend does."""
        place = self.installation
        return place.desk.open(
            tenant=DEFAULT_TENANT,
            purpose=purpose,
            scenario=scenario,
            account=account,
            reauthenticated_at=place.clock() if reauthenticated and purpose == "enrol" else None,
            actor=ACTOR,
        )

    def perform(self, opened: OpenedSession, subject: Subject) -> Outcome:
        """Let `subject` answer the session's challenge before the camera, and send what the camera saw."""
        frames = simulate_session(subject, opened.challenge, seed=next(self.seeds), size=SIZE)
        self.recording = recorded(frames)
        return self.send(opened, self.recording)

    def send(self, opened: OpenedSession, recording: Recording) -> Outcome:
        """Post frames as the device does; then look at what the backend and the operator learn."""
        place = self.installation
        timeline = [
            {"step": step, "t_ms": t_ms} for step, t_ms in zip(recording.steps, recording.times, strict=True)
        ]
        before = len(self.log.lines)
        answer = place.pipeline.submit(opened.session_id, opened.client_token, recording.parts, timeline)
        view = place.desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)
        return Outcome(
            device=answer.state,
            guidance=answer.guidance,
            reason=view.session.reason,
            gate=self.log.gate_since(before),
            account=view.session.matched_account,
            id_token=view.id_token,
            frames=len(recording.parts),
            steps=" → ".join(step.kind.replace("_", " ") for step in opened.challenge.steps),
        )

    # --- what is stored ---------------------------------------------------------------------------------------

    def remember(self, account: str, scenario: str) -> int:
        """Keep copies of what is now stored for this account, for the last act; return how many references."""
        place = self.installation
        with place.data.read() as conn:
            opened = place.references.open_account(
                conn,
                tenant=DEFAULT_TENANT,
                account=account,
                scenario=scenario,
                model_digest=place.pack.embedder.model_digest,
            )
            ids = {reference.reference_id for reference in opened}
            batches = place.references.sealed_rows(conn, tenant=DEFAULT_TENANT, scenario=scenario)
            self.sealed += [row.sealed for rows in batches for row in rows if row.reference_id in ids]
        self.templates += [reference.vector for reference in opened]
        return len(opened)


def recorded(frames: Sequence[SimulatedFrame]) -> Recording:
    """Return the frames as somebody on the line would record them."""
    return Recording(
        tuple(frame.jpeg for frame in frames),
        tuple(frame.t_ms for frame in frames),
        tuple(frame.step for frame in frames),
    )


def renamed(recording: Recording, opened: OpenedSession) -> Recording:
    """Return a recording as an attacker would fit it to another session: its frames under the new names."""
    order = list(dict.fromkeys(recording.steps))
    names = [step.id for step in opened.challenge.steps]
    told = {old: names[min(number, len(names) - 1)] for number, old in enumerate(order)}
    return Recording(recording.parts, recording.times, tuple(told[step] for step in recording.steps))


def demo_settings(folder: Path, settings: Settings) -> Settings:
    """Return settings for an installation in `folder` that shares nothing with the user's own but the models."""
    data = folder / "data"
    return Settings(
        data_dir=data,
        database_url=SecretStr(f"sqlite:///{data / 'faceauth.db'}"),
        keys=KeySettings(provider="file", file=folder / "keyring.json"),
        models_dir=settings.models_dir,
        models_manifest=settings.models_manifest,
        model_pack=settings.model_pack,
    )


@contextmanager
def quiet_log() -> Iterator[OperatorLog]:
    """Keep the log's lines while the block runs."""
    log = OperatorLog()
    before = structlog.get_config()
    structlog.configure(processors=[log], cache_logger_on_first_use=False)
    try:
        yield log
    finally:
        structlog.configure(**before)


@contextmanager
def installed(folder: Path, settings: Settings) -> Iterator[Installation]:
    """Make an installation in `folder` and open it."""
    own = demo_settings(folder, settings)
    create_installation(own)
    installation = open_installation(own)
    try:
        yield installation
    finally:
        installation.close()
