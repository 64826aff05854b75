"""Embedding for several sessions at once: an accelerator takes many chips in hardly more time than one."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from faceauth.errors import ModelError
from faceauth.types import ChipTemplate, Embedder, Image, OperatingPoint

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    chips: Sequence[Image]
    answer: "Future[Floats]" = field(default_factory=Future)


class BatchingEmbedder:
    """Gathers what several threads ask for, and asks the embedder once; a `faceauth.types.Embedder`.

    A request waits at most `wait_ms` for company, and no longer once `batch` chips are there. A request is never
    split, so one of more chips than `batch` runs as it is. One thread embeds; callers wait for it. Close it when
    done.
    """

    def __init__(
        self,
        embedder: Embedder,
        *,
        batch: int,
        wait_ms: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the thread.

        Args:
            embedder: What embeds.
            batch: Chips at which it waits no longer, and up to which requests are put together.
            wait_ms: Milliseconds from the first request of a batch to its start, at most.
            monotonic: Seconds, of a clock that never goes back.
        """
        self._embedder = embedder
        self._batch = batch
        self._wait_s = wait_ms / 1000
        self._monotonic = monotonic
        self._waiting: deque[_Request] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="faceauth-embed", daemon=True)
        self._thread.start()

    @property
    def model_digest(self) -> bytes:
        """SHA-256 over weights, preprocessing and alignment."""
        return self._embedder.model_digest

    @property
    def template(self) -> ChipTemplate:
        """The alignment it was trained for."""
        return self._embedder.template

    @property
    def operating_points(self) -> Mapping[str, OperatingPoint]:
        """The thresholds measured for it, by name."""
        return self._embedder.operating_points

    def embed(self, chips: Sequence[Image]) -> Floats:
        """Return embeddings of unit length, shape (n, d), for n chips of the template's size.

        Raises:
            ModelError: Embedding these chips failed, or this is closed.
        """
        if not chips:
            return self._embedder.embed(chips)
        request = _Request(tuple(chips))
        with self._changed:
            if self._closed:
                raise ModelError("The embedder is closed.")
            self._waiting.append(request)
            self._changed.notify_all()
        return request.answer.result()

    def close(self) -> None:
        """Embed what is still waiting, then end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _serve(self) -> None:
        while requests := self._gathered():
            self._run(requests)

    def _gathered(self) -> list[_Request]:
        """Wait for a first request, then for company; nothing means that this is closed and all is done."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            until = self._monotonic() + self._wait_s
            while not self._closed and sum(len(one.chips) for one in self._waiting) < self._batch:
                left = until - self._monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return self._taken()

    def _taken(self) -> list[_Request]:
        """Take requests in their order, as many as fit a batch, and one at least if there is one."""
        taken: list[_Request] = []
        count = 0
        while self._waiting and (not taken or count + len(self._waiting[0].chips) <= self._batch):
            taken.append(self._waiting.popleft())
            count += len(taken[-1].chips)
        return taken

    def _run(self, requests: Sequence[_Request]) -> None:
        chips = [chip for one in requests for chip in one.chips]
        try:
            vectors = self._embedded(chips)
        except BaseException as error:  # noqa: BLE001  whoever waits must hear of it, whatever it is (R4)
            if len(requests) == 1:
                requests[0].answer.set_exception(error)
                return
            # One session's chips must not deny the others: each is tried alone and hears of its own failure.
            for one in requests:
                self._run([one])
            return
        start = 0
        for one in requests:
            one.answer.set_result(vectors[start : start + len(one.chips)])
            start += len(one.chips)

    def _embedded(self, chips: Sequence[Image]) -> Floats:
        vectors = self._embedder.embed(chips)
        if len(vectors) != len(chips):
            raise ModelError("The embedder gave another number of embeddings than there are chips.")
        return vectors
