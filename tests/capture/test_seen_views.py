"""Recordings that were compressed again are known by their looks, kept sealed and under a consent (R16)."""

from datetime import timedelta

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import func, select

from faceauth.capture.seen_views import KEPT, NEAR, SeenViews
from faceauth.capture.views import difference_hash, distances, hashes
from faceauth.db.schema import seen_views
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.types import Image
from tests.databases import Databases
from tests.service import Service


@pytest.fixture
def database(sqlite_database: Databases) -> Databases:
    return sqlite_database


def pictures(seed: int, count: int = 6) -> list[Image]:
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (count, 24, 32, 3)).astype(np.float32)
    return [
        np.asarray(cv2.resize(one, (640, 480), interpolation=cv2.INTER_CUBIC).clip(0, 255), np.uint8)
        for one in coarse
    ]


def compressed(picture: Image, quality: int) -> Image:
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


def test_a_copy_stays_near_and_another_picture_is_far() -> None:
    first, other = pictures(1), pictures(2)
    near = distances(hashes([compressed(one, 60) for one in first]), hashes(first))
    assert np.diag(near).max() < NEAR
    assert distances(hashes(first), hashes(other)).min() > 0.3
    assert difference_hash(first[0]).shape == (128,)


class Kept:
    """A person's sessions, one after the other."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.views = SeenViews(key=bytes(32))
        self.number = 0

    def remember(self, views: NDArray[np.uint8], account: str = "anna", session: str | None = None) -> bool:
        into = self.service.installation
        self.number += 1
        with into.data.begin() as conn:
            grant = into.pipeline.gate.ask(conn, tenant=DEFAULT_TENANT, account=account, scenario="login")
            return self.views.remember(
                conn,
                grant,
                session_id=session or f"fs_{self.number}",
                views=views,
                nonce=self.number.to_bytes(12, "big"),
                now=self.service.clock(),
            )

    def count(self) -> int:
        with self.service.installation.data.read() as conn:
            return conn.execute(select(func.count()).select_from(seen_views)).scalar_one()


@pytest.fixture
def kept(service: Service) -> Kept:
    service.agree("anna")
    service.agree("ben")
    return Kept(service)


def test_five_frames_of_another_session_are_a_replay(kept: Kept) -> None:
    first = pictures(1)
    again = hashes([compressed(one, 60) for one in first])
    assert not kept.remember(hashes(first), session="fs_first")
    assert not kept.remember(again, session="fs_first")  # its own session's next burst
    assert not kept.remember(hashes([*pictures(3), *first[:4]]))
    assert kept.remember(np.concatenate([hashes(pictures(4)), again[:5]]))


def test_another_person_and_an_old_session_are_no_replay(kept: Kept) -> None:
    views = hashes(pictures(1))
    assert not kept.remember(views)
    assert not kept.remember(views, "ben")
    kept.service.clock.forward((KEPT + timedelta(seconds=1)).total_seconds())
    assert not kept.remember(views)


def test_they_are_sealed_and_go_with_the_consent(kept: Kept) -> None:
    """R40, R42: withdrawing leaves nothing of them."""
    views = hashes(pictures(1))
    kept.remember(views)
    with kept.service.installation.data.read() as conn:
        sealed = conn.execute(select(seen_views.c.sealed)).scalar_one()
    assert views[0].tobytes() not in sealed
    kept.service.withdraw("anna")
    assert kept.count() == 0


def test_a_damaged_row_denies_nobody(kept: Kept) -> None:
    views = hashes(pictures(1))
    kept.remember(views)
    with kept.service.installation.data.begin() as conn:
        conn.execute(seen_views.update().values(sealed=bytes(40)))
    assert not kept.remember(views)
