"""A session's ends: opened by a backend, cancelled by a device, read by the backend once it is decided."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.capture.session import CaptureSession, SessionStore
from faceauth.clock import Clock
from faceauth.consent.accounts import AccountStore
from faceauth.consent.gate import ConsentGate
from faceauth.consent.scenarios import Scenario, ScenarioStore
from faceauth.db.engine import Database
from faceauth.errors import (
    ConsentError,
    FaceauthError,
    FlashesNeeded,
    InvalidRequest,
    Locked,
    SessionClosed,
    UnknownAccount,
    UnknownScenario,
)
from faceauth.identity.attempts import Attempts
from faceauth.identity.methods import methods_of
from faceauth.identity.places import Client, Places
from faceauth.identity.reauthentication import check_fresh
from faceauth.identity.tokens import Tokens
from faceauth.liveness.challenge import challenge_from_wire, challenge_to_wire, make_challenge
from faceauth.liveness.profiles import PROFILES, Profile
from faceauth.sections import SessionSettings
from faceauth.types import Challenge, DeviceKeyPolicy, Purpose, Transaction

PLACES_KEPT: Final = timedelta(minutes=10)
"""How long after its last moment to open a session's places are known: longer than it lives (own figure)."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """What a backend gets when it opens a session; `client_token` goes to the device and is shown only here."""

    session_id: str
    client_token: str = field(repr=False)
    challenge: Challenge
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionView:
    """What the backend learns of a session; `id_token`, `amr` and `acr` are there for a fresh acceptance only."""

    session: CaptureSession
    id_token: str | None = field(default=None, repr=False)
    amr: tuple[str, ...] = ()
    acr: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDesk:
    """Opens, shows and cancels sessions; `faceauth.pipeline` decides them."""

    data: Database
    accounts: AccountStore
    scenarios: ScenarioStore
    gate: ConsentGate
    sessions: SessionStore
    attempts: Attempts
    places: Places
    tokens: Tokens
    audit: AuditLog
    settings: SessionSettings
    clock: Clock
    random: Callable[[int], bytes]

    def open(
        self,
        *,
        tenant: str,
        purpose: Purpose,
        scenario: str,
        account: str | None,
        reauthenticated_at: datetime | None,
        actor: str,
        liveness_level: str | None = None,
        transaction: Transaction | None = None,
        veiled: bool = False,
        client: Client | None = None,
        ask_device_key: bool = False,
    ) -> OpenedSession:
        """Ask the gate and the attempt counters, then open a session with a fresh challenge.

        The scenario's liveness level is the least; `liveness_level` may ask for more. With a `transaction` the
        session is for that text alone, which is in the challenge and in whatever signs it.

        A `veiled` session that verifies is opened all the same where the account is unknown, has not agreed or is
        locked: its device goes through everything that any other goes through, and is denied in the end (R25).
        The reason is the session's own, for the backend alone. `client` says where the session comes from, so
        that attempts are counted for that device and that network too. With `ask_device_key` the device is told to
        sign even where the scenario only prefers it; who judges what was reached is the caller.

        Raises:
            UnknownScenario, UnknownAccount, InvalidRequest: the request does not fit the scenario.
            ConsentRequired, ConsentStale: the gate stays shut.
            ReauthenticationRequired: a face is to be enrolled without a fresh proof by another factor (R14).
            Locked: too many failed attempts (R10).
        """
        if veiled and purpose != "verify":
            raise InvalidRequest("Only a session that verifies somebody can be veiled.")
        now = self.clock()
        expires_at = now + timedelta(seconds=self.settings.open_s)
        session_id, client_token = f"fs_{self.random(16).hex()}", f"fc_{self.random(32).hex()}"
        with self.data.begin() as conn:
            found = self.scenarios.get(conn, tenant, scenario)
            if transaction is not None and purpose != "verify":
                raise InvalidRequest("Only a session that verifies somebody is for a transaction.")
            profile = _level(found, liveness_level)
            self.places.told(
                conn,
                session_id=session_id,
                tenant=tenant,
                client=client or Client(),
                expires_at=expires_at + PLACES_KEPT,
            )
            shut = self._check(
                conn,
                found,
                session_id=session_id,
                tenant=tenant,
                purpose=purpose,
                account=account,
                proof=reauthenticated_at,
                pad=profile.qualifies,
            )
            if shut is not None and not veiled:
                raise shut
            challenge = replace(
                make_challenge(profile=profile, now=now, random=self.random, expires_at=expires_at),
                device_key=_device_key(found, asked=ask_device_key),
                transaction=transaction,
            )
            self.sessions.open(
                conn,
                session_id=session_id,
                client_token=client_token,
                tenant=tenant,
                purpose=purpose,
                scenario=scenario,
                account=account,
                challenge=challenge_to_wire(challenge),
                now=now,
                expires_at=expires_at,
                streamed=found.stream_only,
                veiled=veiled,
                withheld=None if shut is None else shut.code,
            )
            self.audit.append(
                conn,
                Event.SESSION_OPENED,
                tenant=tenant,
                account=account,
                actor=actor,
                details={"scenario": scenario, "purpose": purpose},
            )
        told = _first_told(challenge) if found.stream_only else challenge
        return OpenedSession(session_id, client_token, told, expires_at)

    def _check(
        self,
        conn: Connection,
        scenario: Scenario,
        *,
        session_id: str,
        tenant: str,
        purpose: Purpose,
        account: str | None,
        proof: datetime | None,
        pad: bool,
    ) -> FaceauthError | None:
        """Raise what is wrong with the request, and return what is in the way of the person, if anything."""
        if purpose == "identify":
            if scenario.mode != "identify" or scenario.state != "active":
                raise InvalidRequest(f"The scenario {scenario.scenario!r} does not identify people; use verify.")
            if account is not None:
                raise InvalidRequest("Identification finds the account itself; leave account_id out.")
            return _refusal(lambda: self.places.check(conn, session_id=session_id, purpose=purpose))
        if account is None:
            raise InvalidRequest(f"Name the account: {purpose} needs account_id (R8).")
        checks: list[Callable[[], object]] = [
            lambda: self.accounts.get(conn, tenant, account),
            lambda: self.gate.ask(conn, tenant=tenant, account=account, scenario=scenario.scenario),
        ]
        if purpose == "verify":
            checks.append(lambda: self.attempts.check(conn, tenant=tenant, account=account, pad=pad))
            checks.append(lambda: self.places.check(conn, session_id=session_id, purpose=purpose))
        # All of them every time: how long opening takes says nothing either (R25).
        shut = [found for check in checks if (found := _refusal(check)) is not None]
        if purpose == "enrol" and not shut:
            self._check_proof(proof)
        return shut[0] if shut else None

    def _check_proof(self, at: datetime | None) -> None:
        check_fresh(at, now=self.clock(), limit_s=self.settings.reauthentication_max_age_s)

    def seen(self, session_id: str, client_token: str, address: str | None) -> None:
        """Note where the device of a session connects from, if that is to be counted and was not told.

        Raises:
            NotAuthenticated: the token opens no such session.
        """
        if address is None or not self.places.counts(address):
            return
        with self.data.begin() as conn:
            session = self.sessions.for_device(conn, session_id=session_id, client_token=client_token)
            self.places.seen(conn, session_id=session_id, tenant=session.tenant, address=address)

    def cancel(self, session_id: str, client_token: str) -> None:
        """End an open session at the device's wish; cancelling a closed one changes nothing.

        Raises:
            NotAuthenticated: the token opens no such session.
        """
        with self.data.begin() as conn:
            session = self.sessions.for_device(conn, session_id=session_id, client_token=client_token)
            if self.sessions.cancel(conn, session, now=self.clock()):
                self.audit.append(
                    conn,
                    Event.SESSION_CANCELLED,
                    tenant=session.tenant,
                    account=session.account,
                    actor="device",
                    details={"scenario": session.scenario, "purpose": session.purpose},
                )

    def challenge(self, session_id: str, client_token: str) -> Challenge:
        """Return the challenge of the device's own open session; of a streamed one the first step only.

        Raises:
            NotAuthenticated: the token opens no such session.
            SessionClosed: it is over.
        """
        with self.data.read() as conn:
            session = self.sessions.for_device(conn, session_id=session_id, client_token=client_token)
        self._still_open(session)
        challenge = challenge_from_wire(session.challenge)
        return _first_told(challenge) if session.streamed else challenge

    def without_flashes(self, session_id: str, client_token: str) -> Challenge:
        """Give a session another challenge, whose second look is a motion in place of flashing colours.

        It is drawn once: whoever asks again, or has a session without a flash, is told what there is. The level is
        the one below, with its lower limits on attempts (R10): whether these are used up is found out with the
        frames, for the device may not learn it here (R25).

        Returns:
            What the device may be told, as `challenge` does.

        Raises:
            NotAuthenticated: the token opens no such session.
            SessionClosed: it is over, or frames were sent already.
            FlashesNeeded: the scenario, or the application for this session, wants the flash.
        """
        now = self.clock()
        with self.data.begin() as conn:
            session = self.sessions.for_device(conn, session_id=session_id, client_token=client_token)
            self._still_open(session)
            known = challenge_from_wire(session.challenge)
            lower = PROFILES[known.profile].without_flash
            if lower.name != known.profile:
                scenario = self.scenarios.get(conn, session.tenant, session.scenario)
                if not scenario.flash_choice or not PROFILES[scenario.liveness_profile].flash:
                    raise FlashesNeeded("This session needs the screen's colours. Another way to log in is there.")
                known = self._redrawn(known, lower, session.expires_at)
                self.sessions.redraw(conn, session, challenge_to_wire(known), now=now)
        return _first_told(known) if session.streamed else known

    def _redrawn(self, known: Challenge, profile: Profile, expires_at: datetime) -> Challenge:
        """Draw another challenge for the same device key and transaction."""
        drawn = make_challenge(profile=profile, now=self.clock(), random=self.random, expires_at=expires_at)
        return replace(drawn, device_key=known.device_key, transaction=known.transaction)

    def stream(self, session_id: str, client_token: str, *, resumed: bool = False) -> Challenge:
        """Let a device stream its session, and return the whole challenge, of which it is told one step at a time.

        What was told when the session was opened is of no use to it: a fresh challenge is drawn.

        Args:
            session_id: the session.
            client_token: the device's token.
            resumed: whether this process streams it already, so that its state is known.

        Raises:
            NotAuthenticated: the token opens no such session.
            SessionClosed: it is over, or frames were sent already.
        """
        with self.data.begin() as conn:
            session = self.sessions.for_device(conn, session_id=session_id, client_token=client_token)
            known = challenge_from_wire(session.challenge)
            if resumed:
                return known
            self._still_open(session)
            if session.capture_started_at is not None:
                raise SessionClosed("This session is over. Ask the application for a new one.")
            if session.streamed:
                return known
            challenge = self._redrawn(known, PROFILES[known.profile], session.expires_at)
            self.sessions.stream(conn, session, challenge_to_wire(challenge), now=self.clock())
        return challenge

    def _still_open(self, session: CaptureSession) -> None:
        if session.state != "open" or session.expires_at <= self.clock():
            raise SessionClosed("This session is over. Ask the application for a new one.")

    def stands(self, conn: Connection, session: CaptureSession) -> bool:
        """Say whether an accepted login still counts: not revoked, and under the consent of its own time."""
        if session.state != "accepted" or session.matched_account is None or session.decided_at is None:
            return False
        if session.token_revoked_at is not None:
            return False
        try:
            grant = self.gate.ask(
                conn, tenant=session.tenant, account=session.matched_account, scenario=session.scenario
            )
        except (ConsentError, UnknownScenario):
            return False
        return grant.granted_at <= session.decided_at

    def view(self, *, tenant: str, session_id: str) -> SessionView:
        """Return what the backend may know of its session.

        Raises:
            UnknownSession: this tenant has no such session.
        """
        with self.data.begin() as conn:
            session = self.sessions.for_backend(conn, tenant=tenant, session_id=session_id, now=self.clock())
            stands = self.stands(conn, session)
        account, decided_at = session.matched_account, session.decided_at
        if not stands or session.purpose == "enrol" or account is None or decided_at is None:
            return SessionView(session)
        if self.tokens.too_late(decided_at):
            return SessionView(session)
        methods = methods_of(session.device_strength)
        token = self.tokens.mint(
            account=account,
            tenant=tenant,
            session_id=session_id,
            auth_time=decided_at,
            scenario=session.scenario,
            methods=methods,
            transaction_sha256=session.challenge.get("transaction", {}).get("sha256"),
        )
        return SessionView(session, token, methods.amr, methods.acr)


def _refusal(check: Callable[[], object]) -> FaceauthError | None:
    """Return why a check refuses the person, or None; whatever else goes wrong is raised."""
    try:
        check()
    except (UnknownAccount, ConsentError, Locked) as refused:
        return refused
    return None


def _device_key(scenario: Scenario, *, asked: bool) -> DeviceKeyPolicy:
    """Return what the device is told of keys. One that the scenario does not look at is never asked for."""
    return "required" if asked and scenario.device_key == "preferred" else scenario.device_key


def _first_told(challenge: Challenge) -> Challenge:
    """Return what may be told of a streamed session's challenge before it is answered."""
    return replace(challenge, steps=challenge.steps[:1])


def _level(scenario: Scenario, wanted: str | None) -> Profile:
    """Return the session's liveness level: the scenario's, or one that has all its gates and more."""
    least = PROFILES[scenario.liveness_profile]
    profile = least if wanted is None else PROFILES.get(wanted)
    if profile is None or not profile.at_least(least):
        raise InvalidRequest(
            f"This scenario's sessions need the liveness level {least.name} at least; leave liveness_level out."
        )
    return profile
