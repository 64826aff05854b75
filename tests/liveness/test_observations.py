"""Observe mode keeps what gates measured, of nobody in particular, for a while, and has no say."""

import re

import pytest
from sqlalchemy import select

from faceauth.db.schema import gate_observations
from faceauth.errors import LivenessDenied, StorageError
from faceauth.liveness.observations import ACCEPTED, MOST_VALUES, Observations, Observed, Observer
from tests.clocks import HandClock
from tests.databases import Databases


@pytest.fixture
def observer(database: Databases, clock: HandClock) -> Observer:
    count = iter(range(1000))
    table = Observations(random=lambda size: next(count).to_bytes(size, "big"), days=14)
    return Observer(database.data, table, clock)


def sessions(observer: Observer) -> None:
    """Two bursts that are accepted and one that is denied."""
    for gamma in (0.2, 0.3):
        with observer.watch("motion") as record:
            record("parallax", "gamma", gamma)
    with pytest.raises(LivenessDenied):
        denied(observer)


def denied(observer: Observer) -> None:
    with observer.watch("motion") as record:
        record("parallax", "gamma", 0.01)
        raise LivenessDenied("parallax", "Flat.")


def test_values_and_outcomes_are_kept(observer: Observer) -> None:
    sessions(observer)
    with observer.data.read() as conn:
        (measured,) = observer.observations.measured(conn)
        (outcomes,) = observer.observations.outcomes(conn)
    assert (measured.gate, measured.name) == ("parallax", "gamma")
    assert (measured.accepted, measured.denied) == ((0.2, 0.3), (0.01,))
    assert (outcomes.profile, outcomes.counts) == ("motion", {ACCEPTED: 2, "parallax": 1})
    assert "0.2" not in repr(measured)


def test_rows_stand_for_nobody(observer: Observer, clock: HandClock) -> None:
    """R24: no session, no account, no time of day; the columns are these and no others."""
    sessions(observer)
    with observer.data.read() as conn:
        rows = conn.execute(select(gate_observations)).mappings().all()
    assert set(rows[0]) == {"observation_id", "burst", "profile", "outcome", "gate", "name", "value", "day"}
    assert {row["day"] for row in rows} == {clock().date()}
    assert all(re.fullmatch("[0-9a-f]{32}", row["burst"]) for row in rows)


def test_they_are_kept_for_a_while(observer: Observer, clock: HandClock) -> None:
    sessions(observer)
    clock.forward(15 * 86_400)
    with observer.watch("motion") as record:
        record("parallax", "gamma", 0.4)
    with observer.data.read() as conn:
        (measured,) = observer.observations.measured(conn)
    assert (measured.accepted, measured.denied) == ((0.4,), ())


def test_a_burst_of_which_nothing_was_measured_counts(observer: Observer) -> None:
    with pytest.raises(LivenessDenied), observer.watch("motion"):
        raise LivenessDenied("integrity", "Too fast.")
    with observer.data.read() as conn:
        assert observer.observations.measured(conn) == []
        (outcomes,) = observer.observations.outcomes(conn)
    assert outcomes.counts == {"integrity": 1}


def test_what_cannot_be_kept_changes_no_decision(observer: Observer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Observing has no say: neither in accepting nor in denying."""

    def full(*_: object, **__: object) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(Observations, "keep", full)
    with observer.watch("motion") as record:
        record("parallax", "gamma", 0.4)
    with pytest.raises(LivenessDenied), observer.watch("motion"):
        raise LivenessDenied("integrity", "Too fast.")


def test_other_errors_are_no_outcome(observer: Observer) -> None:
    with pytest.raises(KeyError), observer.watch("motion"):
        raise KeyError
    with observer.data.read() as conn:
        assert observer.observations.outcomes(conn) == []


def test_one_burst_cannot_fill_the_table() -> None:
    observed = Observed()
    for _ in range(2 * MOST_VALUES):
        observed("parallax", "gamma", 0.1)
    assert len(observed.values) == MOST_VALUES
    assert "0.1" not in repr(observed)
