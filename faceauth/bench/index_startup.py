"""What a start of the service costs: reading, unwrapping, opening and adding references, each apart."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

from faceauth.bench.index_contenders import Floats
from faceauth.bench.index_race import Progress, resident_bytes
from faceauth.bench.synthetic_installation import make_installation
from faceauth.clock import system_clock
from faceauth.consent.scenarios import ScenarioStore
from faceauth.filling import IndexFilling
from faceauth.installation import databases
from faceauth.settings import Settings
from faceauth.vault import gallery
from faceauth.vault.index import Adding, ReferenceIndex
from faceauth.vault.keyring import load_keyring
from faceauth.vault.keys import KeyringProvider
from faceauth.vault.keystore import DataKeys
from faceauth.vault.opening import Opener

MODEL: Final = b"m" * 32
PER_ACCOUNT: Final = 3
"""References that an enrolment stores."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class StartUp:
    """What filling the index took, in seconds, and the CPU seconds that each part of it took.

    `read_s` is the databases' reading, `unwrap_s` the data keys, `open_s` the sealed references, `add_s` the
    index. Reading and unwrapping run beside the others.
    """

    references: int
    dimension: int
    per_account: int
    rows_at_once: int
    seconds: float
    cpu_s: float
    read_s: float
    unwrap_s: float
    open_s: float
    add_s: float
    engines_bytes: int

    @property
    def per_s(self) -> float:
        """References a second."""
        return round(self.references / self.seconds, 1)


@dataclass(slots=True)
class _Clocks:
    """Seconds of CPU by part; each part runs in one thread at a time."""

    spent: dict[str, float] = field(default_factory=dict)

    def watch(self, name: str, act: Callable[..., Result]) -> Callable[..., Result]:
        def watched(*args: Any, **more: Any) -> Result:
            began = time.thread_time()
            try:
                return act(*args, **more)
            finally:
                self.spent[name] = self.spent.get(name, 0.0) + time.thread_time() - began

        return watched


def measure_startup(
    rows: Floats, *, per_account: int = PER_ACCOUNT, folder: Path | None = None, progress: Progress
) -> StartUp:
    """Seal made-up people in a folder and fill an index from it.

    Args:
        rows: The references, shape (n, d), of unit length.
        per_account: How many in a row are one person's.
        folder: Where to; a temporary one if not given.
        progress: Is told what is done.
    """
    if folder is None:
        with TemporaryDirectory(prefix="faceauth-bench-") as made:
            return measure_startup(rows, per_account=per_account, folder=Path(made), progress=progress)
    label = f"{len(rows):,} references"
    settings = make_installation(
        folder / "data",
        rows,
        model_digest=MODEL,
        per_account=per_account,
        progress=lambda done, of: progress(f"{label}: sealing", done, of),
    )
    return time_filling(
        settings,
        dimension=rows.shape[1],
        per_account=per_account,
        progress=lambda done, of: progress(f"{label}: opening", done, of),
    )


def time_filling(
    settings: Settings, *, dimension: int, per_account: int, progress: Callable[[int, int], None]
) -> StartUp:
    """Fill an index from an installation that `make_installation` made, and take its parts' times."""
    data, key_database = databases(settings)
    clocks, index = _Clocks(), ReferenceIndex()
    provider = KeyringProvider(load_keyring(settings.keyring_file))
    keys = DataKeys(key_database, provider, system_clock)
    filling = IndexFilling(data=data, keys=keys, scenarios=ScenarioStore(), index=index, models={MODEL})
    try:
        with _replaced(
            clocks,
            (gallery.Gallery, "_read", "read and unwrap"),
            (provider, "unwrap_many", "unwrap"),
            (Opener, "open", "open"),
            (Adding, "add_many", "add"),
        ):
            before, cpu, began = resident_bytes(), time.process_time(), time.perf_counter()
            count = filling.run(progress)
            seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    finally:
        data.dispose()
        key_database.dispose()
    spent = clocks.spent
    return StartUp(
        references=count,
        dimension=dimension,
        per_account=per_account,
        rows_at_once=gallery.ROWS_AT_ONCE,
        seconds=round(seconds, 6),
        cpu_s=round(cpu, 6),
        read_s=round(spent["read and unwrap"] - spent["unwrap"], 6),
        unwrap_s=round(spent["unwrap"], 6),
        open_s=round(spent["open"], 6),
        add_s=round(spent["add"], 6),
        engines_bytes=resident_bytes() - before,
    )


@contextmanager
def _replaced(clocks: _Clocks, *parts: tuple[Any, str, str]) -> Iterator[None]:
    """Watch methods while the block runs."""
    originals = [getattr(owner, method) for owner, method, _ in parts]
    for (owner, method, name), original in zip(parts, originals, strict=True):
        setattr(owner, method, clocks.watch(name, original))
    try:
        yield
    finally:
        for (owner, method, _), original in zip(parts, originals, strict=True):
            setattr(owner, method, original)
