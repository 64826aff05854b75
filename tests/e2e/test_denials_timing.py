"""When a device is told of a denial, with real liveness and the pack's own networks: no case stands out (R25).

Rendered heads before the service's own routes, by the clock: from the post to its answer. Long, so soak.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from structlog.testing import capture_logs

from faceauth.api.app import create_app
from faceauth.api.holding import ENOUGH
from faceauth.assembly import assemble
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.upgrade import upgrade
from faceauth.embed.packs import Pack
from faceauth.pipeline import Pipeline, SessionAnswer
from faceauth.sessions import OpenedSession
from faceauth.settings import Settings
from faceauth.simulate import Subject, simulate_session
from faceauth.types import Purpose
from faceauth.vault.keyring import create_keyring
from tests import databases
from tests.api.client import TestClient
from tests.clocks import HandClock
from tests.e2e.conftest import People
from tests.service import Service, make_service
from tests.test_denials_held import post_burst
from tests.test_sameness_timing import BY_CHANCE, p_value

ROUNDS = 15

VERIFY = {
    "another_person": "mismatch",
    "print": "liveness",
    "no_face": "quality",
    "too_few_frames": "liveness",
    "unknown": "unknown_account",
    "without_consent": "consent_required",
    "withdrawn": "consent_required",
    "not_enrolled": "not_enrolled",
    "locked": "locked",
}
SEARCH = {"another_person": "mismatch", "print": "liveness", "no_face": "quality", "too_few_frames": "liveness"}

Times = NDArray[np.float64]


def smirnov(some: Times, others: Times) -> float:
    """Return Kolmogorov and Smirnov's p for two samples, by the asymptotic series."""
    every = np.concatenate([some, others])
    gap = np.abs(
        np.searchsorted(np.sort(some), every, "right") / len(some)
        - np.searchsorted(np.sort(others), every, "right") / len(others)
    ).max()
    x = gap * math.sqrt(len(some) * len(others) / len(every))
    return (
        float(min(1.0, 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, 101))))
        if x
        else 1.0
    )


@dataclass
class Stage:
    """The service, who stands before it, and how long things took."""

    service: Service
    http: TestClient
    people: People
    judged: list[float]
    seeds: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def open(self, purpose: Purpose, account: str | None, scenario: str = "login") -> OpenedSession:
        return self.service.installation.desk.open(
            tenant=DEFAULT_TENANT,
            purpose=purpose,
            scenario=scenario,
            account=account,
            reauthenticated_at=self.service.clock(),
            actor="test",
            veiled=purpose == "verify",
        )

    def show(self, opened: OpenedSession, subject: Subject, count: int | None = None) -> tuple[str, float]:
        """Stand before the camera; return the answer's state, and the seconds until it came."""
        burst = simulate_session(subject, opened.challenge, seed=next(self.seeds), mild=True)[:count]
        return self.post(opened, [one.jpeg for one in burst], [(one.step, one.t_ms) for one in burst])

    def show_nobody(self, opened: OpenedSession) -> tuple[str, float]:
        """Show a wall until the posts are used up."""
        state, seconds = "open", 0.0
        while state == "open":
            rng = np.random.default_rng(next(self.seeds))
            walls = [rng.normal(140, 6, (480, 640, 3)).clip(0, 255).astype(np.uint8) for _ in range(40)]
            parts = [bytes(cv2.imencode(".jpg", wall)[1]) for wall in walls]
            step = opened.challenge.steps[0].id
            state, seconds = self.post(opened, parts, [(step, 80 * at) for at in range(len(parts))])
        return state, seconds

    def post(
        self, opened: OpenedSession, parts: Sequence[bytes], timeline: Sequence[tuple[str, int]]
    ) -> tuple[str, float]:
        began = perf_counter()
        answer = post_burst(self.http, opened, parts, [{"step": step, "t_ms": t_ms} for step, t_ms in timeline])
        seconds = perf_counter() - began
        return str(answer.json()["state"]), seconds

    def until_accepted(self, purpose: Purpose, account: str | None, scenario: str = "login") -> None:
        for _ in range(6):
            if self.show(self.open(purpose, account, scenario), self.people.anna)[0] == "accepted":
                return
        raise AssertionError("Anna was not let in")

    def go(self, case: str, purpose: Purpose) -> tuple[str | None, float]:
        """Go through one case; return the reason that the backend reads, and the seconds."""
        service, people = self.service, self.people
        account = {"unknown": "nobody", "without_consent": "without", "withdrawn": "emil"}.get(
            case, {"not_enrolled": "carla", "locked": "dora"}.get(case, "anna")
        )
        if case == "withdrawn":
            service.agree("emil")
        with service.installation.data.begin() as conn:
            for one in {account} - {"dora"}:
                service.installation.attempts.unlock(conn, tenant=DEFAULT_TENANT, account=one)
        scenario, named = ("login", account) if purpose == "verify" else ("door", None)
        opened = self.open(purpose, named, scenario)
        if case == "withdrawn":
            service.withdraw("emil")
        if case == "no_face":
            _, seconds = self.show_nobody(opened)
        else:
            subject = people.printed if case == "print" else people.ben
            _, seconds = self.show(opened, subject, 8 if case == "too_few_frames" else None)
        return service.reason(opened)[1], seconds


@pytest.fixture
def stage(
    tmp_path: Path,
    pack: Pack,
    people: People,
    clock: HandClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:
    """Anna is enrolled, for logging in and for the door; Dora is locked out; liveness and networks are real."""
    pair = databases.sqlite(tmp_path / "data")
    upgrade(*pair)
    keyring = create_keyring(tmp_path / "keyring", now=clock())
    service = make_service(pair, keyring, tmp_path, clock)
    settings = Settings(data_dir=tmp_path, models_dir=tmp_path)
    service.installation = assemble(settings, pair.data, pair.keys, keyring, pack, clock=clock)
    judged: list[float] = []
    decide = Pipeline.decide

    def timed(*given: Any, **more: Any) -> SessionAnswer:
        began = perf_counter()
        try:
            return decide(*given, **more)
        finally:
            judged.append(perf_counter() - began)

    monkeypatch.setattr(Pipeline, "decide", timed)
    with capture_logs(), TestClient(create_app(service.installation)) as http:
        yield Stage(service, http, people, judged)
    service.installation.close()


@pytest.mark.soak
@pytest.mark.parametrize(("purpose", "cases"), [("verify", VERIFY), ("identify", SEARCH)])
def test_no_denial_is_told_sooner_than_another(stage: Stage, purpose: Purpose, cases: dict[str, str]) -> None:
    """The cases take turns, so that whatever else the machine does falls on all of them."""
    service = stage.service
    service.make_door()
    for account in ("anna", "carla", "dora", "emil", "without"):
        service.agree(account)
    service.agree("anna", "door")
    service.withdraw("without")
    stage.until_accepted("enrol", "anna")
    stage.until_accepted("enrol", "anna", "door")
    with service.installation.data.begin() as conn:
        for _ in range(10):
            service.installation.attempts.charge(conn, tenant=DEFAULT_TENANT, account="dora", pad=True)
    whom = ("anna", "login") if purpose == "verify" else (None, "door")
    for _ in range(ENOUGH):  # from then on the service knows what a whole way takes
        stage.until_accepted(purpose, *whom)
    told: dict[str, list[float]] = defaultdict(list)
    judged: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for case, reason in cases.items():
            found, seconds = stage.go(case, purpose)
            # Now and then liveness asks a rendered head for one step more, or denies it: another case then.
            if found == reason:
                told[case].append(seconds)
                judged[case].append(stage.judged[-1])
    compare("judged", judged)
    least = compare("told", told)
    assert min(len(times) for times in told.values()) > ROUNDS / 2
    assert min(least.values()) > BY_CHANCE, least


def compare(what: str, times: dict[str, list[float]]) -> dict[str, float]:
    """Print each case's times beside another person's, and return the lesser of two p."""
    usual = np.array(times["another_person"])
    found: dict[str, float] = {}
    for case, seconds in times.items():
        some = np.array(seconds)
        rank, shape = p_value(some, usual), smirnov(some, usual)
        lowest, middle, highest = np.quantile(some, [0, 0.5, 1])
        print(  # noqa: T201  read with -s
            f"{what:7} {case:16} n {len(some):3}  {lowest:6.3f} {middle:6.3f} {highest:6.3f} s"
            f"  ratio {middle / np.median(usual):5.3f}  Mann-Whitney {rank:.3f}  Kolmogorov-Smirnov {shape:.3f}"
        )
        if case != "another_person":
            found[case] = min(rank, shape)
    return found
