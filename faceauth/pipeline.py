"""The only place that composes the stages: capture → liveness → embed → match, with consent at every arrow.

Whatever goes wrong on the way to a decision is a denial. Nothing here returns a score, and nothing keeps a frame.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.capture.burst import Burst
from faceauth.capture.faces import FaceReader
from faceauth.capture.intake import Intake
from faceauth.capture.session import CaptureSession, Outcome, SessionStore
from faceauth.charging import Charging
from faceauth.clock import Clock
from faceauth.comparing import Comparing, Match
from faceauth.consent.gate import ConsentGate
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.engine import Database
from faceauth.embed.probe import make_probe
from faceauth.errors import (
    ConsentError,
    Denied,
    ImageTooLarge,
    InvalidImage,
    InvalidRequest,
    InvalidTimeline,
    LivenessDenied,
    LivenessInconclusive,
    SessionClosed,
    TooManyFrames,
)
from faceauth.liveness.challenge import challenge_from_wire, challenge_to_wire, extend
from faceauth.liveness.decision import judge
from faceauth.liveness.observations import Observer
from faceauth.liveness.profiles import PROFILES
from faceauth.posting import read_post
from faceauth.proving import Proving
from faceauth.refusing import Refusing
from faceauth.renewal import Renewal
from faceauth.sameness import Sameness, Spent, Way
from faceauth.settings import Settings
from faceauth.types import (
    AlignedFace,
    Challenge,
    ConsentGrant,
    Embedder,
    Evidence,
    LiveCapture,
    MatchDecision,
    PassiveModels,
    Probe,
)
from faceauth.vault.index import ReferenceIndex
from faceauth.vault.keystore import DataKeys
from faceauth.vault.references import ReferenceStore

log = structlog.get_logger(__name__)

BAD_INPUT = (ImageTooLarge, InvalidImage, InvalidTimeline, TooManyFrames, InvalidRequest)
"""What a device may mend and send again within its session."""


@dataclass(frozen=True, slots=True)
class SessionAnswer:
    """All that a device learns of a post."""

    state: str
    guidance: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Sessions from opening to decision."""

    data: Database
    keys: DataKeys
    scenarios: ScenarioStore
    gate: ConsentGate
    sessions: SessionStore
    intake: Intake
    charging: Charging
    comparing: Comparing
    sameness: Sameness
    proving: Proving
    refusing: Refusing
    reader: FaceReader
    embedder: Embedder
    references: ReferenceStore
    index: ReferenceIndex
    audit: AuditLog
    settings: Settings
    clock: Clock
    random: Callable[[int], bytes] = os.urandom
    renewal: Renewal | None = None
    passive: PassiveModels | None = None
    observer: Observer | None = None

    def submit(
        self,
        session_id: str,
        client_token: str,
        parts: Sequence[bytes],
        timeline: object,
        chain: object = None,
        *,
        signature: object = None,
        way: Way | None = None,
    ) -> SessionAnswer:
        """Judge one burst of frames and decide, or say what to do better.

        `chain` is the device's own hash over them, and `signature` its key's over the hash, if there are any.
        A `way` leaves a denial to whoever calls, as in `decide`.

        Raises:
            NotAuthenticated: the token opens no such session.
            SessionClosed: it was decided, cancelled, has expired, or is being judged.
            InvalidImage, InvalidTimeline, TooManyFrames: the post is refused and the session stays open.
            StorageError: nothing could be recorded; nothing was accepted.
        """
        session = self.begin(session_id, client_token)
        limits, said = self.settings.capture, {"unverified_chain": chain, "unverified_signature": signature}
        return self.decide(
            session, lambda challenge: read_post(parts, timeline, challenge, limits, **said), way=way
        )

    def begin(self, session_id: str, client_token: str, *, streamed: bool = False) -> CaptureSession:
        """Claim a session for one burst, posted or streamed; `decide` gives it back or ends it.

        Raises:
            NotAuthenticated, SessionClosed: as in `submit`.
        """
        capture = timedelta(seconds=self.settings.sessions.capture_s)
        with self.data.begin() as conn:
            session = self.sessions.for_device(conn, session_id=session_id, client_token=client_token)
            return self.sessions.claim(conn, session, now=self.clock(), capture=capture, streamed=streamed)

    def decide(
        self, session: CaptureSession, read: Callable[[Challenge], Burst], *, way: Way | None = None
    ) -> SessionAnswer:
        """Judge the burst that `read` returns for the session's challenge; post and stream both end here.

        With a `way` a denial is left there, for whoever writes it down with `refuse` when it may be known.

        Raises:
            SessionClosed, InvalidImage, InvalidTimeline, TooManyFrames, StorageError: as in `submit`.
        """
        later, way = way is not None, way or Way()
        way.session = session
        try:
            return self._judge(session, read, way)
        except BAD_INPUT:
            with self.data.begin() as conn:
                self.sessions.release(conn, session)
            raise
        except LivenessInconclusive as unclear:
            if self._may_extend(session, challenge_from_wire(session.challenge)):
                return self._ask_more(session, unclear)
            way.denied = unclear
        except Denied as denied:
            way.denied = denied
        except ConsentError as shut:
            way.denied = Denied(shut.code)
        except SessionClosed:
            raise
        except Exception as error:  # noqa: BLE001  an error on the way to a decision is a denial (R4)
            log.warning("session.unavailable", error=type(error).__name__, code=getattr(error, "code", None))
            way.denied = Denied("unavailable")
        return SessionAnswer("denied") if later else self.refuse(session, way.denied)

    def _judge(self, session: CaptureSession, read: Callable[[Challenge], Burst], way: Way) -> SessionAnswer:
        grant, shut = self._ask(session)
        challenge = challenge_from_wire(session.challenge)
        burst = read(challenge)
        way.size = len(burst.frames), sum(frame.sent_pixels for frame in burst.frames)
        facing = frozenset(step.id for step in challenge.steps if step.kind == "center")
        faces, guidance = self.reader.read(burst.frames, facing=facing, found=burst.found)
        if guidance:
            return self._ask_again(session, guidance)
        spent = Spent(self.embedder, self.passive)
        try:
            charged = self._charge(session, burst, grant)
            shut = shut or charged
            if shut is not None and session.purpose != "verify":
                raise shut
            session, misused = self._prove(session, challenge, burst.evidence)
            shut = shut or misused
            live = self._live(session, challenge, faces, burst.evidence_of(faces), spent)
            if shut is not None:
                raise shut
        except Denied as denied:
            if isinstance(denied, LivenessInconclusive) and self._may_extend(session, challenge):
                if shut is not None:  # the next burst is the same try, and is not charged again
                    with self.data.begin() as conn:
                        self.sessions.withhold(conn, session, shut.reason)
                raise
            if session.purpose == "verify":
                self.sameness.finish(session, challenge, faces, spent)
            raise shut or denied from None
        probe = make_probe(live, spent.embedder)
        way.whole = True
        if grant is None:
            self.identify(session, live, probe)
        elif session.purpose == "enrol":
            self.enrol(session, grant, probe)
        else:
            self.verify(session, grant, live, probe)
        return SessionAnswer("accepted")

    def _ask(self, session: CaptureSession) -> tuple[ConsentGrant | None, Denied | None]:
        """Return the grant, and why a session that verifies will be denied whatever its frames show."""
        if session.account is None:
            if session.purpose != "identify":
                raise Denied("consent_required")
            return None, None
        try:
            with self.data.read() as conn:
                who = {"tenant": session.tenant, "account": session.account, "scenario": session.scenario}
                grant = self.gate.ask(conn, **who, begun=session.created_at)
        except ConsentError as closed:
            if session.purpose != "verify":
                raise
            return None, Denied(session.withheld or closed.code)
        return grant, None if session.withheld is None else Denied(session.withheld)

    def _prove(
        self, session: CaptureSession, challenge: Challenge, evidence: Evidence
    ) -> tuple[CaptureSession, Denied | None]:
        try:
            return self.proving.prove(session, challenge, evidence), None
        except Denied as misused:
            return session, misused

    def _ask_again(self, session: CaptureSession, guidance: tuple[str, ...]) -> SessionAnswer:
        if session.posts >= self.settings.sessions.posts:
            raise Denied("quality")
        with self.data.begin() as conn:
            self.sessions.release(conn, session)
        return SessionAnswer("open", guidance)

    def _ask_more(self, session: CaptureSession, unclear: LivenessInconclusive) -> SessionAnswer:
        """Ask for one more step, once; the next burst, a whole one, answers the longer challenge."""
        log.info("session.liveness", gate=unclear.gate, more=unclear.more)
        challenge = challenge_from_wire(session.challenge)
        profile = PROFILES[challenge.profile]
        longer, step = extend(challenge, more=unclear.more, profile=profile, random=self.random)
        with self.data.begin() as conn:
            self.sessions.extend(conn, session, challenge_to_wire(longer))
        return SessionAnswer("open", (f"step:{step.id}",))

    def _may_extend(self, session: CaptureSession, challenge: Challenge) -> bool:
        return not challenge.extra and session.posts < self.settings.sessions.posts

    def _charge(self, session: CaptureSession, burst: Burst, grant: ConsentGrant | None) -> Denied | None:
        """Charge the try, durably before it is made (R11), and remember its frames; return why it is denied."""
        shut: Denied | None = None
        with self.data.begin() as conn:
            if grant is not None:
                try:
                    self.gate.confirm(conn, grant)
                except ConsentError as closed:
                    grant, shut = None, Denied(closed.code)
            locked = self.charging.charge(conn, session)
            replayed = self.intake.replayed(conn, session, grant, burst)
        replay = LivenessDenied("replay", "Frames of this burst were sent before.", reason="injection")
        return shut or locked or (replay if replayed else None)

    def _live(
        self,
        session: CaptureSession,
        challenge: Challenge,
        faces: Sequence[AlignedFace],
        evidence: Evidence,
        spent: Spent,
    ) -> LiveCapture:
        profile = PROFILES[challenge.profile]
        with nullcontext() if self.observer is None else self.observer.watch(profile.name) as record:
            return judge(
                session.session_id,
                challenge,
                faces,
                embedder=spent.embedder,
                profile=profile,
                passive=spent.passive,
                evidence=evidence,
                record=record,
            )

    def enrol(self, session: CaptureSession, grant: ConsentGrant, probe: Probe) -> tuple[str, ...]:
        """Store the probe's embeddings as the account's references, in place of older ones.

        Raises:
            ConsentRequired, ConsentStale: the consent is gone by the time of storing (R33).
        """
        key = self.keys.current(grant.tenant, grant.account)
        with self.data.begin() as conn:
            if self.renewal is not None:
                self.renewal.lock(conn, grant)
            self.gate.confirm(conn, grant)
            old = self.references.ids(
                conn,
                tenant=grant.tenant,
                account=grant.account,
                scenario=grant.scenario,
                model_digest=probe.model_digest,
            )
            stored = self.references.add(conn, grant, probe, key=key)
            self.proving.confirm(conn, session, account=grant.account)
            outcome = Outcome("accepted", account=grant.account, reference_id=stored[0])
            self.sessions.decide(conn, session, outcome, now=self.clock())
            self._audit(conn, session, grant, Event.REFERENCE_STORED, count=len(stored))
            doomed = () if self.renewal is None else self.renewal.retire(conn, grant)
        for reference_id in old:
            self.index.remove(reference_id)
        self._index(grant, stored)
        if self.renewal is not None:
            self.renewal.run(doomed)
        return stored

    def verify(
        self, session: CaptureSession, grant: ConsentGrant, live: LiveCapture, probe: Probe
    ) -> MatchDecision:
        """Compare the probe with the account's own references and accept, or raise.

        Raises:
            NotEnrolled, Mismatch: no reference, or none that matches.
            ConsentRequired, ConsentStale: the consent is gone by the time of accepting (R33).
        """
        found = self.comparing.own(session, grant, live, probe)
        self._accept(session, found)
        return found.decision

    def identify(self, session: CaptureSession, live: LiveCapture, probe: Probe) -> MatchDecision:
        """Search everyone who consented to this identification scenario and accept one, or raise.

        Raises:
            Mismatch: nobody matches, or two people do.
            ConsentRequired, ConsentStale: the consent is gone by the time of accepting (R33).
        """
        found = self.comparing.everyone(session, live, probe)
        self._accept(session, found)
        return found.decision

    def _accept(self, session: CaptureSession, found: Match) -> None:
        """Accept in one transaction; what is renewed is stored there in place of the references of before."""
        grant, decision, renewed = found.grant, found.decision, found.renewed
        renewal = self.renewal if renewed is not None else None
        key = None if renewal is None else self.keys.current(grant.tenant, grant.account)
        stored: tuple[str, ...] = ()
        doomed: tuple[str, ...] = ()
        with self.data.begin() as conn:
            if renewal is not None:
                renewal.lock(conn, grant)
            self.gate.confirm(conn, grant)
            self.references.still_there(conn, decision.reference_id)
            self.proving.confirm(conn, session, account=decision.account)
            if renewal is not None and renewed is not None and key is not None:
                stored = renewal.renew(conn, grant, renewed, key=key)
                doomed = renewal.retire(conn, grant)
            reference_id = stored[0] if stored else decision.reference_id
            outcome = Outcome("accepted", account=decision.account, reference_id=reference_id)
            self.sessions.decide(conn, session, outcome, now=self.clock())
            self.charging.succeed(conn, session)
            self._audit(conn, session, grant, Event.SESSION_ACCEPTED)
        self._index(grant, stored)
        if renewal is not None:
            renewal.run(doomed)

    def _index(self, grant: ConsentGrant, stored: Sequence[str]) -> None:
        model = self.embedder.model_digest
        self.comparing.search.learn(grant, stored, scenarios=self.scenarios, model_digest=model)

    def refuse(self, session: CaptureSession, denied: Denied) -> SessionAnswer:
        """End a claimed session with a denial; whatever was decided meanwhile stands."""
        self.refusing.refuse(session, denied)
        return SessionAnswer("denied")

    def _audit(
        self, conn: Connection, session: CaptureSession, grant: ConsentGrant, event: Event, **more: int
    ) -> None:
        self.audit.append(
            conn,
            event,
            tenant=grant.tenant,
            account=grant.account,
            actor="device",
            details={"scenario": grant.scenario, "purpose": session.purpose, **more},
        )
