"""The second place for audit records: when it fails, so does the act (R49)."""

import json
import socket
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog
from faceauth.audit.sinks import FileSink, Sink, SyslogSink
from faceauth.db.audit_tables import audit_log
from faceauth.errors import AuditUnavailable
from tests.databases import Databases


def append(database: Databases, sink: Sink) -> None:
    log = AuditLog(pseudonym_key=bytes(32), clock=lambda: datetime(2026, 3, 1, tzinfo=UTC), sink=sink)
    with database.data.begin() as conn:
        log.append(conn, Event.CONSENT_GIVEN, tenant="shop", account="ann", actor="system", details={"count": 1})


def records(database: Databases) -> int:
    with database.data.read() as conn:
        return int(conn.execute(select(func.count()).select_from(audit_log)).scalar_one())


def test_a_file_gets_what_the_database_gets(sqlite_database: Databases, tmp_path: Path) -> None:
    """R50: under pseudonyms, as there."""
    place = tmp_path / "audit.jsonl"
    for _ in range(2):
        append(sqlite_database, FileSink(place))
    first, second = (json.loads(line) for line in place.read_text().splitlines())
    assert (first["seq"], second["seq"]) == (1, 2)
    assert first["event"] == "person:consent:given"
    assert "ann" not in place.read_text()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    with sqlite_database.data.read() as conn:
        kept = conn.scalars(select(audit_log.c.digest).order_by(audit_log.c.seq)).all()
    assert [first["digest"], second["digest"]] == [one.hex() for one in kept]


def test_syslog_gets_a_line(sqlite_database: Databases, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "log"))
        append(sqlite_database, SyslogSink(tmp_path / "log"))
        said = daemon.recv(10_000).decode()
    assert said.startswith("<85>faceauth: {")
    assert json.loads(said.partition(": ")[2])["seq"] == 1


@pytest.mark.parametrize("kind", [FileSink, SyslogSink])
def test_no_record_there_no_operation(sqlite_database: Databases, tmp_path: Path, kind: type) -> None:
    """R49: a folder that is not there, a daemon that does not listen."""
    with pytest.raises(AuditUnavailable, match="nothing was done"):
        append(sqlite_database, kind(tmp_path / "missing" / "place"))
    assert records(sqlite_database) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
def test_a_full_disk_stops_the_act(sqlite_database: Databases) -> None:
    """R49, R57: /dev/full takes nothing."""
    with pytest.raises(AuditUnavailable):
        append(sqlite_database, FileSink(Path("/dev/full")))
    assert records(sqlite_database) == 0
