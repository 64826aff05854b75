"""Device keys over HTTP: one account's, one tenant's, and no key in any answer."""

from typing import Any

from faceauth.identity.signed import binding_message, unpack
from tests.api.conftest import Service
from tests.devices import RawDevice


def bound(service: Service, device: RawDevice, **change: Any) -> Any:
    """Draw a challenge and answer it."""
    path = f"{service.account()}/devices"
    challenge = service.call("POST", f"{path}/challenge", json={"kind": "raw"}).json()["challenge"]
    body = {
        "kind": "raw",
        "label": "Anna's phone",
        "reauthenticated_at": service.clock().isoformat(),
        "jwk": device.jwk,
        "signature": device.sign(binding_message(unpack(challenge)), der=True),
        **change,
    }
    return service.call("POST", path, json={name: value for name, value in body.items() if value is not None})


def test_a_key_is_bound_listed_renamed_and_revoked(service: Service) -> None:
    """The answers tell what the owner needs to know it by, and nothing of the key."""
    device = RawDevice()
    answer = bound(service, device)
    assert answer.status_code == 201, answer.text
    one = answer.json()
    path = f"/v1/accounts/anna/devices/{one['device_id']}"
    assert one == {
        "device_id": one["device_id"],
        "label": "Anna's phone",
        "kind": "raw",
        "hardware": False,
        "attested": "none",
        "created_at": one["created_at"],
        "last_used_at": None,
    }
    renamed = service.call("PUT", path, json={"label": "Old phone"}).json()
    assert renamed == {**one, "label": "Old phone"}
    assert service.call("GET", "/v1/accounts/anna/devices").json() == {"devices": [renamed]}
    export = service.call("GET", "/v1/accounts/anna/export").json()["export"]
    assert [entry["label"] for entry in export["devices"]] == ["Old phone"]
    assert device.jwk["x"] not in str(export)
    assert service.call("DELETE", path).json() == {"device_id": one["device_id"], "state": "revoked"}
    again = service.call("DELETE", path)
    assert (again.status_code, again.json()["code"]) == (404, "unknown_device")


def test_another_tenants_backend_sees_nothing(service: Service) -> None:
    """Not even that there is such an account."""
    device_id = bound(service, RawDevice()).json()["device_id"]
    path = f"/v1/accounts/anna/devices/{device_id}"
    assert service.call("GET", "/v1/accounts/anna/devices", role="other").status_code == 404
    assert service.call("PUT", path, role="other", json={"label": "x"}).status_code == 404
    assert service.call("DELETE", path, role="other").status_code == 404
    assert service.call("DELETE", path, role="auditor").status_code == 403


def test_what_does_not_fit_binds_nothing(service: Service) -> None:
    """R14, and one kind at a time."""
    device = RawDevice()
    for change, status, code in (
        ({"reauthenticated_at": None}, 403, "reauthentication_required"),
        ({"signature": device.sign(b"something else")}, 422, "signature_invalid"),
        ({"jwk": {**device.jwk, "x": device.jwk["y"]}}, 422, "signature_invalid"),
        ({"jwk": {**device.jwk, "d": "AA"}}, 422, "invalid_request"),
        ({"kind": "webauthn"}, 422, "invalid_request"),
        ({"kind": "webauthn", "credential": {}, "jwk": None, "signature": None}, 422, "signature_invalid"),
        ({"credential": {}}, 422, "invalid_request"),
        ({"label": "a\nb"}, 422, "invalid_request"),
    ):
        answer = bound(service, device, **change)
        assert (answer.status_code, answer.json()["code"]) == (status, code), change
    assert service.call("GET", "/v1/accounts/anna/devices").json() == {"devices": []}


def test_a_scenario_says_what_it_asks_of_devices(service: Service) -> None:
    """The privacy officer sets it, the device is told, and the change is in the log."""
    path = "/v1/admin/scenarios/login"
    assert service.call("PATCH", path, json={"device_key": "required"}).status_code == 403
    assert service.call("PATCH", path, role="privacy", json={"device_key": "always"}).status_code == 422
    changed = service.call("PATCH", path, role="privacy", json={"device_key": "required"})
    assert changed.json()["device_key"] == "required"
    assert service.session()["challenge"]["device_key"] == "required"
    records = service.call("GET", "/v1/admin/audit", role="auditor").text
    assert "privacy:scenario:changed" in records


def test_a_post_hands_the_signature_on_unread(service: Service) -> None:
    """What it says is for the pipeline."""
    opened = service.session()
    answer = service.http.post(
        f"/v1/sessions/{opened['session_id']}/frames",
        files=[("frames", ("0.jpg", b"one", "image/jpeg"))],
        data={"timeline": "[]", "signature": '{"kind": "raw"}'},
        headers={"Authorization": f"Bearer {opened['client_token']}"},
    )
    assert answer.status_code == 200
    assert service.pipeline.signatures == [{"kind": "raw"}]
