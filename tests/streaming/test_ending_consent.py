"""Whatever ends a consent at any moment of a streamed session, the session ends denied (R29, R33)."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from faceauth import pipeline as pipeline_module
from faceauth.api import streams as streams_module
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.types import Purpose
from tests.service import Service
from tests.streaming.conftest import Door
from tests.streaming.device import NOSE, REST, Device


def _withdraw(service: Service) -> None:
    service.withdraw()


def _restrict(service: Service) -> None:
    service.installation.lifecycle.restrict(tenant=DEFAULT_TENANT, account="anna", restricted=True, actor="test")


def _close(service: Service) -> None:
    service.installation.lifecycle.close_account(tenant=DEFAULT_TENANT, account="anna", actor="test")


ENDINGS: dict[str, Callable[[Service], None]] = {
    "withdrawal": _withdraw,
    "restriction": _restrict,
    "closing": _close,
}


class Once:
    """Ends the consent once; whoever calls it later finds that done."""

    def __init__(self, door: Door, ending: str) -> None:
        self._door, self._end, self.done = door, ENDINGS[ending], False

    def __call__(self) -> None:
        if not self.done:
            self.done = True
            self._end(self._door.service)

    def before(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        """Return `inner` with the ending right before it."""

        def wrapped(*args: Any, **more: Any) -> Any:
            self()
            return inner(*args, **more)

        return wrapped


def denied(
    door: Door, purpose: Purpose, act: Callable[[Device], None], once: Once, *, early: bool = False
) -> None:
    """Stream a session in which `act` ends the consent: it is denied, and nothing is stored."""
    opened = door.service.open(purpose)
    before = _references(door)
    if early:
        once()
    assert door.run(opened, act) == "denied"
    assert once.done
    assert _references(door) <= before


def _references(door: Door) -> int:
    into = door.service.installation
    with into.data.read() as conn:
        return len(into.references.describe(conn, tenant=DEFAULT_TENANT, account="anna"))


@pytest.mark.parametrize("frames", [0, 16])
def test_a_withdrawal_after_any_number_of_frames(door: Door, frames: int) -> None:
    """R33: before the first frame, and while the steps are followed."""
    once = Once(door, "withdrawal")

    def act(device: Device) -> None:
        for _ in range(frames):
            assert not device.evaluating, "the session was over before the withdrawal"
            device.show(NOSE.get(device.step["kind"], REST))
        once()
        device.obey()

    denied(door, "verify", act, once)


@pytest.mark.parametrize(
    ("module", "name", "purpose"),
    [
        (streams_module, "read_stream", "verify"),
        (pipeline_module, "judge", "verify"),
        (pipeline_module, "make_probe", "enrol"),
    ],
)
def test_a_withdrawal_while_it_is_judged(
    door: Door, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, purpose: Purpose
) -> None:
    """R33: when every frame is in, and the decision is still to come."""
    once = Once(door, "withdrawal")
    monkeypatch.setattr(module, name, once.before(getattr(module, name)))
    denied(door, purpose, Device.obey, once)


@pytest.mark.parametrize("ending", ["restriction", "closing"])
def test_other_endings_too(door: Door, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """R29, R33: right before the commit, which asks the gate again."""
    once, name = Once(door, ending), "make_probe"
    monkeypatch.setattr(pipeline_module, name, once.before(getattr(pipeline_module, name)))
    denied(door, "verify", Device.obey, once)


def test_one_that_ended_before_the_device_connects(door: Door) -> None:
    """R33: opened in time, and nothing shows the device that it is in vain."""
    denied(door, "verify", Device.obey, Once(door, "restriction"), early=True)
