"""The log's tree in the database: what is stored, what is proved, and what a rebuilt log cannot hide (R51)."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import delete, func, insert, select, update

from faceauth.audit.chain import START, row_digest
from faceauth.audit.events import Event
from faceauth.audit.log import AuditLog, AuditVerdict
from faceauth.audit.merkle import is_consistent, is_included
from faceauth.audit.notes import open_note
from faceauth.audit.tree import WIDTH
from faceauth.db.audit_tables import audit_checkpoints, audit_head, audit_log, audit_nodes
from faceauth.errors import AuditBroken
from tests.databases import Databases

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def log() -> AuditLog:
    """A log whose clock goes on by a second a record."""
    seconds = count()
    return AuditLog(pseudonym_key=bytes(range(32)), clock=lambda: NOON + timedelta(seconds=next(seconds)))


def fill(log: AuditLog, databases: Databases, records: int) -> None:
    with databases.data.begin() as conn:
        for number in range(records):
            log.append(
                conn,
                Event.SESSION_OPENED,
                tenant="shop",
                account=f"a{number}",
                actor="system",
                details={"count": number},
            )


def rebuild(databases: Databases, *, skip: int = 0, records: int | None = None) -> None:
    """What somebody who can write the database does: change record 3, chain all anew, and mend the head."""
    with databases.data.begin() as conn:
        rows = [dict(row) for row in conn.execute(select(audit_log).order_by(audit_log.c.seq)).mappings()]
        conn.execute(delete(audit_log))
        digest = START
        for row in rows[:records]:
            if row["seq"] == 3:
                row["details"] = {"count": 77}
            row["previous"], row["digest"] = digest, b""
            fields = {name: row[name] for name in ("seq", "at", "event", "tenant", "subject", "actor", "details")}
            row["digest"] = digest = row_digest(digest, **fields)
            conn.execute(insert(audit_log).values(**row))
        conn.execute(update(audit_head).values(seq=row["seq"], digest=digest))
        conn.execute(delete(audit_nodes))
        conn.execute(delete(audit_checkpoints).where(audit_checkpoints.c.size > skip))


def verdict(log: AuditLog, databases: Databases, *notes: str) -> AuditVerdict:
    with databases.data.read() as conn:
        key = log.tree.key(conn).verifier_key
        return log.verify(conn, [open_note(note, key) for note in notes])


def test_subtrees_and_checkpoints_are_kept_as_the_log_grows(sqlite_database: Databases, log: AuditLog) -> None:
    fill(log, sqlite_database, 2 * WIDTH + 5)
    with sqlite_database.data.read() as conn:
        assert sorted(log.tree.nodes(conn)) == [(8, 0), (8, 1)]
        assert [one.size for one in log.tree.checkpoints(conn)] == [WIDTH, 2 * WIDTH]
    assert verdict(log, sqlite_database) == AuditVerdict(2 * WIDTH + 5, None)


@pytest.mark.soak
def test_the_second_level_too(sqlite_database: Databases, log: AuditLog) -> None:
    fill(log, sqlite_database, WIDTH * WIDTH + 1)
    with sqlite_database.data.read() as conn:
        assert (16, 0) in log.tree.nodes(conn)
        stored = log.tree.root(conn, WIDTH * WIDTH + 1)
    with sqlite_database.data.begin() as conn:
        conn.execute(delete(audit_nodes))
        assert log.tree.root(conn, WIDTH * WIDTH + 1) == stored
    assert verdict(log, sqlite_database).intact


def test_a_log_older_than_its_tree_is_taken_up(database: Databases, log: AuditLog) -> None:
    """Nothing but the next records is needed after an upgrade, and proofs work before them."""
    fill(log, database, WIDTH + 20)
    with database.data.begin() as conn:
        before = log.tree.root(conn, WIDTH + 20)
        conn.execute(delete(audit_nodes))
        conn.execute(delete(audit_checkpoints))
        assert log.tree.root(conn, WIDTH + 20) == before
    fill(log, database, WIDTH - 20)
    with database.data.read() as conn:
        assert conn.execute(select(func.count()).select_from(audit_nodes)).scalar_one() == 2
    assert verdict(log, database).intact


def test_a_record_is_proved_to_be_in_a_checkpoint(database: Databases, log: AuditLog) -> None:
    """R51: inclusion and consistency, as anybody can check them."""
    fill(log, database, WIDTH + 9)
    with database.data.begin() as conn:
        small = log.tree.sign(conn, WIDTH + 3, now=NOON)
        large = log.tree.sign(conn, WIDTH + 9, now=NOON)

        digests = [bytes(one) for one in conn.scalars(select(audit_log.c.digest).order_by(audit_log.c.seq))]
        for leaf in (0, 5, WIDTH - 1, WIDTH, WIDTH + 8):
            path = log.tree.inclusion(conn, leaf + 1, large.size)
            assert is_included(digests[leaf], leaf, large.size, path, large.root)
        path = log.tree.consistency(conn, small.size, large.size)
        assert is_consistent(small.size, small.root, large.size, large.root, path)


def test_signing_twice_gives_one_checkpoint(database: Databases, log: AuditLog) -> None:
    fill(log, database, 4)
    with database.data.begin() as conn:
        first = log.tree.sign(conn, 4, now=NOON)
        assert log.tree.sign(conn, 4, now=NOON + timedelta(hours=1)) == first


def test_a_log_rebuilt_after_a_checkpoint_is_found(database: Databases, log: AuditLog) -> None:
    """R51: a fork, in which every record fits the one before it."""
    fill(log, database, 12)
    with database.data.begin() as conn:
        log.tree.sign(conn, 2, now=NOON)
        kept = log.tree.sign(conn, 8, now=NOON).note
    assert verdict(log, database, kept).intact
    rebuild(database, skip=100)
    assert verdict(log, database) == AuditVerdict(8, 3, checkpoint=8)
    with database.data.begin() as conn, pytest.raises(AuditBroken, match="not those that were signed"):
        log.tree.sign(conn, 8, now=NOON)
    rebuild(database)
    assert verdict(log, database).intact, "without a checkpoint nothing in the database tells"
    assert verdict(log, database, kept) == AuditVerdict(8, 1, checkpoint=8)


def test_a_log_cut_off_before_a_checkpoint_is_found(database: Databases, log: AuditLog) -> None:
    """R51: truncation, with the head mended."""
    fill(log, database, 12)
    with database.data.begin() as conn:
        kept = log.tree.sign(conn, 10, now=NOON).note
    rebuild(database, records=6)
    assert verdict(log, database, kept) == AuditVerdict(6, 7, checkpoint=10)


@pytest.mark.parametrize("column", ["root", "note", "size"])
def test_an_altered_checkpoint_is_found(database: Databases, log: AuditLog, column: str) -> None:
    fill(log, database, 6)
    with database.data.begin() as conn:
        log.tree.sign(conn, 5, now=NOON)
        changed = {"root": bytes(32), "note": "nothing", "size": 4}[column]
        conn.execute(update(audit_checkpoints).values({column: changed}))
    assert not verdict(log, database).intact


def test_an_altered_subtree_is_found(sqlite_database: Databases, log: AuditLog) -> None:
    fill(log, sqlite_database, WIDTH)
    with sqlite_database.data.begin() as conn:
        conn.execute(update(audit_nodes).values(hash=bytes(32)))
        conn.execute(delete(audit_checkpoints))
    assert verdict(log, sqlite_database) == AuditVerdict(WIDTH, 1)


def test_missing_records_are_not_signed(database: Databases, log: AuditLog) -> None:
    fill(log, database, 6)
    with database.data.begin() as conn:
        conn.execute(delete(audit_log).where(audit_log.c.seq == 2))
        with pytest.raises(AuditBroken, match="missing"):
            log.tree.sign(conn, 6, now=NOON)
