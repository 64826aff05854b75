"""What a face's life costs: withdrawal to the last byte, rotation of all keys, campaigns, checking the log."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from faceauth.asking import Asking, Done
from faceauth.audit.chain import START, row_digest
from faceauth.audit.details import check_details
from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.bench.embeddings import Progress
from faceauth.bench.service import percentiles
from faceauth.bench.synthetic_installation import enrol_agreed, enrol_alike
from faceauth.campaigns import Campaigns, Question
from faceauth.clock import system_clock
from faceauth.consent.audience import Audience
from faceauth.consent.builtin import LOGIN
from faceauth.consent.request import Affirmation, ConsentRequest
from faceauth.db.bulk import insert_audit_rows
from faceauth.db.engine import Database
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.watching import watching_ends
from faceauth.errors import StorageError
from faceauth.installation import Installation, create_installation, databases, open_installation, read_keyring
from faceauth.outbox.endpoints import Endpoints
from faceauth.settings import Settings

_CHUNK: Final = 256
"""Audit records inserted at once: as many as one stored node of the tree covers."""

_CHUNKS: Final = 64
"""So many of them are committed together."""


@dataclass(frozen=True, slots=True)
class Withdrawals:
    """Withdrawals among so many enrolled people, in seconds.

    Attributes:
        people: how many had a face enrolled.
        unusable: from the call to the commit from which on the gate denies.
        gone: from the call to its answer: the bytes are gone, and the receipt is signed.
    """

    people: int
    unusable: Sequence[float]
    gone: Sequence[float]

    def as_json(self) -> dict[str, Any]:
        """Return the percentiles in milliseconds."""
        return {
            "people": self.people,
            "unusable_ms": percentiles(self.unusable),
            "gone_ms": percentiles(self.gone),
        }


@dataclass(frozen=True, slots=True)
class Rate:
    """So many things done in so many seconds.

    Attributes:
        count: how many.
        seconds: of the clock on the wall.
        cpu_seconds: of this process's own work, on all its cores; what other programs do hardly changes it.
    """

    count: int
    seconds: float
    cpu_seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return it, with how many that is a second."""
        return {
            "count": self.count,
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "per_s": round(self.count / self.seconds, 1),
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """A campaign of which everybody stays silent, from the first question to the suspension of the last.

    Attributes:
        asking: everybody, in one round: a message and an audit record each.
        reminding: everybody again: a message each.
        closing: everybody suspended, an audit record each, and the report written.
    """

    asking: Rate
    reminding: Rate
    closing: Rate

    def as_json(self) -> dict[str, Any]:
        """Return the three rounds."""
        return {
            "people": self.asking.count,
            "asking": self.asking.as_json(),
            "reminding": self.reminding.as_json(),
            "closing": self.closing.as_json(),
        }


def measure_withdrawals(settings: Settings, people: int, withdrawals: int, *, progress: Progress) -> Withdrawals:
    """Let people among many others agree, enrol them, and let them withdraw one after the other.

    Args:
        settings: whose models are used; a folder of its own is made.
        people: how many others are enrolled.
        withdrawals: how many withdraw.
        progress: is told after each.
    """
    with _installation(settings, people) as place:
        accounts = _agree(place, withdrawals)
        enrol_agreed(place, accounts)
        unusable, gone = [], []
        for done, account in enumerate(accounts, 1):
            with watching_ends() as ends:
                began = time.perf_counter()
                place.lifecycle.withdraw(tenant=DEFAULT_TENANT, account=account, scenario=LOGIN, actor="bench")
                gone.append(time.perf_counter() - began)
            unusable.append(ends[0] - began)  # the withdrawal is recorded: from now on the gate denies
            progress(f"withdrawals among {people:,}", done, len(accounts))
    return Withdrawals(people, unusable, gone)


def measure_rotation(settings: Settings, people: int, *, progress: Progress) -> Rate:
    """Rotate the key-encryption key of an installation with so many data keys."""
    with _installation(settings, people) as place:
        began, worked = time.perf_counter(), time.process_time()
        ended = place.rotation.rotate(
            tenant=DEFAULT_TENANT,
            actor="bench",
            progress=lambda done, of: progress(f"rotating {people:,} keys", done, of),
        )
        return Rate(ended.rewrapped, time.perf_counter() - began, time.process_time() - worked)


def measure_campaign(settings: Settings, people: int, *, progress: Progress) -> Asked:
    """Ask so many people who agreed to confirm it, remind them, and close the campaign when nobody answered.

    No message is sent: what is measured ends at the outbox. Time is passed by setting the clock on.

    Raises:
        StorageError: somebody was left out; this is a bug.
    """
    with _installation(settings, people) as place:
        began = place.clock()
        with place.data.begin() as conn:
            Endpoints().add(
                conn,
                endpoint_id="endpoint_bench",
                tenant=DEFAULT_TENANT,
                url="https://backend.invalid/hook",
                salt=bytes(32),
                now=began,
            )
        question = Question(
            scenario=LOGIN,
            audience=Audience(),
            deadline=began + timedelta(days=10),
            on_deadline="suspend",
            remind_days=(7,),
        )
        Campaigns.of(place).begin(tenant=DEFAULT_TENANT, question=question, actor="bench")

        def work(days: int) -> tuple[Done, Rate]:
            asking = replace(Asking.of(place), clock=lambda: began + timedelta(days=days))
            started, worked = time.perf_counter(), time.process_time()
            done = asking.run(lambda what, number, of: progress(f"{what} {people:,}", number, of))
            return done, Rate(people, time.perf_counter() - started, time.process_time() - worked)

        (asked, asking), (reminded, reminding), (closed, closing) = work(0), work(4), work(11)
    if (asked.asked, reminded.reminded, closed.suspended) != (people,) * 3:
        raise StorageError("A campaign left somebody out; this is a bug.")
    return Asked(asking, reminding, closing)


def measure_audit(records: int, *, progress: Progress) -> Rate:
    """Write so many audit records, then check them all: chain, tree, checkpoints.

    Raises:
        StorageError: the log that was just written does not fit.
    """
    with TemporaryDirectory(prefix="faceauth-bench-") as folder:
        settings = Settings(data_dir=Path(folder) / "data")
        create_installation(settings)
        data, keys = databases(settings)
        log = AuditLog(pseudonym_key=read_keyring(settings).pseudonym_key, clock=system_clock)
        try:
            written = _write_records(data, log, records, progress=progress)
            began, worked = time.perf_counter(), time.process_time()
            with data.read() as conn:
                verdict = log.verify(
                    conn, progress=lambda done, of: progress(f"checking {records:,} records", done, of)
                )
            seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - worked
        finally:
            data.dispose()
            keys.dispose()
    if not verdict.intact or verdict.count != written:
        raise StorageError("The audit log that was written does not fit; this is a bug.")
    return Rate(written, seconds, cpu_seconds)


@contextmanager
def _installation(settings: Settings, people: int) -> Iterator[Installation]:
    with TemporaryDirectory(prefix="faceauth-bench-") as folder:
        ours = settings.model_copy(update={"data_dir": Path(folder) / "data", "database_url": None})
        create_installation(ours)
        enrol_alike(ours, _some_vector(128), model_digest=bytes(32), count=people)
        place = open_installation(ours)
        try:
            yield place
        finally:
            place.close()


def _some_vector(dimension: int) -> Any:
    vector = np.random.default_rng(1).normal(size=dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)


def _agree(place: Installation, count: int) -> list[str]:
    """Make accounts whose people agree through the ledger, as at the API."""
    with place.data.read() as conn:
        notice = place.notices.current(conn, DEFAULT_TENANT, LOGIN, place.clock())
    accounts = [f"bench-{os.urandom(8).hex()}" for _ in range(count)]
    request = ConsentRequest(
        scenario=LOGIN,
        notice_version=notice.version,
        notice_sha256=notice.text("en").sha256,
        locale="en",
        decision="given",
        affirmation=Affirmation(method="checkbox", checked_by_default=False, text="Yes"),
    )
    for account in accounts:
        with place.data.begin() as conn:
            place.accounts.ensure(conn, tenant=DEFAULT_TENANT, account=account, now=place.clock())
        place.lifecycle.record_consent(tenant=DEFAULT_TENANT, account=account, request=request, actor="bench")
    return accounts


def _write_records(data: Database, log: AuditLog, records: int, *, progress: Progress) -> int:
    """Append records as `AuditLog.append` does, a node of the tree at a time; return how many there are."""
    with data.read() as conn:
        seq = log.tree.size(conn)
    at, previous = datetime(2026, 1, 1, tzinfo=UTC), START
    subjects = [log.pseudonym(DEFAULT_TENANT, f"account {number}") for number in range(1_000)]
    details = check_details({"scenario": LOGIN, "purpose": "verify"})
    if seq:
        raise StorageError("The audit log is not empty.")
    whole = records - records % _CHUNK
    for first in range(0, whole, _CHUNK * _CHUNKS):
        with data.begin() as conn:
            for start in range(first, min(first + _CHUNK * _CHUNKS, whole), _CHUNK):
                rows = []
                for number in range(start + 1, start + _CHUNK + 1):
                    row: dict[str, Any] = {
                        "seq": number,
                        "at": at + timedelta(seconds=number),
                        "event": Event.SESSION_ACCEPTED.value,
                        "tenant": DEFAULT_TENANT,
                        "subject": subjects[number % len(subjects)],
                        "actor": "device",
                        "details": details,
                    }
                    digest = row_digest(previous, **row)
                    rows.append({**row, "previous": previous, "digest": digest})
                    previous = digest
                insert_audit_rows(conn, rows)
                log.tree.grow(conn, start + _CHUNK)
        progress(f"writing {records:,} records", min(first + _CHUNK * _CHUNKS, whole), whole)
    with data.begin() as conn:
        log.tree.sign(conn, whole, now=at)
    return whole
