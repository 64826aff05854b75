"""The tables of the audit log: its records, their chain's head, and the tree over them."""

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from faceauth.db.columns import ID, UtcDateTime
from faceauth.db.metadata import DATA as METADATA

audit_log = Table(
    "audit_log",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("event", String(60), nullable=False),
    Column("tenant", ID, nullable=False),
    Column("subject", String(64)),
    Column("actor", String(100), nullable=False),
    Column("details", JSON, nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Index("ix_audit_log_subject", "tenant", "subject"),
)

# One row, locked by each writer, so that the chain has no forks.
audit_head = Table(
    "audit_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
)

# Subtrees of the log's Merkle tree (RFC 9162): level 8, 16, …, the first at position 0.
audit_nodes = Table(
    "audit_nodes",
    METADATA,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)

# What was signed of it, as C2SP tlog-checkpoint.
audit_checkpoints = Table(
    "audit_checkpoints",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
