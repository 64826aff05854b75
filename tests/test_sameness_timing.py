"""How long denials take, with the pack's own embedder: no case stands out of the others (R25). Long, so soak.

What is compared is the time that the processor works: by the clock, a busy machine hides differences.
"""

import math
from collections import defaultdict
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth import pipeline
from faceauth.assembly import assemble
from faceauth.db.upgrade import upgrade
from faceauth.embed.packs import Pack, load_pack
from faceauth.errors import Mismatch
from faceauth.match import decide
from faceauth.settings import Settings
from faceauth.vault.keyring import create_keyring
from tests import databases
from tests.clocks import HandClock
from tests.service import OneFace, Service, make_service
from tests.test_sameness import REASONS, Case, looks_like_a_gate, one_for_each_case

ROUNDS = 12
BY_CHANCE = 0.001
"""Below this a difference is called one. Seven cases are compared, so a run goes wrong by chance once in 140."""


def p_value(some: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Return Mann and Whitney's two-sided p by the normal approximation; times are never tied."""
    ranks = np.concatenate([some, others]).argsort().argsort() + 1
    n, m = len(some), len(others)
    u = ranks[:n].sum() - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))


@pytest.fixture
def timed(
    tmp_path: Path, models_dir: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> tuple[Service, pytest.MonkeyPatch]:
    """A service with the embedder of `open`; its liveness lets everyone pass, and costs what it has to embed."""
    real = load_pack("open", models_dir)
    embedder = real.embedder
    pair = databases.sqlite(tmp_path / "data")
    upgrade(*pair)
    keyring = create_keyring(tmp_path / "keyring", now=clock())
    service = make_service(pair, keyring, tmp_path, clock)
    pack = Pack(
        name="open",
        licence="",
        digest=b"d" * 32,
        embedder=embedder,
        detector_kind="double",
        detector_sessions={},
        detector_options={},
        detector=OneFace(),
    )
    settings = Settings(data_dir=tmp_path, models_dir=tmp_path)
    service.installation = assemble(settings, pair.data, pair.keys, keyring, pack, clock=clock)
    monkeypatch.setattr(pipeline, "judge", looks_like_a_gate)
    return service, monkeypatch


@pytest.mark.soak
def test_no_denial_is_told_by_its_time(timed: tuple[Service, pytest.MonkeyPatch]) -> None:
    """The cases take turns, so that whatever else the machine does falls on all of them."""
    service, monkeypatch = timed
    one_for_each_case(service)
    verify = decide.verify

    def nobody(*given: Any, **more: Any) -> Any:
        # Pictures of noise look alike to a network for faces: the comparison is made, and fails all the same.
        verify(*given, **more)
        raise Mismatch("not alike")

    monkeypatch.setattr(decide, "verify", nobody)
    took: dict[str, list[float]] = defaultdict(list)
    for number in range(ROUNDS):
        for name in REASONS:
            if name == "withdrawn" and number:
                service.agree("emil")
            # All but Dora, who is locked out, have as many attempts as they need.
            with service.installation.data.begin() as conn:
                for account in ("anna", "carla", "emil", "nobody", "without"):
                    service.installation.attempts.unlock(conn, tenant="default", account=account)
            case = Case(service, name, monkeypatch)
            began = process_time()
            assert case.post().state == "denied"
            took[name].append(process_time() - began)
            assert service.reason(case.opened) == ("denied", REASONS[name])
    usual = np.array(took["another_person"])
    for name, seconds in took.items():
        median, p = float(np.median(seconds)), p_value(np.array(seconds), usual)
        ratio = median / np.median(usual)
        print(f"{name:16} {1000 * median:7.1f} ms  ratio {ratio:5.3f}  p {p:.3f}")  # noqa: T201  read with -s
    worst = {name: p_value(np.array(seconds), usual) for name, seconds in took.items() if name != "another_person"}
    assert min(worst.values()) > BY_CHANCE, worst
