"""The index is filled when the service starts, and searches wait for it."""

import numpy as np
import pytest

import faceauth.vault.gallery
from faceauth.errors import KeyUnavailable, Starting
from faceauth.installation import assemble
from tests.renewal import pack
from tests.service import BLUE, RED, ColourEmbedder, Service, failing

GREEN = (80, 190, 80)


@pytest.fixture
def door(enrolled: Service) -> Service:
    """Three people who agreed to be found at the door; Anna has references for the login, too."""
    enrolled.make_door()
    for account, colour in (("anna", RED), ("ben", BLUE), ("cleo", GREEN)):
        enrolled.agree(account, "door")
        assert enrolled.post(enrolled.open("enrol", account, "door"), colour).state == "accepted"
    return enrolled


@pytest.fixture
def again(door: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The same after a restart, with an empty index, which is filled one reference at a time."""
    old = door.installation
    monkeypatch.setattr(faceauth.vault.gallery, "ROWS_AT_ONCE", 1)
    fresh = assemble(
        old.settings, old.data, old.key_database, old.keyring, pack(ColourEmbedder()), clock=old.clock
    )
    fresh.index.hold()
    return Service(fresh, door.clock, 1000)


def search(service: Service, colour: tuple[int, int, int] = RED) -> tuple[str, str | None]:
    opened = service.open("identify", None, "door")
    service.post(opened, colour)
    return service.reason(opened)


def test_everyone_who_agreed_to_be_found_is_found_after_a_restart(again: Service) -> None:
    """R8: and the references for the login stay closed."""
    told: list[tuple[int, int]] = []
    assert (
        again.installation.filling.run(lambda *counts: told.append(counts)) == len(again.installation.index) == 9
    )
    assert told == [(done, 9) for done in range(1, 10)]
    assert search(again)[0] == search(again, BLUE)[0] == search(again, GREEN)[0] == "accepted"
    assert search(again, (128, 128, 40)) == ("denied", "mismatch")


def test_searches_wait_until_the_index_is_whole_and_logins_do_not(again: Service) -> None:
    """R4: in half an index the second best would be taken for the only one."""
    during: list[tuple[str, str | None]] = []
    again.installation.filling.run(lambda *_: during.append(search(again)) if not during else None)
    assert during == [("denied", "unavailable")]
    assert search(again)[0] == "accepted"
    again.installation.index.hold()
    with pytest.raises(Starting):
        again.installation.index.search("default", "door", b"c" * 32, np.ones(32, np.float32), 1)
    assert again.post(again.open("verify")).state == "accepted"


def test_without_keys_it_fails_and_searches_stay_refused(again: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = again.installation.data_keys
    monkeypatch.setattr(keys, "open_many", failing(KeyUnavailable("down")))
    with pytest.raises(KeyUnavailable):
        again.installation.filling.run()
    assert again.installation.index.held


def test_who_is_erased_while_it_fills_does_not_come_back(again: Service) -> None:
    """R40: even when the row was read before the erasure."""
    left = ["cleo", "ben"]

    def erase(*_: int) -> None:
        if left:
            again.withdraw(left.pop(), "door")

    again.installation.filling.run(erase)
    assert len(again.installation.index) == 3
    assert search(again, BLUE) == search(again, GREEN) == ("denied", "mismatch")


def test_who_enrols_while_it_fills_is_there(again: Service) -> None:
    again.agree("dora", "door")
    colours = [(190, 80, 190)]

    def enrol(*_: int) -> None:
        if colours:
            again.post(again.open("enrol", "dora", "door"), colours.pop())

    again.installation.filling.run(enrol)
    assert len(again.installation.index) == 12
    assert search(again, (190, 80, 190))[0] == "accepted"


def test_it_can_be_stopped_and_searches_stay_refused(again: Service) -> None:
    filling = again.installation.filling
    assert filling.run(lambda *_: filling.stop()) == 1
    assert again.installation.index.held
