"""A frame that came in another session is known, whoever sends it (R16)."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from faceauth.capture.seen_frames import KEPT, SeenFrames
from faceauth.db.schema import seen_frames
from tests.databases import Databases
from tests.service import Service

FIRST, SECOND, THIRD = (bytes([number]) * 32 for number in range(3))


@pytest.fixture
def database(sqlite_database: Databases) -> Databases:
    return sqlite_database


def test_frames_of_another_session_are_known_and_those_of_the_same_are_not(service: Service) -> None:
    """A burst that starts over may hold frames of its own session; a key of another service knows none of them."""
    seen, now = SeenFrames(key=bytes(32)), service.clock()
    with service.installation.data.begin() as conn:
        assert not seen.remember(conn, session_id="fs_1", digests=[FIRST, SECOND], now=now)
        assert not seen.remember(conn, session_id="fs_1", digests=[SECOND], now=now)
        assert seen.remember(conn, session_id="fs_2", digests=[THIRD, SECOND], now=now)
        assert seen.remember(conn, session_id="fs_3", digests=[THIRD], now=now)
        assert not SeenFrames(key=b"1" * 32).remember(conn, session_id="fs_4", digests=[FIRST], now=now)


def test_frames_are_forgotten_and_the_rows_tell_no_digest(service: Service) -> None:
    seen, now = SeenFrames(key=bytes(32)), service.clock()
    later = now + KEPT + timedelta(seconds=1)
    with service.installation.data.begin() as conn:
        seen.remember(conn, session_id="fs_1", digests=[FIRST], now=now)
        assert conn.execute(select(seen_frames.c.mac)).scalar_one() != FIRST
        assert seen.remember(conn, session_id="fs_2", digests=[FIRST], now=now + KEPT)
        assert not seen.remember(conn, session_id="fs_3", digests=[FIRST], now=later)
        assert conn.execute(select(func.count()).select_from(seen_frames)).scalar_one() == 1
