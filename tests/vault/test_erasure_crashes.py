"""Erasure that is cut short anywhere, or meets another: the door stays shut and nothing else is lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import insert

from faceauth.db.schema import (
    live_consents,
)
from faceauth.errors import StorageError
from faceauth.vault.keys import DataKey
from faceauth.vault.keystore import DataKeys
from tests.vault.story import Crash, Interrupted, Story, gone, keeps, refuses
from tests.vault.world import START, vectors

# Seven states are written after the first; after the last one there is nothing to go on with.
CRASHES = [*(("before", write) for write in range(1, 8)), *(("after", write) for write in range(1, 7))]


@pytest.mark.parametrize(("when", "write"), CRASHES)
def test_it_goes_on_after_a_crash_anywhere(story: Story, when: str, write: int) -> None:
    """R40: before and after the commit of each state, the door is shut, nothing else is lost, and it ends well."""
    world = story.world
    world.request("anna", scenario="login")
    erasure = world.interrupted(Interrupted)
    setattr(erasure, when, write)
    with pytest.raises(Crash):
        erasure.resume()
    refuses(story)
    keeps(story)
    (receipt,) = world.erasure().resume()
    keeps(story)
    gone(story, receipt.token)
    assert world.erasure().resume() == []


class FailingKeys(DataKeys):
    """Ends inside the key store, before or after the work of one call."""

    def __init__(self, keys: DataKeys, name: str, *, done: bool) -> None:
        self.__dict__.update(keys.__dict__)
        self._name, self._done = name, done

    def replace(self, tenant: str, account: str) -> DataKey:
        with self._crash("replace"):
            return super().replace(tenant, account)

    def destroy(self, data_key_id: str) -> None:
        with self._crash("destroy"):
            super().destroy(data_key_id)

    @contextmanager
    def _crash(self, name: str) -> Iterator[None]:
        if name == self._name and not self._done:
            raise Crash
        yield
        if name == self._name:
            raise Crash


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("name", ["replace", "destroy"])
def test_it_goes_on_after_a_crash_in_the_key_store(story: Story, name: str, done: bool) -> None:
    """R40: the receipt names every key, also those that went before the crash."""
    world = story.world
    world.keys.replace("shop", "anna")  # so that two keys are to be destroyed
    world.request("anna", scenario="login")
    for _ in range(2):
        with pytest.raises(Crash):
            world.erasure(keys=FailingKeys(world.keys, name, done=done)).resume()
        refuses(story)
        keeps(story)
    (receipt,) = world.erasure().resume()
    keeps(story)
    gone(story, receipt.token)
    assert len(receipt.data_keys) >= 2


def test_two_erasures_of_one_account_do_not_hurt_what_stays(story: Story) -> None:
    """R48: one stops after re-sealing, the other runs through, then the first goes on."""
    world = story.world
    attic = world.agree("anna", "attic")
    world.enrol(attic)
    stay = vectors(world.open(attic))
    first, second = world.request("anna", scenario="login"), world.request("anna", scenario="door")
    stopped = world.interrupted(Interrupted)
    stopped.after = 1
    with pytest.raises(Crash):
        stopped.run(first)
    world.erasure().run(second)
    assert vectors(world.open(attic)) == stay
    world.erasure().run(first)
    assert vectors(world.open(attic)) == stay
    assert world.open(story.anna) == world.open(story.door) == ()


def test_the_same_erasure_in_two_places_gives_one_receipt(story: Story) -> None:
    world = story.world
    tombstone = world.request("anna", scenario="login")
    barrier, tokens = threading.Barrier(2), []

    def run() -> None:
        erasure = world.erasure()
        barrier.wait()
        tokens.append(erasure.run(tombstone).token)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 2
    assert tokens[0] == tokens[1]
    gone(story, tokens[0])
    keeps(story)


def test_enrolling_while_an_erasure_rekeys_loses_nothing(story: Story) -> None:
    """R40, R48: whatever the interleaving, what was stored opens, or nothing was stored."""
    world = story.world
    tombstone = world.request("anna", scenario="login")
    barrier, refused = threading.Barrier(2), []

    def enrol() -> None:
        barrier.wait()
        for _ in range(8):
            try:
                with world.data.begin() as conn:
                    world.store.add(conn, story.door, world.face(), key=world.keys.current("shop", "anna"))
            except Exception as error:  # noqa: BLE001  which ones is what the test looks at
                refused.append(type(error).__name__)

    thread = threading.Thread(target=enrol)
    thread.start()
    barrier.wait()
    world.erasure().run(tombstone)
    thread.join()
    assert set(refused) <= {"KeyUnavailable", "KeyDestroyed"}
    assert len(world.open(story.door)) == 3
    assert world.broken == []


def test_a_late_erasure_spares_the_keys_of_an_account_opened_again(story: Story) -> None:
    """R48: one erasure is cut short, the account is closed and opened again, and only then the first goes on."""
    world = story.world
    first = world.request("anna", scenario="login")
    stopped = world.interrupted(Interrupted)
    stopped.after = 1
    with pytest.raises(Crash):
        stopped.run(first)
    world.erasure().run(world.request("anna", reason="account_closed"))
    attic = world.agree("anna", "attic")
    world.enrol(attic)
    world.erasure().run(first)
    assert len(world.open(attic)) == 3


def test_a_receipt_is_never_written_over_what_is_left(story: Story) -> None:
    """R40's verification: a row that comes back is erased again."""
    world = story.world
    tombstone = world.request("anna", scenario="login")
    stopped = world.interrupted(Interrupted)
    stopped.after = 5
    with pytest.raises(Crash):
        stopped.run(tombstone)
    with world.data.begin() as conn:
        conn.execute(
            insert(live_consents).values(
                tenant="shop",
                account="anna",
                scenario="login",
                consent_id="restored",
                notice_version=1,
                valid_until=START,
                granted_at=START,
            )
        )
    with pytest.raises(StorageError, match="1 things left"):
        world.erasure().run(tombstone)
    gone(story, world.erasure().run(tombstone).token)
