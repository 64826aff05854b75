"""A process that does what a service does to a database, until somebody kills it without warning."""

import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from faceauth.vault.erasure import Erasure
from faceauth.vault.keyring import load_keyring
from tests.databases import sqlite
from tests.vault.world import World

SCENARIO = "login"


def die() -> None:
    """End like kill -9: nothing is flushed, closed or said."""
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Erasure):
    """Ends the process at one place of an erasure: around the nth writing of a state, or inside a step."""

    place: tuple[str, int] = ("", 0)
    _seen = 0

    def _advance(self, *args: Any, **kwargs: Any) -> None:
        super()._advance(*args, **kwargs)
        self._seen += 1
        if self.place == ("before", self._seen):
            die()

    def _load(self, tombstone_id: str) -> Any:
        if self.place == ("after", self._seen):
            die()
        return super()._load(tombstone_id)


def dying(name: str, real: Callable[..., Any], nth: int) -> Callable[..., Any]:
    """Return `real`, which ends the process after its nth call."""
    seen = 0

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal seen
        answer = real(*args, **kwargs)
        seen += 1
        if seen == nth:
            die()
        return answer

    call.__name__ = name
    return call


def reopened(folder: Path, ids: int = 1) -> World:
    """The installation in a folder, as a process finds it that starts; ids go on at `ids`."""
    world = World(sqlite(folder), folder, ring=load_keyring(folder / "keyring"))
    world.count_from(ids)
    return world


def erase(folder: Path, ids: int, place: tuple[str, int]) -> None:
    """Resume the erasures in a folder, and die at `place`."""
    world = reopened(folder, ids)
    kind, nth = place
    if kind in {"before", "after"}:
        erasure = world.interrupted(Mortal)
        erasure.place = place
    else:
        erasure = world.interrupted(Mortal)
        keys: Any = world.keys
        target = {"note": world.journal, "truncate_wal": world.data}.get(kind, keys)
        setattr(target, kind, dying(kind, getattr(target, kind), nth))
    erasure.resume()


def write(folder: Path, ids: int, seed: int, told: Connection) -> None:
    """Agree, enrol, withdraw and agree again, for ever; tell each act after it returned."""
    world = reopened(folder, ids)
    choose = np.random.default_rng(seed)
    number = 0
    while True:
        number += 1
        account = f"p{ids}_{number}"
        grant = world.agree(account, SCENARIO)
        told.send(("agreed", account, grant.consent_id))
        references = world.enrol(grant)
        told.send(("enrolled", account, references))
        if choose.random() < 0.5:
            tombstone = world.request(account, scenario=SCENARIO)
            told.send(("asked", account, tombstone))
            receipt = world.erasure().run(tombstone)
            told.send(("erased", account, receipt.token))
