"""The tables of where attempts come from: marks of devices and networks, and no address in the clear."""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from faceauth.db.columns import ID, UtcDateTime
from faceauth.db.metadata import DATA

# One row for each device and network that tried of late; the mark is keyed, and says of nobody where they were.
# `counts` says which of them it is and what is counted, such as `device:verify`; none for a provider's requests.
place_attempts = Table(
    "place_attempts",
    DATA,
    Column("mark", LargeBinary(32), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("counts", String(20)),
    Index("ix_place_attempts_since", "since"),
)

# Where a session comes from, until it is over.
session_places = Table(
    "session_places",
    DATA,
    Column("session_id", ID, primary_key=True),
    Column("network", LargeBinary(32)),
    Column("device", LargeBinary(32)),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_session_places_expires_at", "expires_at"),
)
