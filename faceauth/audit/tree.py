"""The log's Merkle tree and its signed checkpoints, as they are kept in the database.

A record's entry in the tree is its chain digest, so a proof about it binds all before it too. Of the subtrees only
those of 256, 65,536, … leaves are stored, when their last record is written; all others are computed from them, so
that a root or a proof reads a few hundred rows however long the log is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, select

from faceauth.audit.merkle import consistency_proof, fold, inclusion_proof, leaf_hash, root
from faceauth.audit.notes import NoteKey
from faceauth.db.audit_tables import audit_checkpoints, audit_head, audit_log, audit_nodes
from faceauth.db.schema import installation
from faceauth.errors import AuditBroken

STEP: Final = 8
"""Levels between two that are stored."""

WIDTH: Final = 1 << STEP
"""How many nodes of one stored level make one of the next: 256."""


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that was signed and kept."""

    size: int
    root: bytes
    note: str
    at: datetime


class AuditTree:
    """Reads and extends the tree, in the caller's transaction.

    Args:
        pseudonym_key: the keyring's, 32 random bytes; the key that signs is derived from it.
    """

    def __init__(self, pseudonym_key: bytes) -> None:
        self._pseudonym_key = pseudonym_key

    def key(self, conn: Connection) -> NoteKey:
        """Return the key that signs checkpoints of this installation's log."""
        bound = select(installation.c.value).where(installation.c.key == "installation_id")
        return NoteKey(self._pseudonym_key, f"faceauth/{conn.execute(bound).scalar_one_or_none() or 'unbound'}")

    def grow(self, conn: Connection, size: int) -> bool:
        """Store the subtrees that the record `size`, just written, completes; return whether there are any."""
        if size % WIDTH:
            return False
        level = STEP
        while size % (1 << level) == 0:
            index = (size >> level) - 1
            for missing in range(_stored(conn, level), index + 1):
                found = fold(_children(conn, level, missing))
                conn.execute(insert(audit_nodes).values(level=level, position=missing, hash=found))
            level += STEP
        return True

    def size(self, conn: Connection) -> int:
        """Return how many records there are."""
        return int(conn.execute(select(audit_head.c.seq).where(audit_head.c.id == 1)).scalar_one())

    def subtree(self, conn: Connection, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree; see `faceauth.audit.merkle.Subtree`.

        Raises:
            AuditBroken: records it covers are missing.
        """
        stored = level - level % STEP
        if stored == level and level:
            kept = select(audit_nodes.c.hash).where(audit_nodes.c.level == level, audit_nodes.c.position == index)
            found = conn.execute(kept).scalar_one_or_none()
            return fold(_children(conn, level, index)) if found is None else bytes(found)
        count = 1 << (level - stored)
        return fold(_nodes(conn, stored, index * count, count))

    def root(self, conn: Connection, size: int) -> bytes:
        """Return the root over the first `size` records.

        Raises:
            AuditBroken: some of them are missing.
        """
        return root(lambda level, index: self.subtree(conn, level, index), size)

    def sign(self, conn: Connection, size: int, *, now: datetime) -> SignedCheckpoint:
        """Sign a checkpoint of the first `size` records and keep it; one that is there already is given back.

        Raises:
            AuditBroken: records are missing, or what was signed for this size is not what is there now.
        """
        found = self.root(conn, size)
        kept = conn.execute(select(audit_checkpoints).where(audit_checkpoints.c.size == size)).one_or_none()
        if kept is not None:
            if bytes(kept.root) != found:
                raise AuditBroken(
                    f"Records up to {size} are not those that were signed. Run: faceauth audit verify"
                )
            return SignedCheckpoint(size, found, kept.note, kept.at)
        made = SignedCheckpoint(size, found, self.key(conn).sign(size, found), now)
        conn.execute(insert(audit_checkpoints).values(size=size, root=found, note=made.note, at=now))
        return made

    def inclusion(self, conn: Connection, seq: int, size: int) -> list[bytes]:
        """Return the proof that record `seq` is among the first `size`; see `merkle.inclusion_proof`."""
        return inclusion_proof(lambda level, index: self.subtree(conn, level, index), seq - 1, size)

    def consistency(self, conn: Connection, first: int, second: int) -> list[bytes]:
        """Return the proof that the log of `second` records goes on from that of `first`."""
        return consistency_proof(lambda level, index: self.subtree(conn, level, index), first, second)

    def checkpoints(self, conn: Connection) -> list[SignedCheckpoint]:
        """Return every checkpoint that was kept, the smallest first."""
        rows = conn.execute(select(audit_checkpoints).order_by(audit_checkpoints.c.size))
        return [SignedCheckpoint(row.size, bytes(row.root), row.note, row.at) for row in rows]

    def nodes(self, conn: Connection) -> dict[tuple[int, int], bytes]:
        """Return every stored subtree's hash by level and index."""
        rows = conn.execute(select(audit_nodes.c.level, audit_nodes.c.position, audit_nodes.c.hash))
        return {(row.level, row.position): bytes(row.hash) for row in rows}


def _stored(conn: Connection, level: int) -> int:
    """Return how many subtrees of a level are stored; a log older than its tree catches up."""
    return int(conn.execute(select(func.count()).where(audit_nodes.c.level == level)).scalar_one())


def _children(conn: Connection, level: int, index: int) -> list[bytes]:
    return _nodes(conn, level - STEP, index * WIDTH, WIDTH)


def _nodes(conn: Connection, level: int, first: int, count: int) -> list[bytes]:
    """Return neighbouring nodes of a stored level; level 0 are the records, whose numbers begin at 1."""
    if level == 0:
        wanted = audit_log.c.seq > first, audit_log.c.seq <= first + count
        query = select(audit_log.c.digest).where(*wanted).order_by(audit_log.c.seq)
    else:
        place = audit_nodes.c.position
        query = select(audit_nodes.c.hash).where(audit_nodes.c.level == level).order_by(place)
        query = query.where(place >= first, place < first + count)
    found = [bytes(value) for value in conn.scalars(query)]
    if len(found) == count:
        return found if level else [leaf_hash(entry) for entry in found]
    if level == 0:
        raise AuditBroken("Records of the audit log are missing. Run: faceauth audit verify")
    # The log is older than its tree: computed from below.
    return [fold(_children(conn, level, first + number)) for number in range(count)]
