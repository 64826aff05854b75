"""Embedding for several threads at once: who gets what, when it starts, who hears of a failure. No test sleeps."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.embed.batcher import BatchingEmbedder
from faceauth.embed.packs import Pack
from faceauth.errors import ModelError
from faceauth.types import ChipTemplate, Image, OperatingPoint

LONG_MS = 60_000
"""Longer than a test runs: a batch that starts did not wait for this."""


class Counting:
    """Embeds a chip as its first pixel; remembers the sizes of its batches; fails on the pixel 13."""

    model_digest = b"d" * 32
    template = ChipTemplate(size=2, points=np.zeros((5, 2), np.float32))
    operating_points: Mapping[str, OperatingPoint] = {}

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.go = threading.Event()
        self.go.set()

    def embed(self, chips: Sequence[Image]) -> NDArray[np.float32]:
        self.go.wait()
        self.batches.append(len(chips))
        if any(chip[0, 0, 0] == 13 for chip in chips):
            raise ModelError("thirteen")
        return np.array([[chip[0, 0, 0], 1.0] for chip in chips], np.float32)


def chip(value: int) -> Image:
    return np.full((2, 2, 3), value, np.uint8)


@contextmanager
def batching(inner: Counting, *, batch: int, wait_ms: float) -> Iterator[BatchingEmbedder]:
    made = BatchingEmbedder(inner, batch=batch, wait_ms=wait_ms)
    try:
        yield made
    finally:
        inner.go.set()
        made.close()


def ask(pool: ThreadPoolExecutor, made: BatchingEmbedder, *values: int) -> "Future[NDArray[np.float32]]":
    return pool.submit(made.embed, [chip(value) for value in values])


def test_sessions_share_a_batch_and_each_gets_its_own() -> None:
    """Three threads, six chips: one call, started because the batch was full."""
    inner = Counting()
    with batching(inner, batch=6, wait_ms=LONG_MS) as made, ThreadPoolExecutor(3) as pool:
        asked = [ask(pool, made, 1), ask(pool, made, 2, 3), ask(pool, made, 4, 5, 6)]
        assert [one.result()[:, 0].tolist() for one in asked] == [[1], [2, 3], [4, 5, 6]]
    assert inner.batches == [6]


def test_nobody_waits_longer_than_said() -> None:
    """Alone, a request starts when its time is over, not when a batch is full."""
    inner = Counting()
    with batching(inner, batch=1000, wait_ms=0) as made:
        assert made.embed([chip(7)])[0, 0] == 7
    with batching(inner, batch=1000, wait_ms=1) as made:
        assert made.embed([chip(8)])[0, 0] == 8


def test_a_request_is_never_split_and_one_too_large_runs_as_it_is() -> None:
    inner = Counting()
    with batching(inner, batch=4, wait_ms=LONG_MS) as made:
        assert made.embed([chip(value) for value in range(5)])[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert inner.batches == [5]


def test_what_does_not_fit_waits_for_the_next_batch() -> None:
    """While one batch runs, others gather; no more than fit are put together."""
    inner = Counting()
    inner.go.clear()
    with batching(inner, batch=3, wait_ms=0) as made, ThreadPoolExecutor(4) as pool:
        asked = [ask(pool, made, value, value, value) for value in (1, 2, 3)]
        inner.go.set()
        assert sorted(one.result()[0, 0] for one in asked) == [1, 2, 3]
    assert inner.batches == [3, 3, 3]


def test_failure_reaches_the_one_it_belongs_to_and_no_other() -> None:
    """R4: a chip that cannot be embedded raises for its caller; the others in its batch have their embeddings."""
    inner = Counting()
    with batching(inner, batch=3, wait_ms=LONG_MS) as made, ThreadPoolExecutor(3) as pool:
        good, bad, fine = (ask(pool, made, value) for value in (1, 13, 2))
        with pytest.raises(ModelError, match="thirteen"):
            bad.result()
        assert (good.result()[0, 0], fine.result()[0, 0]) == (1, 2)


def test_failure_of_all_reaches_every_caller() -> None:
    inner = Counting()
    with batching(inner, batch=3, wait_ms=LONG_MS) as made, ThreadPoolExecutor(3) as pool:
        for one in [ask(pool, made, 13) for _ in range(3)]:
            with pytest.raises(ModelError, match="thirteen"):
                one.result()


def test_embedder_that_loses_a_chip_is_an_error() -> None:
    class Loses(Counting):
        def embed(self, chips: Sequence[Image]) -> NDArray[np.float32]:
            return super().embed(chips)[1:]

    with batching(Loses(), batch=1, wait_ms=0) as made, pytest.raises(ModelError, match="another number"):
        made.embed([chip(1)])


def test_nothing_asked_nothing_waited_for() -> None:
    with batching(Counting(), batch=1, wait_ms=LONG_MS) as made:
        assert len(made.embed([])) == 0


def test_closed() -> None:
    """What waits is answered before the thread ends; what comes later is refused."""
    inner = Counting()
    with ThreadPoolExecutor(1) as pool:
        made = BatchingEmbedder(inner, batch=1000, wait_ms=LONG_MS)
        asked = ask(pool, made, 5)
        while not made._waiting and not asked.done():
            pass
        made.close()
        assert asked.result()[0, 0] == 5
    with pytest.raises(ModelError, match="closed"):
        made.embed([chip(1)])


def test_it_is_the_embedder_to_everybody_else(open_pack: Pack) -> None:
    """On the CPU provider: the same digest, template and points, and the same embeddings as without it."""
    inner = open_pack.embedder
    size = inner.template.size
    chips = list(np.random.default_rng(2).integers(0, 256, (4, size, size, 3), dtype=np.uint8))
    made = BatchingEmbedder(inner, batch=4, wait_ms=LONG_MS)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(made.embed, chips[:1]), pool.submit(made.embed, chips[1:])
        found = np.concatenate([first.result(), second.result()])
    made.close()
    assert np.abs(found - inner.embed(chips)).max() < 1e-5
    assert (made.model_digest, made.template) == (inner.model_digest, inner.template)
    assert made.operating_points == inner.operating_points
