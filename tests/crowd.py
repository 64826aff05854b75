"""Many people who agreed, for tests of what is done to all of them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import insert

from faceauth.db.schema import accounts, live_consents
from faceauth.db.tenants import DEFAULT_TENANT
from tests.service import Service


@contextmanager
def timed(what: str, people: int) -> Iterator[None]:
    """Print how long it took (`pytest -s` shows it)."""
    began, worked = time.perf_counter(), time.process_time()
    yield
    took, worked = time.perf_counter() - began, time.process_time() - worked
    each = 1000 * worked / people
    print(f"\n{what}: {people:,} in {took:.0f} s, {worked:.0f} s of CPU, {each:.2f} ms each")  # noqa: T201  its purpose


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
