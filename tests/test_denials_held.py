"""A denial is known to nobody before its time, over the whole service (R25)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Event, Thread
from typing import Any

import pytest
from structlog.testing import capture_logs

from faceauth import pipeline as pipeline_module
from faceauth.api.app import create_app
from faceauth.charging import Charging
from faceauth.comparing import Comparing
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import LivenessDenied, Locked, SeveralMatch, StorageError
from faceauth.pipeline import Pipeline, SessionAnswer
from faceauth.sameness import Way
from faceauth.sessions import OpenedSession
from tests.api.client import TestClient
from tests.databases import Databases
from tests.service import BLUE, RED, Service, failing, frames


@pytest.fixture
def database(sqlite_database: Databases) -> Databases:
    return sqlite_database


def post_burst(
    http: TestClient, opened: OpenedSession, parts: Sequence[bytes], timeline: Sequence[Mapping[str, object]]
) -> Any:
    """Post as the session's device."""
    return http.post(
        f"/v1/sessions/{opened.session_id}/frames",
        files=[("frames", (f"{number}.jpg", part, "image/jpeg")) for number, part in enumerate(parts)],
        data={"timeline": json.dumps(timeline)},
        headers={"Authorization": f"Bearer {opened.client_token}"},
    )


@dataclass
class Device:
    """Posts to one session, and asks for its challenge."""

    http: TestClient
    opened: OpenedSession

    def post(self, parts: list[bytes]) -> Any:
        step = self.opened.challenge.steps[0].id
        timeline = [{"step": step, "t_ms": 80 * number} for number in range(len(parts))]
        return post_burst(self.http, self.opened, parts, timeline)

    def challenge(self) -> Any:
        return self.http.get(
            f"/v1/sessions/{self.opened.session_id}/challenge",
            headers={"Authorization": f"Bearer {self.opened.client_token}"},
        )


def test_nobody_learns_of_a_denial_before_its_time(enrolled: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the device, by whatever it asks; not the backend, which might pass it on."""
    into = enrolled.installation
    waiting = into.settings.service.model_copy(update={"denial_s": 1.0})
    into = replace(into, settings=into.settings.model_copy(update={"service": waiting}))
    opened, judged_now, seen = enrolled.open("verify"), Event(), []
    decide = Pipeline.decide

    def noted(*given: Any, **more: Any) -> SessionAnswer:
        answer = decide(*given, **more)
        judged_now.set()
        return answer

    monkeypatch.setattr(Pipeline, "decide", noted)
    with capture_logs(), TestClient(create_app(into)) as http:
        device = Device(http, opened)

        def look() -> None:
            judged_now.wait(30)
            again = device.post(frames(RED))
            seen.append((again.status_code, again.json()["detail"]))
            seen.append((device.challenge().status_code, enrolled.reason(opened)))

        other = Thread(target=look)
        other.start()
        answer = device.post(frames(BLUE))
        other.join()
        assert answer.json()["state"] == "denied"
        assert seen == [
            (409, "This session is sending another post now. Wait for its answer."),
            (200, ("open", None)),
        ]
        assert device.challenge().status_code == 409
    assert enrolled.reason(opened) == ("denied", "mismatch")


def test_a_try_that_is_cancelled_before_it_is_told_is_written_down(enrolled: Service) -> None:
    """The session stays cancelled; the audit log has the try, and that it was the last."""
    into = enrolled.installation
    with into.data.begin() as conn:
        for _ in range(99):
            into.attempts.charge(conn, tenant=DEFAULT_TENANT, account="anna", pad=True)
            enrolled.clock.forward(3600)
    opened, way = enrolled.open("verify"), Way()
    parts, step = frames(BLUE), opened.challenge.steps[0].id
    timeline = [{"step": step, "t_ms": 80 * number} for number in range(len(parts))]
    into.pipeline.submit(opened.session_id, opened.client_token, parts, timeline, way=way)
    assert way.session is not None
    assert way.denied is not None
    into.desk.cancel(opened.session_id, opened.client_token)
    assert into.pipeline.refuse(way.session, way.denied).state == "denied"
    assert enrolled.reason(opened) == ("cancelled", None)
    with into.data.read() as conn:
        found = [str(one.event) for one in into.audit.activity(conn, tenant=DEFAULT_TENANT, account="anna")]
    assert found[-3:] == ["device:session:cancelled", "service:session:denied", "service:attempts:disabled"]


def test_denials_of_a_search_are_one(enrolled: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R25 for 1:N: the same bytes, headers and counts, whatever was in the way."""
    into = enrolled.installation
    enrolled.make_door()
    cases: dict[str, tuple[object, str, object]] = {
        "mismatch": (Comparing, "search", Comparing.search),
        "liveness": (pipeline_module, "judge", failing(LivenessDenied("motion"))),
        "locked": (Charging, "charge", lambda *_: Locked()),
        "several": (Comparing, "everyone", failing(SeveralMatch("two"))),
        "unavailable": (Comparing, "everyone", failing(StorageError("away"))),
    }
    seen = set()
    with capture_logs(), TestClient(create_app(into)) as http:
        for number, (owner, name, act) in enumerate(cases.values()):
            opened = enrolled.open("identify", None, "door")
            with monkeypatch.context() as patch:
                patch.setattr(owner, name, act)
                answer = Device(http, opened).post(frames(BLUE, seed=900 + number))
            told = {(key, value) for key, value in answer.headers.items() if key not in {"date", "x-request-id"}}
            seen.add((answer.status_code, answer.content, frozenset(told)))
            assert len(answer.headers["x-request-id"]) == 20
            assert enrolled.reason(opened)[0] == "denied"
        assert len(seen) == 1
        assert f'faceauth_session_posts_total{{state="denied"}} {len(cases)}.0' in http.get("/metrics").text
