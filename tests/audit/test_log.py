"""No record, no operation; no names in the record; and no change to it that is not found (R49, R50, R51)."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, delete, insert, select, update

from faceauth.audit.chain import row_digest
from faceauth.audit.events import Event
from faceauth.audit.log import Activity, AuditLog, AuditVerdict
from faceauth.db.audit_tables import audit_head, audit_log
from faceauth.db.schema import installation
from faceauth.errors import AuditUnavailable, ConfigurationError
from tests.databases import Databases

KEY = bytes(range(32))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN = "ann@example.org"


@pytest.fixture
def log() -> AuditLog:
    """A log with a fixed key and a clock that stands still."""
    return AuditLog(pseudonym_key=KEY, clock=lambda: NOON)


def _append(log: AuditLog, conn: Connection, details: Mapping[str, Any] | None = None, **changes: Any) -> None:
    wanted: dict[str, Any] = {"tenant": "shop", "account": ANN, "actor": "apikey:ak_1"} | changes
    log.append(conn, wanted.pop("event", Event.CONSENT_GIVEN), **wanted, details=details)


def _fill(log: AuditLog, databases: Databases, count: int = 6) -> None:
    with databases.data.begin() as conn:
        for number in range(count):
            _append(log, conn, {"scenario": "login", "count": number})


def _verdict(log: AuditLog, databases: Databases) -> AuditVerdict:
    with databases.data.read() as conn:
        found = log.verify(conn)
    assert log.verify_in_pages(databases.data.read) == found
    return found


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page ends within the few records of a test."""
    monkeypatch.setattr("faceauth.audit.log._PAGE", 3)


def test_a_walk_in_pages_keeps_nothing_waiting(database: Databases, log: AuditLog) -> None:
    """R41, R51: meanwhile records are written, which count, and SQLite's log is cut to nothing."""
    _fill(log, database)
    went: list[tuple[int, int]] = []

    def progress(done: int, of: int) -> None:
        if not went:
            _fill(log, database, 2)
            database.data.truncate_wal()
        went.append((done, of))

    assert log.verify_in_pages(database.data.read, progress=progress) == AuditVerdict(8, None)
    assert went == [(3, 6), (6, 8)]


def test_a_log_fits_together(database: Databases, log: AuditLog) -> None:
    """R51: the chain of an empty log and of a filled one is intact, whoever reads it."""
    assert _verdict(log, database) == AuditVerdict(0, None)
    _fill(log, database)
    verdict = _verdict(log, database)
    assert verdict == AuditVerdict(6, None)
    assert verdict.intact
    other = AuditLog(pseudonym_key=bytes(32), clock=lambda: NOON)
    assert other.pseudonym("shop", ANN) != log.pseudonym("shop", ANN)
    assert _verdict(other, database).intact


CHANGES: dict[str, Any] = {
    "at": NOON + timedelta(microseconds=1),
    "event": Event.CONSENT_REFUSED.value,
    "tenant": "other",
    "subject": "0" * 64,
    "actor": "apikey:ak_2",
    "details": {"scenario": "login", "count": True},
    "previous": bytes(32),
    "digest": b"\x01" * 32,
}


@pytest.mark.parametrize("column", CHANGES)
def test_an_edit_is_found(database: Databases, log: AuditLog, column: str) -> None:
    """R51: every column of a row is bound."""
    _fill(log, database)
    with database.data.begin() as conn:
        conn.execute(update(audit_log).where(audit_log.c.seq == 4).values({column: CHANGES[column]}))
    assert _verdict(log, database) == AuditVerdict(3, 4)


@pytest.mark.parametrize("seq", [1, 3, 6])
def test_a_deletion_is_found(database: Databases, log: AuditLog, seq: int) -> None:
    """R51: the last one too, because the head remembers."""
    _fill(log, database)
    with database.data.begin() as conn:
        conn.execute(delete(audit_log).where(audit_log.c.seq == seq))
    assert _verdict(log, database) == AuditVerdict(seq - 1, seq)


def test_a_cut_off_end_is_found(database: Databases, log: AuditLog) -> None:
    """R51: truncation, of a part and of everything."""
    _fill(log, database)
    for count in (2, 0):
        with database.data.begin() as conn:
            conn.execute(delete(audit_log).where(audit_log.c.seq > count))
        assert _verdict(log, database) == AuditVerdict(count, count + 1)
    with database.data.begin() as conn:
        conn.execute(delete(audit_head))
    assert not _verdict(log, database).intact


def test_a_cut_off_end_with_the_rest_renumbered_is_found(database: Databases, log: AuditLog) -> None:
    """R51: reordering, closing a gap, and adding behind the head."""
    _fill(log, database)
    with database.data.begin() as conn:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            conn.execute(update(audit_log).where(audit_log.c.seq == old).values(seq=new))
    assert _verdict(log, database) == AuditVerdict(1, 2)


def test_a_record_added_or_rebuilt_past_the_head_is_found(database: Databases, log: AuditLog) -> None:
    """R51: rebuilding the last digest is not enough while the head tells another one."""
    _fill(log, database)
    with database.data.begin() as conn:
        row = dict(conn.execute(select(audit_log).where(audit_log.c.seq == 6)).mappings().one())
        previous, _ = row.pop("previous"), row.pop("digest")
        row["details"] = {"scenario": "payment"}
        row["digest"] = row_digest(previous, **row)
        conn.execute(update(audit_log).where(audit_log.c.seq == 6).values(**row))
    assert _verdict(log, database) == AuditVerdict(6, 6)
    with database.data.begin() as conn:
        digest = row.pop("digest")
        row["seq"] = 7
        conn.execute(insert(audit_log).values(**row, previous=digest, digest=row_digest(digest, **row)))
    assert _verdict(log, database) == AuditVerdict(7, 7)


def test_when_the_record_cannot_be_written_the_act_does_not_happen(database: Databases, log: AuditLog) -> None:
    """R49: the act and its record are one transaction."""

    def act(conn: Connection) -> None:
        conn.execute(insert(installation).values(key="act", value="done"))
        _append(log, conn)

    with database.data.begin() as conn:
        conn.execute(delete(audit_head))  # the head is gone: nothing can be chained on
    with pytest.raises(AuditUnavailable, match="nothing was done"), database.data.begin() as conn:
        act(conn)
    with database.data.read() as conn:
        assert conn.execute(select(installation)).first() is None
    with database.data.begin() as conn:
        conn.execute(insert(audit_head).values(id=1, seq=0, digest=bytes(32)))
    with database.data.begin() as conn:
        act(conn)
    assert _verdict(log, database) == AuditVerdict(1, None)


@pytest.mark.parametrize(
    "details",
    [
        {"score": 1},
        {"account": ANN},
        {"count": 0.93},
        {"count": np.float32(0.93)},
        {"scenario": ["login"]},
        {"scenario": None},
        {"reason": "x" * 201},
        {"model_digest": b"\x00"},
    ],
)
def test_scores_and_names_have_no_place(
    sqlite_database: Databases, log: AuditLog, details: dict[str, Any]
) -> None:
    """R24, R50: keys are on a list, and no value is a fraction."""
    with pytest.raises(AuditUnavailable), sqlite_database.data.begin() as conn:
        _append(log, conn, details)


@pytest.mark.parametrize("actor", ["", "ann@example.org", "two words", "x" * 101, "line\nbreak"])
def test_an_actor_is_a_plain_word(sqlite_database: Databases, log: AuditLog, actor: str) -> None:
    with pytest.raises(AuditUnavailable), sqlite_database.data.begin() as conn:
        _append(log, conn, actor=actor)


def test_people_are_pseudonyms(database: Databases, log: AuditLog) -> None:
    """R50: HMAC-SHA-256 under the installation's key; tenant and account cannot be shifted into each other."""
    _fill(log, database, 1)
    with database.data.read() as conn:
        row = conn.execute(select(audit_log)).mappings().one()
    assert row["subject"] == log.pseudonym("shop", ANN)
    assert ANN not in repr(dict(row))
    assert log.pseudonym("sh", "opann") != log.pseudonym("shop", "ann")
    with pytest.raises(ConfigurationError):
        AuditLog(pseudonym_key=b"short", clock=lambda: NOON)


def test_a_person_sees_what_was_done_with_the_face(database: Databases, log: AuditLog) -> None:
    """The activity list: own events about the face, in order, and nobody else's."""
    with database.data.begin() as conn:
        _append(log, conn, {"scenario": "login"})
        _append(log, conn, {"scenario": "login"}, account="bob")
        _append(log, conn, {"scenario": "login"}, tenant="other")
        _append(log, conn, {"scenario": "login"}, account=None)
        _append(log, conn, event=Event.ACCOUNT_CHANGED)
        _append(log, conn, {"scenario": "login", "reason": "mismatch"}, event=Event.SESSION_DENIED, actor="device")
    with database.data.read() as conn:
        assert log.activity(conn, "shop", ANN) == [
            Activity(NOON, Event.CONSENT_GIVEN, "login"),
            Activity(NOON, Event.SESSION_DENIED, "login"),
        ]


def test_writers_at_once_make_one_chain(database: Databases, log: AuditLog) -> None:
    """R51: no forks: the head's row makes writers queue."""
    together = threading.Barrier(3)
    errors: list[Exception] = []

    def write() -> None:
        try:
            together.wait(timeout=10)
            for _ in range(8):
                with database.data.begin() as conn:
                    _append(log, conn)
        except Exception as error:  # noqa: BLE001  whatever it is, the test fails on it
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert errors == []
    assert _verdict(log, database) == AuditVerdict(24, None)
