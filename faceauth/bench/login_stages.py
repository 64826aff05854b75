"""Where one login's CPU time goes: the service's own pipeline without HTTP, watched by Python's profiler."""

import cProfile
import pstats
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from faceauth.bench.embeddings import Progress
from faceauth.bench.service import film
from faceauth.bench.stream import Clips
from faceauth.consent.builtin import LOGIN
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.installation import Installation
from faceauth.liveness.challenge import challenge_to_wire

_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "decode": ("capture/burst.py", "read_burst"),
    "detect": ("capture/faces.py", "find"),
    "faces": ("capture/faces.py", "read"),
    "replays": ("capture/intake.py", "replayed"),
    "judge": ("liveness/decision.py", "judge"),
    "embed": ("embed/embedder.py", "embed"),
    "probe": ("embed/probe.py", "make_probe"),
    "open references": ("vault/references.py", "open_account"),
    "compare": ("match/decide.py", "verify"),
}
"""Where in the package each piece of work is done: a file and a function."""

INFERENCE: Final = ("detect", "embed")
"""The stages that run networks."""


@dataclass(frozen=True, slots=True)
class LoginStages:
    """Milliseconds of CPU that a login took.

    Attributes:
        whole_ms: of all of it, mean of the logins that were not profiled.
        stages_ms: by stage, mean of the profiled ones. `liveness` is without the embeddings it asks for; `rest` is
            what no stage has: transactions, checks, Python. Profiling makes Python code slower and networks not.
        logins: how many of each.
        accepted: how many of them all were accepted.
    """

    whole_ms: float
    stages_ms: Mapping[str, float]
    logins: int
    accepted: int

    def as_json(self) -> dict[str, Any]:
        """Return it as a report holds it, with each stage's share."""
        total = sum(self.stages_ms.values())
        return {
            "whole_ms": round(self.whole_ms, 1),
            "logins": self.logins,
            "accepted": self.accepted,
            "stages": {
                name: {"ms": round(spent, 2), "share": round(spent / total, 4), "inference": name in INFERENCE}
                for name, spent in self.stages_ms.items()
            },
        }


def login_stages(
    installation: Installation, clips: Clips, accounts: Iterator[str], *, logins: int, progress: Progress
) -> LoginStages:
    """Log in twice as many accounts as told: half of them watched, half only timed.

    Args:
        installation: Opened; each account has agreed and is enrolled with the clips' head.
        clips: from `faceauth.bench.stream.render_clips`.
        accounts: Whose; each logs in once.
        logins: How many of each half, after one that is not counted.
        progress: Is told after every login.
    """
    whole, accepted = 0.0, 0
    watched = cProfile.Profile(time.process_time)
    for number in range(2 * logins + 1):
        profile = watched if number > logins else None
        spent, was_accepted = _log_in(installation, clips, next(accounts), device=number, profile=profile)
        whole += spent if 0 < number <= logins else 0.0
        accepted += was_accepted
        progress("logins, stage by stage", number + 1, 2 * logins + 1)
    return LoginStages(1000 * whole / logins, _by_stage(watched, logins), logins, accepted)


def _log_in(
    installation: Installation, clips: Clips, account: str, *, device: int, profile: cProfile.Profile | None
) -> tuple[float, bool]:
    """Return the seconds of CPU of this thread that the post took, and whether it was accepted.

    Opening the session and filming are no part of either, nor of the profile.
    """
    opened = installation.desk.open(
        tenant=DEFAULT_TENANT,
        purpose="verify",
        scenario=LOGIN,
        account=account,
        reauthenticated_at=None,
        actor="bench",
    )
    frames, timeline = film(clips, challenge_to_wire(opened.challenge), device=device)
    with profile or nullcontext():
        began = time.thread_time()
        answer = installation.pipeline.submit(opened.session_id, opened.client_token, frames, timeline)
        spent = time.thread_time() - began
    return spent, answer.state == "accepted"


def _by_stage(watched: cProfile.Profile, logins: int) -> dict[str, float]:
    """Return milliseconds a login by stage, from what the profiler saw."""
    stats: Any = pstats.Stats(watched)
    within = dict.fromkeys(_PLACES, 0.0)
    for (file, _, function), (_, _, _, cumulative, _) in stats.stats.items():
        for name, (path, called) in _PLACES.items():
            if function == called and PurePath(file).as_posix().endswith(f"faceauth/{path}"):
                within[name] += 1000 * cumulative / logins
    found = {
        "decode": within["decode"],
        "detect": within["detect"],
        "align and judge quality": within["faces"] - within["detect"],
        "look for replays": within["replays"],
        # Liveness embeds key frames too: that time is the embedder's, whoever asks it.
        "liveness": within["judge"] + within["probe"] - within["embed"],
        "embed": within["embed"],
        "open references": within["open references"],
        "compare": within["compare"],
    }
    return {**found, "rest": 1000 * stats.total_tt / logins - sum(found.values())}
