"""The streamed sessions of this process: who is connected, what is looked at, and the one decision of each."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import Final

import structlog

from faceauth.api.holding import Holding
from faceauth.api.metrics import Metrics
from faceauth.api.work import CORES, Result, Work
from faceauth.capture.session import CaptureSession, SessionStore
from faceauth.charging import Charging
from faceauth.errors import Denied, FaceauthError, Overloaded, SessionClosed
from faceauth.installation import Installation
from faceauth.liveness.challenge import challenge_from_wire
from faceauth.pipeline import BAD_INPUT
from faceauth.streaming.ending import Ending
from faceauth.streaming.frames import Watcher, read_stream
from faceauth.streaming.machine import CAPTURING
from faceauth.streaming.session import StreamSession, Timer
from faceauth.types import Challenge

log = structlog.get_logger(__name__)

RETRY_S: Final = 5
"""When a device that was turned away may try again; about as long as a session takes (own figure)."""

KEPT_S: Final = 60.0
"""Seconds the outcome of a session waits for a device that lost its connection (R15: a session's longest life)."""


LONGEST_WAIT_S: Final = 30.0
"""Nobody is let in who would wait longer for a decision, by what waits now (own figure)."""

PACE_S: Final = 0.0055
"""A look's time where both of two cores are busy (docs/streaming.md): when n people are guided, each is looked at
once in n times that, so that guidance takes a core at most and everybody as much of it."""


class Live:
    """One session that is streamed, with or without a connection."""

    def __init__(self, session: StreamSession, session_id: str, client_token: str, watcher: Watcher) -> None:
        self.session = session
        self.session_id = session_id
        self.client_token = client_token
        self.watcher = watcher
        self.claim: CaptureSession | None = None
        self.connected = True
        self.look_at_s = 0.0
        self.failed: Denied | None = None
        self.changed = asyncio.Event()
        self.to_send = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def take(self, act: Callable[[], None]) -> None:
        """Let the session take something from the device; what it refuses ends it."""
        if self.failed is not None or self.session.over:
            return
        try:
            act()
        except Denied as denied:
            self.failed = denied
        if self.failed is not None or self.waits or self.session.ready:  # a header is no reason to wake it
            self.changed.set()

    @property
    def waits(self) -> bool:
        """Whether there is a frame that was not looked at."""
        return self.session.newest(self.watcher.number) is not None

    @property
    def guided(self) -> bool:
        """Whether somebody is before the camera now."""
        return self.session.begun and self.session.state in CAPTURING

    def fail(self, denied: Denied) -> None:
        """End it with a denial."""
        self.failed = self.failed or denied
        self.changed.set()


class Streams:
    """All of them. Used on the event loop only.

    Args:
        installation: what decides.
        work: the threads that judge bursts, shared with the posts.
        metrics: where outcomes are counted.
        holding: holds what was denied until it is due.
        timer: seconds that never run backwards.
    """

    def __init__(
        self,
        installation: Installation,
        work: Work,
        metrics: Metrics,
        holding: Holding,
        *,
        timer: Timer = monotonic,
    ) -> None:
        self._installation = installation
        self._settings = installation.settings
        self._pipeline = installation.pipeline
        self._ending = Ending(
            data=installation.data,
            sessions=SessionStore(),
            charging=Charging(installation.attempts, installation.desk.places),
            pipeline=installation.pipeline,
            clock=installation.clock,
        )
        self._work = work
        self._metrics = metrics
        self._holding = holding
        self._timer = timer
        self.origins = frozenset(self._settings.cors_origins)
        self._live: dict[str, Live] = {}
        # Guidance has threads that nothing else uses, so that neither a decision nor the database holds it up; one
        # for each core, because one alone shares its core with a decision half of the time (docs/streaming.md).
        self._looks = ThreadPoolExecutor(CORES, thread_name_prefix="look")
        self._records = ThreadPoolExecutor(self._settings.service.workers, thread_name_prefix="record")
        self._closing = False

    async def attach(self, session_id: str, client_token: str, *, address: str | None = None) -> Live:
        """Connect a device to its session: a new one, or the one whose connection it lost.

        `address` is where the connection comes from.

        Raises:
            NotAuthenticated: the token opens no such session.
            SessionClosed: it is over, connected already, or streamed by another process.
            Overloaded: so many are streamed already.
        """
        known = self._live.get(session_id)
        if known is None:
            self._check_room()
        challenge = await self._run(
            self._records, self._installation.desk.stream, session_id, client_token, resumed=known is not None
        )
        await self._run(self._records, self._installation.desk.seen, session_id, client_token, address)
        # Nothing is awaited from here on: two connections cannot both be the first.
        live = self._live.get(session_id)
        if live is None:
            self._check_room()
            return self._open(session_id, client_token, challenge)
        if live.connected:
            raise SessionClosed("This session is connected already.")
        live.connected = True
        live.take(live.session.resume)
        if live.session.over:
            live.session.resume()
        live.to_send.set()
        return live

    def detach(self, live: Live) -> None:
        """The connection is lost; the device may come back until its time is over."""
        live.connected = False
        if not live.session.begun:
            self._forget(live)
        elif live.session.over:
            self._forget_later(live)

    def connected(self, session_id: str) -> bool:
        """Return whether a device is connected to this session."""
        live = self._live.get(session_id)
        return live is not None and live.connected

    def cancelled(self, session_id: str) -> None:
        """The device cancelled this session over another way."""
        live = self._live.get(session_id)
        if live is not None:
            live.fail(Denied("expired"))

    @property
    def open_now(self) -> int:
        """How many sessions are going on; may be asked from any thread."""
        return sum(not live.session.over for live in tuple(self._live.values()))

    async def close(self) -> None:
        """Deny what is not decided; the service stops."""
        self._closing = True
        tasks = [live.task for live in self._live.values() if live.task is not None]
        for live in tuple(self._live.values()):
            live.fail(Denied("unavailable"))
        if tasks:
            await asyncio.wait(tasks, timeout=KEPT_S)
        for pool in (self._looks, self._records):
            pool.shutdown(wait=True, cancel_futures=True)

    def _check_room(self) -> None:
        late = self._work.full or self._work.expected_s > LONGEST_WAIT_S
        if self._closing or late or self.open_now >= self._settings.stream.sessions:
            self._metrics.shed()
            raise Overloaded(RETRY_S)

    def _open(self, session_id: str, client_token: str, challenge: Challenge) -> Live:
        session = StreamSession(challenge, settings=self._settings, timer=self._timer)
        live = Live(session, session_id, client_token, Watcher(self._pipeline.reader, self._settings))
        self._live[session_id] = live
        live.to_send.set()
        live.task = asyncio.create_task(self._drive(live))
        return live

    def _forget_later(self, live: Live) -> None:
        asyncio.get_running_loop().call_later(KEPT_S, self._forget, live)

    def _forget(self, live: Live) -> None:
        if self._live.get(live.session_id) is live:
            del self._live[live.session_id]
        if live.task is not None and not live.session.begun:
            live.task.cancel()

    @property
    def _guided(self) -> int:
        return sum(one.guided for one in self._live.values())

    # --- one session ----------------------------------------------------------------------------------------

    async def _drive(self, live: Live) -> None:
        try:
            while not live.session.over:
                await self._turn(live)
        except Denied as denied:
            await self._deny(live, denied)
        except BAD_INPUT:
            await self._deny(live, Denied("quality"))
        except SessionClosed:
            live.session.decided(accepted=False)
        except Exception as error:  # noqa: BLE001  an error on the way to a decision is a denial (R4)
            log.warning("stream.unavailable", error=type(error).__name__, code=getattr(error, "code", None))
            await self._deny(live, Denied("unavailable"))
        self._metrics.judged(live.session.state.value)
        live.to_send.set()
        if not live.connected:
            self._forget_later(live)

    async def _turn(self, live: Live) -> None:
        session = live.session
        live.changed.clear()
        if live.failed is not None:
            raise live.failed
        session.tick()
        if session.begun and live.claim is None:
            live.claim = await self._begin(live)
        if session.ready:
            await self._evaluate(live)
            return
        if live.claim is not None and live.waits:
            await asyncio.sleep(live.look_at_s - self._timer())
            await self._look(live)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(live.changed.wait(), session.due_in_s() + 0.01)

    async def _look(self, live: Live) -> None:
        self._work.leave_a_core(self._guided)
        live.look_at_s = self._timer() + PACE_S * self._guided
        # The queue before the threads is served in order and holds each session once: nobody is passed over.
        looked = await self._run(self._looks, live.watcher.look, live.session)
        if looked is not None:
            live.session.saw(*looked)
            live.to_send.set()

    async def _evaluate(self, live: Live) -> None:
        session, claim = live.session, live.claim
        assert claim is not None  # noqa: S101  a burst has frames, and the first of them claimed the session
        live.to_send.set()
        read = partial(read_stream, session, settings=self._settings)
        self._work.leave_a_core(self._guided)
        await self._run(self._records, self._ending.received, claim)
        live.claim = None
        answer = await self._holding.take(
            self._work.finish, lambda way: self._pipeline.decide(claim, read, way=way)
        )
        if answer.state != "open":
            session.decided(accepted=answer.state == "accepted")
            return
        live.claim = await self._begin(live)
        session.again(challenge_from_wire(live.claim.challenge))
        live.to_send.set()

    async def _deny(self, live: Live, denied: Denied) -> None:
        log.info("stream.refused", reason=denied.reason, why=str(denied))
        try:
            claim = live.claim or await self._begin(live)
            await self._run(self._records, self._ending.refuse, claim, denied)
        except FaceauthError as error:
            # Decided, cancelled or expired meanwhile; or nothing can be written, and nothing was accepted.
            log.info("stream.denied", code=error.code)
        except Exception as error:  # noqa: BLE001  the session ends, whatever is the matter (R4)
            log.warning("stream.unrecorded", error=type(error).__name__)
        finally:
            live.session.decided(accepted=False)

    async def _begin(self, live: Live) -> CaptureSession:
        return await self._run(
            self._records, self._pipeline.begin, live.session_id, live.client_token, streamed=True
        )

    async def _run(
        self, pool: ThreadPoolExecutor, act: Callable[..., Result], *args: object, **more: object
    ) -> Result:
        return await asyncio.get_running_loop().run_in_executor(pool, partial(act, *args, **more))
