"""How long `faceauth serve` takes to be ready, by how many references it has to open first."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx

from faceauth.bench.embeddings import Progress
from faceauth.bench.index_shape import Population, Shape
from faceauth.bench.synthetic_installation import make_installation
from faceauth.errors import StorageError
from faceauth.settings import Settings

WAIT_S: Final = 1800.0
"""Seconds after which a service that is not ready is given up."""

LOOK_S: Final = 0.05
"""Seconds between two looks at `/readyz`."""

Serving = Callable[[Settings], AbstractContextManager[tuple[str, str, int]]]
"""Starts a service over an installation, and yields its address, an API key and its process's id."""


@dataclass(frozen=True, slots=True)
class Start:
    """One start of the service.

    Attributes:
        references: how many were enrolled, each somebody else's, in a scenario that is searched.
        ready_s: seconds from starting the process until `/readyz` said that it can serve.
        cpu_s: seconds of CPU that the process had taken by then.
        resident_mb: megabytes it held then.
    """

    references: int
    ready_s: float
    cpu_s: float
    resident_mb: float

    def as_json(self) -> dict[str, Any]:
        """Return it as a report holds it."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def measure_start(
    settings: Settings,
    references: int,
    *,
    shape: Shape,
    model_digest: bytes,
    serving: Serving,
    spent: Callable[[int], tuple[float, float]],
    progress: Progress,
) -> Start:
    """Enrol so many made-up people and start the service over them.

    Args:
        settings: Whose models are used; a folder of its own is made.
        references: How many people, a reference each.
        shape: What their embeddings are like.
        model_digest: The model that the service runs, 32 bytes: references of others are not opened.
        serving: Starts the service.
        spent: Tells the seconds of CPU and the megabytes of a process.
        progress: Is told what is done.

    Raises:
        StorageError: It did not become ready.
    """
    rows = Population(shape, seed=1).gallery(references)
    with TemporaryDirectory(prefix="faceauth-bench-") as folder:
        made = make_installation(
            Path(folder) / "data",
            rows,
            model_digest=model_digest,
            progress=lambda done, of: progress(f"enrolling {references:,}", done, of),
        )
        ours = settings.model_copy(update={"data_dir": made.data_dir, "database_url": None})
        progress(f"starting with {references:,}", 0, 1)
        began = time.perf_counter()
        with serving(ours) as (address, _, pid):
            _wait_until_ready(address, before=began + WAIT_S)
            start = Start(references, time.perf_counter() - began, *spent(pid))
    progress(f"starting with {references:,}", 1, 1)
    return start


def _wait_until_ready(address: str, *, before: float) -> None:
    while time.perf_counter() < before:
        try:
            if httpx.get(f"{address}/readyz", timeout=WAIT_S).is_success:
                return
        except httpx.TransportError:
            pass  # it does not listen yet
        time.sleep(LOOK_S)
    raise StorageError("The service did not become ready. faceauth doctor says why.")
