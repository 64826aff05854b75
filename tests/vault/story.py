"""Anna, who withdraws, and what must stay: shared by the tests of erasure."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from faceauth.db.schema import (
    biometric_references,
    data_keys,
    live_consents,
)
from faceauth.errors import UnknownReference
from faceauth.types import ConsentGrant
from faceauth.vault.erasure import Erasure
from faceauth.vault.scope import ErasureState
from tests.vault.world import World, vectors

STATES = list(ErasureState)


class Crash(Exception):
    """The process ends here."""


class Interrupted(Erasure):
    """Ends at the given writing of a state, before its commit or after it."""

    before: int | None = None
    after: int | None = None
    count = 0

    def _advance(self, *args: Any, **kwargs: Any) -> None:
        super()._advance(*args, **kwargs)
        self.count += 1
        if self.count == self.before:
            raise Crash

    def _load(self, tombstone_id: str) -> Any:
        if self.after is not None and self.count == self.after:
            raise Crash
        return super()._load(tombstone_id)


@dataclass
class Story:
    """Anna with two scenarios, and Ben; `doomed` and `kept`: what an erasure of Anna's login reaches, and not."""

    world: World
    anna: ConsentGrant
    door: ConsentGrant
    ben: ConsentGrant
    doomed: tuple[str, ...]
    kept: dict[str, set[bytes]] = field(default_factory=dict)


def refuses(story: Story) -> None:
    """Nothing of the erased scope opens, is accepted or can be stored."""
    world = story.world
    assert world.open(story.anna) == ()
    for reference_id in story.doomed:
        with world.data.read() as conn, pytest.raises(UnknownReference):
            world.store.open_one(conn, reference_id, expected_tenant="shop")
    with pytest.raises(IntegrityError), world.data.begin() as conn:
        world.store.add(conn, story.anna, world.face(), key=world.keys.current("shop", "anna"))


def keeps(story: Story) -> None:
    """What was not meant stays as it was."""
    assert vectors(story.world.open(story.door)) == story.kept["door"]
    assert vectors(story.world.open(story.ben)) == story.kept["ben"]


def gone(story: Story, token: str) -> None:
    """The erasure is complete and the receipt says so."""
    world = story.world
    claims: Any = world.signer.check(token, expected_typ="deletion-receipt+jwt")
    assert set(claims["destroyed"]["references"]) == set(story.doomed)
    assert list(claims["steps"]) == [state.value for state in STATES]
    assert list(claims["steps"].values()) == sorted(claims["steps"].values())
    with world.data.read() as conn:
        names = conn.scalars(select(biometric_references.c.reference_id)).all()
        assert not set(names) & set(story.doomed)
        assert conn.scalars(select(live_consents.c.scenario).where(live_consents.c.account == "anna")).all() == [
            "door"
        ]
        assert world.audit.verify(conn).intact
    with world.databases.keys.read() as conn:
        left = set(conn.scalars(select(data_keys.c.data_key_id)))
    assert claims["destroyed"]["data_keys"]
    assert not left & set(claims["destroyed"]["data_keys"])
    assert not any(reference_id in world.index for reference_id in story.doomed)
    assert world.erasure().unfinished() == ()
