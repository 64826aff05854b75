"""Change of model where people are searched for: both models are asked, and whoever is found is moved."""

from typing import Any

import pytest

from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.installation import Installation, assemble
from faceauth.match import decide as match
from tests.renewal import NEW, OLD, models, pack, restart
from tests.service import BLUE, RED, ColourEmbedder, Service


@pytest.fixture
def door(service: Service) -> Service:
    """Anna and Ben at the door, enrolled with the old model; the new one runs beside it."""
    service.make_door()
    for account, colour in (("anna", RED), ("ben", BLUE)):
        service.agree(account, "door")
        assert service.post(service.open("enrol", account, "door"), colour).state == "accepted"
    return restart(service, before=pack(ColourEmbedder()))


def people(installation: Installation, digest: bytes) -> int:
    return installation.index.people(DEFAULT_TENANT, "door", digest)


def identified(service: Service, colour: tuple[int, int, int]) -> str | None:
    opened = service.open("identify", None, "door")
    service.post(opened, colour)
    view = service.installation.desk.view(tenant=DEFAULT_TENANT, session_id=opened.session_id)
    return view.session.matched_account


def test_a_search_goes_through_both_models_and_moves_whom_it_finds(door: Service) -> None:
    """R8: found among the old, then among the new; the others stay where they are."""
    assert (people(door.installation, OLD), people(door.installation, NEW)) == (2, 0)
    assert identified(door, RED) == "anna"
    assert (people(door.installation, OLD), people(door.installation, NEW)) == (1, 1)
    assert identified(door, RED) == "anna"
    assert identified(door, BLUE) == "ben"
    assert identified(door, (80, 190, 80)) is None
    assert models(door) == {NEW: 6}


def test_each_search_has_the_threshold_of_all_people(door: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """R8: two searches of halves of a gallery keep the false positives of one search of the whole."""
    assert identified(door, RED) == "anna"
    sizes = []
    inner = match.identify

    def watched(*args: Any, **more: Any) -> Any:
        sizes.append(more["gallery_size"])
        return inner(*args, **more)

    monkeypatch.setattr(match, "identify", watched)
    assert identified(door, BLUE) == "ben"
    assert set(sizes) == {2}


def test_two_people_found_by_two_models_are_nobody(door: Service) -> None:
    """The margin rule holds across models: anna has moved, and somebody else of her looks has not."""
    assert identified(door, RED) == "anna"
    earlier = Service(
        assemble(
            door.installation.settings,
            door.installation.data,
            door.installation.key_database,
            door.installation.keyring,
            pack(ColourEmbedder()),
            clock=door.clock,
        ),
        door.clock,
        2000,
    )
    earlier.agree("carla", "door")
    assert earlier.post(earlier.open("enrol", "carla", "door"), RED).state == "accepted"
    again = restart(door, before=pack(ColourEmbedder()))
    assert identified(again, RED) is None
    assert models(again) == {OLD: 6, NEW: 3}
