"""The bounded queue: R59."""

import asyncio
from threading import Event, Semaphore

import pytest

from faceauth.api.work import RECEIVING, Work
from faceauth.errors import Overloaded, SessionClosed


def test_what_does_not_fit_is_turned_away_and_places_come_back() -> None:
    async def story() -> None:
        work, go = Work(workers=2, queue=3), Event()
        try:
            busy = [asyncio.create_task(work.run(go.wait, 10)) for _ in range(5)]
            await asyncio.sleep(0)
            assert work.taken == 5
            with pytest.raises(Overloaded) as turned_away:
                await work.run(go.wait, 10)
            assert 1 <= turned_away.value.retry_after_s <= 30
            with pytest.raises(Overloaded), work.receiving("late"):
                pass
            go.set()
            assert await asyncio.gather(*busy) == [True] * 5
            await asyncio.sleep(0)
            assert work.taken == 0
            assert await work.run(lambda: 7) == 7
        finally:
            go.set()
            work.close()

    asyncio.run(story())


def test_a_failure_gives_its_place_back() -> None:
    def fail() -> None:
        raise ValueError("no")

    async def story() -> None:
        work = Work(workers=1, queue=0)
        try:
            for _ in range(3):
                with pytest.raises(ValueError, match="no"):
                    await work.run(fail)
                await asyncio.sleep(0)
            assert work.taken == 0
        finally:
            work.close()

    asyncio.run(story())


def test_a_place_is_held_while_the_thread_works_though_nobody_waits() -> None:
    """A device that hangs up must not let another one in early."""

    async def story() -> None:
        work, go = Work(workers=1, queue=0), Event()
        try:
            task = asyncio.create_task(work.run(go.wait, 10))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert work.taken == 1
            with pytest.raises(Overloaded):
                await work.run(go.wait, 10)
        finally:
            go.set()
            work.close()

    asyncio.run(story())


def test_one_post_at_a_time_for_each_session_and_so_many_in_all() -> None:
    work = Work(workers=1, queue=0)
    try:
        with work.receiving("s0"):
            with pytest.raises(SessionClosed), work.receiving("s0"):
                pass
            others = [work.receiving(f"s{n}") for n in range(1, RECEIVING)]
            for other in others:
                other.__enter__()
            with pytest.raises(Overloaded), work.receiving("one too many"):
                pass
            for other in others:
                other.__exit__(None, None, None)
        with work.receiving("s0"):
            pass
    finally:
        work.close()


def test_a_core_is_left_while_people_are_guided() -> None:
    """Decisions never take guidance's core; all of them work again when nobody is guided."""

    async def story() -> None:
        work, go, under_way = Work(workers=2, queue=3, cores=2), Event(), Semaphore(0)

        def judge() -> bool:
            under_way.release()
            return go.wait(10)

        try:
            work.leave_a_core(50)
            busy = [asyncio.create_task(work.finish(judge)) for _ in range(3)]
            assert await asyncio.to_thread(under_way.acquire, timeout=10)
            assert not under_way.acquire(timeout=0.05)
            work.leave_a_core(0)
            assert await asyncio.to_thread(under_way.acquire, timeout=10)
            go.set()
            assert await asyncio.gather(*busy) == [True] * 3
        finally:
            go.set()
            work.close()

    asyncio.run(story())


def test_one_core_still_judges() -> None:
    async def story() -> None:
        work = Work(workers=2, queue=3, cores=1)
        try:
            work.leave_a_core(1)
            assert await work.run(lambda: 7) == 7
        finally:
            work.close()

    asyncio.run(story())
