"""All references of a scenario, opened in batches for the start."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select, update

from faceauth.db.schema import biometric_references
from faceauth.errors import KeyDestroyed, KeyUnavailable, SealBroken
from faceauth.types import Probe
from faceauth.vault.gallery import Gallery
from faceauth.vault.keys import DataKey
from faceauth.vault.opening import Keys, Opener, SealedRow, dimension_of, open_row
from faceauth.vault.quarantine import Quarantine, marked
from faceauth.vault.records import seal_record
from faceauth.vault.sealing import SealContext, seal
from tests.vault.world import DIMENSION, MODEL, World

Found = dict[str, NDArray[np.float32]]


def gallery(world: World, *, rows: int = 4, quarantine: Quarantine | None = None) -> Gallery:
    return Gallery(
        world.data,
        world.keys,
        scenarios=[("shop", "login")],
        models=[MODEL],
        report=lambda name, error: world.broken.append((name, error)),
        quarantine=quarantine,
        rows_at_once=rows,
    )


def collect(found: Gallery, between: Callable[[], None] = lambda: None) -> Found:
    """Open all, doing something after each batch."""
    opened: Found = {}
    for batch in found:
        opened |= {row.reference_id: vector.copy() for row, vector in zip(batch.rows, batch.vectors, strict=True)}
        between()
    return opened


def enrolled(world: World, people: int = 5, scenario: str = "login") -> Found:
    """Enrol people with three references each and return what they are."""
    there: Found = {}
    for number in range(people):
        grant, probe = world.agree(f"person{number}", scenario), world.face()
        there |= dict(zip(world.enrol(grant, probe), probe.parts, strict=True))
    return there


def the_same(found: Found, expected: Found) -> bool:
    return found.keys() == expected.keys() and all((found[one] == expected[one]).all() for one in expected)


@pytest.mark.parametrize("rows", [1, 4, 1_000])
def test_everything_is_opened_whatever_the_size_of_a_batch(world: World, rows: int) -> None:
    there = enrolled(world)
    found = gallery(world, rows=rows)
    assert found.count() == {("shop", "login"): 15}
    assert the_same(collect(found), there)
    assert not world.broken


def test_other_scenarios_and_models_stay_closed(world: World) -> None:
    """R23: what another model made is not even opened."""
    there = enrolled(world, 2)
    enrolled(world, 2, "door")
    grant = world.agree("other")
    face = world.face()
    world.enrol(grant, Probe(face.vector, face.parts, b"o" * 32, face.profile))
    assert the_same(collect(gallery(world)), there)


def test_two_places_come_apart_within_a_batch(world: World) -> None:
    there = {"login": enrolled(world, 2), "door": enrolled(world, 2, "door")}
    both = Gallery(world.data, world.keys, scenarios=[("shop", "login"), ("shop", "door")], models=[MODEL])
    for batch in both:
        assert {row.reference_id for row in batch.rows} <= there[batch.place.scenario].keys()
    assert the_same(collect(both), there["login"] | there["door"])


def test_a_broken_record_is_reported_and_the_others_are_opened(world: World) -> None:
    """R48."""
    there = enrolled(world)
    bad, cut = sorted(there)[3], sorted(there)[7]
    with world.data.begin() as conn:
        for name, change in ((bad, -1), (cut, None)):
            where = biometric_references.c.reference_id == name
            sealed = bytearray(conn.scalars(select(biometric_references.c.sealed).where(where)).one())
            if change is None:
                del sealed[-1]
            else:
                sealed[change] ^= 1
            conn.execute(update(biometric_references).where(where).values(sealed=bytes(sealed)))
    found = collect(gallery(world))
    assert the_same(found, {name: vector for name, vector in there.items() if name not in {bad, cut}})
    assert {name for name, _ in world.broken} == {bad, cut}
    assert all(isinstance(error, SealBroken) for _, error in world.broken)


def test_damage_is_marked_and_what_is_marked_stays_closed(world: World) -> None:
    """R48: the mark is durable, so a copy that opens again by chance decides nothing."""
    there = enrolled(world, 2)
    bad = sorted(there)[2]
    where = biometric_references.c.reference_id == bad
    with world.data.begin() as conn:
        sealed = conn.scalars(select(biometric_references.c.sealed).where(where)).one()
        conn.execute(update(biometric_references).where(where).values(sealed=sealed[:-1]))
    marking = gallery(world, quarantine=Quarantine(world.data, world.audit, world.clock))
    assert len(collect(marking)) == len(there) - 1
    with world.data.begin() as conn:
        assert marked(conn) == {bad}
        conn.execute(update(biometric_references).where(where).values(sealed=sealed))
    assert bad not in collect(gallery(world))
    assert [name for name, _ in world.broken] == [bad]


def test_a_destroyed_key_is_reported(world: World) -> None:
    there = enrolled(world, 3)
    gone = world.keys.ids("shop", "person1")[0]
    world.keys.destroy(gone)
    found = collect(gallery(world))
    assert len(found) == len(there) - 3
    assert [type(error) for _, error in world.broken] == [KeyDestroyed] * 3


def test_a_provider_that_is_down_stops_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is skipped for want of keys: a service without its people would deny them all."""

    def down(*_: object, **__: object) -> None:
        raise KeyUnavailable("down")

    enrolled(world, 1)
    monkeypatch.setattr(world.keys._provider, "unwrap_many", down)
    with pytest.raises(KeyUnavailable):
        collect(gallery(world))
    assert not world.broken


def between_rows_and_keys(world: World, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Let something happen after the first rows were read and before their keys are."""
    original, acts = world.keys.open_many, [act]

    def late(ids: Iterable[str]) -> Keys:
        wanted = list(ids)
        while acts:
            acts.pop()()
        return original(wanted)

    monkeypatch.setattr(world.keys, "open_many", late)


def test_who_is_erased_while_the_batch_is_read_is_no_broken_reference(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R48: only damage is reported."""
    there = enrolled(world)
    between_rows_and_keys(world, monkeypatch, lambda: erase(world, "person1"))
    assert len(collect(gallery(world, rows=100))) == len(there) - 3
    assert not world.broken


def test_who_is_sealed_anew_while_the_batch_is_read_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erasing one scenario seals the other's references under a new key and destroys the old one."""
    there = enrolled(world)
    enrolled(world, 5, "door")
    between_rows_and_keys(world, monkeypatch, lambda: erase(world, "person1", scenario="door"))
    assert the_same(collect(gallery(world, rows=100)), there)
    assert not world.broken


def test_an_erasure_between_two_batches_is_not_held_up(sqlite_world: World) -> None:
    """R40: an open transaction would keep the write-ahead log from being cut."""
    world = sqlite_world
    there = enrolled(world)
    left = ["person4", "person3"]
    found = collect(gallery(world, rows=2), lambda: erase(world, left.pop()) if left else None)
    assert found.keys() <= there.keys()
    assert not world.broken


def test_what_was_opened_is_overwritten_at_the_end(world: World) -> None:
    enrolled(world)
    views = [batch.vectors for batch in gallery(world)]
    assert not any(view.any() for view in views)


def erase(world: World, account: str, scenario: str | None = None) -> None:
    world.erasure().run(world.request(account, scenario=scenario))


# --- opening in bulk refuses what opening one refuses ----------------------------------------------------------


def sealed_row(world: World, **changes: Any) -> tuple[SealedRow, DataKey]:
    """A row sealed for one context, with some of its fields exchanged afterwards."""
    key = world.keys.current("shop", "anna")
    context = SealContext("shop", "anna", "reference_x", "login", "consent_x", MODEL)
    row = SealedRow(
        "reference_x",
        "shop",
        "anna",
        "login",
        "consent_x",
        MODEL,
        key.data_key_id,
        seal(world.face().parts[0], key, context),
    )
    return row._replace(**changes), key


@pytest.mark.parametrize("field", ["reference_id", "tenant", "account", "scenario", "consent_id", "model_digest"])
def test_every_exchanged_field_is_refused(sqlite_world: World, field: str) -> None:
    """R46: and the careful way, to which it is left, refuses it too."""
    row, key = sealed_row(sqlite_world, **{field: b"o" * 32 if field == "model_digest" else "other"})
    vectors, opened, left = Opener(4, DIMENSION).open([row], {row.data_key_id: key})
    assert not len(vectors)
    assert not opened
    assert left == [row]
    with pytest.raises(SealBroken):
        open_row(row, key)


def test_every_flipped_bit_is_refused(sqlite_world: World) -> None:
    """R46."""
    row, key = sealed_row(sqlite_world)
    flipped = []
    for bit in range(8 * len(row.sealed)):
        sealed = bytearray(row.sealed)
        sealed[bit // 8] ^= 1 << bit % 8
        flipped.append(row._replace(sealed=bytes(sealed)))
    opener = Opener(len(flipped) + 1, DIMENSION)
    vectors, opened, left = opener.open([*flipped, row], {row.data_key_id: key})
    assert len(vectors) == 1
    assert opened == [row]
    assert left == flipped


@pytest.mark.parametrize("plain", [b"", b"\x00\x7f", b"\x00\x80" + b"\xff" * 4 * DIMENSION])
def test_a_record_that_holds_no_embedding_is_left_out(sqlite_world: World, plain: bytes) -> None:
    """The wrong dimension, or what is no number, though sealed by us."""
    row, key = sealed_row(sqlite_world)
    context = SealContext("shop", "anna", "reference_x", "login", "consent_x", MODEL)
    plain = plain.ljust(2 + 4 * DIMENSION, b"\x00")
    bad = row._replace(
        sealed=seal_record(
            plain,
            key.secret,
            key_version=key.generation,
            context=context.associated_data(),
            random=bytes,
        )
    )
    vectors, opened, left = Opener(4, DIMENSION).open([bad, row], {row.data_key_id: key})
    assert len(vectors) == 1
    assert opened == [row]
    assert left == [bad]


def test_the_dimension_is_known_from_the_length(sqlite_world: World) -> None:
    row, _ = sealed_row(sqlite_world)
    assert dimension_of(row.sealed) == DIMENSION
    assert [dimension_of(row.sealed[:-1]), dimension_of(b""), dimension_of(bytes(35))] == [0, 0, 0]
