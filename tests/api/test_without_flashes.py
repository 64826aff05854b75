"""A person's choice of a session without flashing colours: one motion more, lower limits, drawn once (R10)."""

from datetime import timedelta
from typing import Any

import pytest

from faceauth.charging import Charging
from faceauth.errors import Locked
from tests.api.conftest import Service


def choose(service: Service, opened: dict[str, Any], body: object = None) -> Any:
    headers = {"Authorization": f"Bearer {opened['client_token']}"}
    path = f"/v1/sessions/{opened['session_id']}/challenge"
    return service.http.post(path, json={"flashes": False} if body is None else body, headers=headers)


def test_a_second_motion_comes_in_place_of_the_flash(service: Service) -> None:
    opened = service.session()
    assert opened["challenge"]["profile"] == "motion+flash"
    drawn = choose(service, opened).json()
    kinds = [step["kind"] for step in drawn["steps"]]
    assert (drawn["profile"], kinds[0], kinds[2], len(kinds)) == ("motion", "center", "center", 4)
    assert "flash" not in kinds
    assert drawn["nonce"] != opened["challenge"]["nonce"]
    headers = {"Authorization": f"Bearer {opened['client_token']}"}
    path = f"/v1/sessions/{opened['session_id']}"
    assert service.http.get(f"{path}/challenge", headers=headers).json() == drawn
    assert service.call("GET", path).json()["liveness_level"] == "motion"


def test_it_is_drawn_once(service: Service) -> None:
    """Whoever asks again does not choose among challenges."""
    opened = service.session()
    assert choose(service, opened).json() == choose(service, opened).json()


def test_a_session_that_has_no_flash_stays_as_it_is(service: Service) -> None:
    made = {
        "scenario": "door",
        "mode": "verify",
        "title": "A door",
        "retention_days": 30,
        "liveness_level": "motion",
        "notices": {"en": "# A door"},
    }
    notice = service.call("POST", "/v1/admin/scenarios", role="privacy", json=made).json()["notice"]
    agreed = _agree(service, notice)
    assert agreed.status_code == 201, agreed.text
    body = {"purpose": "verify", "scenario": "door", "account_id": "anna"}
    opened = service.call("POST", "/v1/sessions", json=body).json()
    assert choose(service, opened).json() == opened["challenge"]
    # The application itself asked for the flash: the person's choice is not against that.
    wanted = service.call("POST", "/v1/sessions", json=body | {"liveness_level": "motion+flash"}).json()
    assert choose(service, wanted).json()["code"] == "flashes_needed"


def _agree(service: Service, notice: dict[str, Any]) -> Any:
    service.account()
    body = {
        "scenario": "door",
        "notice_version": notice["version"],
        "notice_sha256": notice["texts"]["en"]["sha256"],
        "locale": "en",
        "decision": "given",
        "affirmation": {"method": "checkbox", "checked_by_default": False, "text": "Yes"},
    }
    return service.call("POST", "/v1/accounts/anna/consents", json=body)


def test_a_scenario_may_need_the_flash(service: Service) -> None:
    """What the privacy officer sets holds at once, and is audited."""
    opened = service.session()
    path = "/v1/admin/scenarios/login"
    changed = service.call("PATCH", path, role="privacy", json={"flash_choice": False})
    assert changed.json()["flash_choice"] is False
    answer = choose(service, opened)
    assert (answer.status_code, answer.json()["code"]) == (409, "flashes_needed")
    assert service.call("PATCH", path, role="privacy", json={"flash_choice": True}).json()["flash_choice"] is True
    assert choose(service, opened).json()["profile"] == "motion"
    assert service.call("PATCH", path, json={"flash_choice": False}).status_code == 403


def test_the_limits_of_a_session_without_the_flash_are_lower(service: Service) -> None:
    """R10: five failures in a row with a flash leave attempts, without one they do not. R25: it is not told."""
    chosen, usual = service.session(), service.session()
    here = service.installation
    with here.data.begin() as conn:
        for _ in range(5):
            here.attempts.charge(conn, tenant="default", account="anna", pad=True)
    assert choose(service, chosen).json()["profile"] == "motion"
    charging = Charging(here.attempts, here.desk.places)
    found = {}
    for name, opened in (("chosen", chosen), ("usual", usual)):
        with here.data.begin() as conn:
            session = here.desk.sessions.for_device(
                conn, session_id=opened["session_id"], client_token=opened["client_token"]
            )
            found[name] = charging.charge(conn, session)
    assert isinstance(found["chosen"], Locked)
    assert found["usual"] is None


def test_nothing_changes_once_frames_came(service: Service) -> None:
    opened = service.session()
    here = service.installation
    with here.data.begin() as conn:
        session = here.desk.sessions.for_device(
            conn, session_id=opened["session_id"], client_token=opened["client_token"]
        )
        here.desk.sessions.claim(conn, session, now=service.clock(), capture=timedelta(seconds=60))
    assert choose(service, opened).json()["code"] == "session_closed"


@pytest.mark.parametrize(
    "body", [{}, {"flashes": True}, {"flashes": "no"}, {"flashes": None}, {"colours": False}, []]
)
def test_it_says_one_thing_only(service: Service, body: object) -> None:
    opened = service.session()
    assert choose(service, opened, body).status_code == 422


def test_a_wrong_token_learns_nothing(service: Service) -> None:
    anna, ben = service.session("anna"), service.session("ben")
    answer = choose(service, anna | {"client_token": ben["client_token"]})
    assert answer.status_code == 401
