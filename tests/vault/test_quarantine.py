"""A reference that does not open is marked, named and out of use; the others, and its bytes, stay (R48)."""

import pytest
from sqlalchemy import select, update

from faceauth.db.audit_tables import audit_log
from faceauth.db.schema import biometric_references, data_keys, quarantine
from faceauth.errors import AuditUnavailable, KeyDestroyed, SealBroken
from faceauth.vault.quarantine import Quarantine, marked
from faceauth.vault.references import ReferenceStore
from tests.vault.world import MODEL, World, vectors


class Damaged:
    """Anna with three references, of which the first is damaged; Ben, untouched."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shelf = Quarantine(world.data, world.audit, world.clock)
        self.store = ReferenceStore(
            world.keys,
            world.clock,
            world.new_id,
            report=lambda name, error: world.broken.append((name, error)),
            quarantine=self.shelf,
        )
        self.anna, self.ben = world.agree("anna"), world.agree("ben")
        self.ids = world.enrol(self.anna)
        world.enrol(self.ben)
        self.faces = {one.reference_id: one.vector.tobytes() for one in world.open(self.anna)}

    def damage(self, *ids: str) -> None:
        """Flip one bit of each."""
        with self.world.data.begin() as conn:
            for name in ids:
                mine = biometric_references.c.reference_id == name
                sealed = bytearray(conn.scalar(select(biometric_references.c.sealed).where(mine)) or b"")
                sealed[30] ^= 4
                conn.execute(update(biometric_references).where(mine).values(sealed=bytes(sealed)))

    def open(self) -> set[bytes]:
        with self.world.data.read() as conn:
            return vectors(
                self.store.open_account(conn, tenant="shop", account="anna", scenario="login", model_digest=MODEL)
            )

    def marked(self) -> frozenset[str]:
        with self.world.data.read() as conn:
            return marked(conn)

    def rows(self) -> list[tuple[str, bytes]]:
        columns = (biometric_references.c.reference_id, biometric_references.c.sealed)
        with self.world.data.read() as conn:
            return [(name, sealed) for name, sealed in conn.execute(select(*columns).order_by(columns[0]))]


@pytest.fixture
def here(world: World) -> Damaged:
    return Damaged(world)


def test_it_is_named_marked_and_left_where_it_is(here: Damaged) -> None:
    """And the account's other references decide, as if only they had been enrolled."""
    first, *others = here.ids
    here.damage(first)
    before = here.rows()
    assert here.open() == {here.faces[name] for name in others}
    assert [name for name, _ in here.world.broken] == [first]
    assert here.marked() == {first}
    assert here.rows() == before
    assert here.open() == {here.faces[name] for name in others}
    assert len(here.world.broken) == 1, "one that is marked is not tried again"
    with here.world.data.read() as conn:
        records = [(row.event, row.details.get("reference_id")) for row in conn.execute(select(audit_log))]
    assert records == [("vault:reference:damaged", first)]


def test_when_none_is_left_the_login_cannot_be_decided(here: Damaged) -> None:
    """Not `not_enrolled`: the person is, and it is ours to mend. The second time, too, when all are marked."""
    here.damage(*here.ids)
    for _ in range(2):
        with pytest.raises(SealBroken):
            here.open()
    assert here.marked() == set(here.ids)


def test_what_opens_again_waits_to_be_let_in(here: Damaged) -> None:
    """A restored row is used when somebody has looked, not by itself."""
    first, good = here.ids[0], here.rows()
    here.damage(first)
    here.open()
    with here.world.data.begin() as conn:
        for name, sealed in good:
            mine = biometric_references.c.reference_id == name
            conn.execute(update(biometric_references).where(mine).values(sealed=sealed))
    assert here.faces[first] not in here.open()
    with here.world.data.read() as conn, pytest.raises(SealBroken, match="quarantine"):
        here.store.open_one(conn, first, expected_tenant="shop")
    here.shelf.release(first, actor="cli")
    assert here.open() == set(here.faces.values())


def test_a_hit_of_the_index_is_marked_too(here: Damaged) -> None:
    here.damage(here.ids[1])
    with here.world.data.read() as conn, pytest.raises(SealBroken):
        here.store.open_one(conn, here.ids[1], expected_tenant="shop")
    assert here.marked() == {here.ids[1]}


def test_enrolling_again_takes_the_mark_with_the_row(here: Damaged) -> None:
    here.damage(here.ids[0])
    here.open()
    here.world.enrol(here.anna)
    assert here.marked() == frozenset()


def test_a_destroyed_key_marks_nothing(here: Damaged) -> None:
    """It is an erasure under way, or an old key database; marks would outlive the mistake."""
    with here.world.databases.keys.begin() as conn:
        conn.execute(data_keys.delete())
    with pytest.raises(SealBroken):
        here.open()
    assert all(isinstance(error, KeyDestroyed) for _, error in here.world.broken)
    assert here.marked() == frozenset()


def test_a_damaged_data_key_marks_what_it_sealed(here: Damaged) -> None:
    with here.world.databases.keys.begin() as conn:
        mine = data_keys.c.account == "anna"
        wrapped = bytearray(conn.scalar(select(data_keys.c.wrapped).where(mine)) or b"")
        wrapped[-1] ^= 1
        conn.execute(update(data_keys).where(mine).values(wrapped=bytes(wrapped)))
    with pytest.raises(SealBroken):
        here.open()
    assert here.marked() == set(here.ids)


def test_without_a_record_nobody_is_let_in_beside_it(here: Damaged, monkeypatch: pytest.MonkeyPatch) -> None:
    """R49: the mark and its record are one, and a mark that fails is an error on the way to a decision."""
    here.damage(here.ids[0])

    def full(*_: object, **__: object) -> None:
        raise AuditUnavailable("full")

    with monkeypatch.context() as broken:
        broken.setattr(type(here.world.audit), "append", full)
        with pytest.raises(AuditUnavailable):
            here.open()
    assert here.marked() == frozenset()


def test_who_writes_marks_nothing(here: Damaged) -> None:
    """An erasure that seals the survivors anew holds the turn a mark would wait for; it tells and goes on."""
    here.damage(here.ids[0])
    key = here.world.keys.replace("shop", "anna")
    with here.world.data.begin() as conn:
        _, left = here.store.reseal(conn, key=key)
        assert left == (here.ids[0],)
    assert here.marked() == frozenset()


def test_the_mark_of_a_row_that_is_gone_is_not_made(here: Damaged) -> None:
    assert here.shelf.mark("reference_none", SealBroken("it does not open")) is False
    with here.world.data.read() as conn:
        assert conn.execute(select(quarantine)).all() == []
