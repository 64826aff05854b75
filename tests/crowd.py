"""Many people who agreed, for tests of what is done to all of them."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import insert

from faceauth.db.schema import accounts, live_consents
from faceauth.db.tenants import DEFAULT_TENANT
from tests.service import Service


def _peak(*, anew: bool) -> float:
    """Return the most memory that this process has had since it was counted `anew`, in MiB; Linux tells it."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return 0.0 if found is None else int(found[1]) / 1024


@contextmanager
def timed(what: str, people: int) -> Iterator[None]:
    """Print how long it took and by how much the process grew (`pytest -s` shows it)."""
    began, worked, size = time.perf_counter(), time.process_time(), _peak(anew=True)
    yield
    took, worked = time.perf_counter() - began, time.process_time() - worked
    cost = f"{worked:.0f} s of CPU, {1000 * worked / people:.2f} ms each, {_peak(anew=False) - size:.0f} MiB more"
    print(f"\n{what}: {people:,} in {took:.0f} s, {cost}")  # noqa: T201  its purpose


def agree_all(service: Service, people: int) -> None:
    """Give so many accounts a consent to `login`, without the ledger's signed records, which take long to make."""
    now, until = service.clock(), service.clock().replace(year=service.clock().year + 1)
    names = [f"p{number:06}" for number in range(people)]
    with service.installation.data.begin() as conn:
        rows = [{"tenant": DEFAULT_TENANT, "account": name, "created_at": now} for name in names]
        conn.execute(insert(accounts), rows)
        rows = [
            {
                "tenant": DEFAULT_TENANT,
                "account": name,
                "scenario": "login",
                "consent_id": f"consent_{name}",
                "notice_version": 1,
                "valid_until": until,
                "granted_at": now,
            }
            for name in names
        ]
        conn.execute(insert(live_consents), rows)


def answer_some(service: Service, numbers: Sequence[int]) -> int:
    """Let some of them say yes by the usual way; return how many."""
    for number in numbers:
        service.agree(f"p{number:06}")
    return len(numbers)
