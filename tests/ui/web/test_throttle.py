"""Requests are served in order; when too many wait, further ones get an error at once."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import httpx
import pytest

from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.app import build, start
from m2rec.ui.web.throttle import ASIDE, AT_ONCE, BUSY, RETRY_AFTER, SLOW, BusyError, Throttle
from tests.own_loop import run_apart
from tests.ui.fake_recommender import FakeRecommender


class Work:
    """Work for the throttle. It ends when `go_on` is set, and records what ran at the same time."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.lock = threading.Lock()
        self.running = self.most = 0
        self.served: list[int] = []

    def __call__(self, number: int) -> int:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
            self.served.append(number)
        self.go_on.wait(60)
        with self.lock:
            self.running -= 1
        if number < 0:
            raise ZeroDivisionError
        return number


Ask = Callable[[int], "asyncio.Task[int]"]


def throttled(check: Callable[[Work, Ask], Awaitable[None]], **limits: float) -> None:
    """Run `check` with some work behind a throttle with these limits, and a function that requests it."""

    async def run() -> None:
        work, throttle = Work(), Throttle(**limits)  # type: ignore[arg-type]
        try:
            await check(work, lambda number: asyncio.create_task(throttle.run(work, number)))
        finally:
            work.go_on.set()

    run_apart(run())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def test_a_limited_number_run_and_the_others_wait_in_order() -> None:
    async def check(work: Work, ask: Ask) -> None:
        asked = []
        for number in range(5):
            asked.append(ask(number))
            await settled()
        await until(lambda: work.running == 2)
        work.go_on.set()
        assert await asyncio.gather(*asked) == [0, 1, 2, 3, 4]
        assert work.most == 2
        assert sorted(work.served[:2]) == [0, 1]

    throttled(check, at_once=2, waiting=3, aside=0)


def test_one_at_a_time_they_are_served_in_order() -> None:
    async def check(work: Work, ask: Ask) -> None:
        asked = []
        for number in range(6):
            asked.append(ask(number))
            await settled()
        work.go_on.set()
        await asyncio.gather(*asked)
        assert work.served == list(range(6))

    throttled(check, at_once=1, waiting=5, aside=0)


def test_slow_work_lets_the_next_begin_beside_it_but_not_a_third() -> None:
    async def check(work: Work, ask: Ask) -> None:
        asked = [ask(number) for number in range(3)]
        await until(lambda: work.running == 2)
        await asyncio.sleep(0.1)
        assert work.served == [0, 1]
        work.go_on.set()
        assert await asyncio.gather(*asked) == [0, 1, 2]
        assert await asyncio.gather(*(ask(number) for number in (3, 4))) == [3, 4]
        assert work.most == 2

    throttled(check, at_once=1, waiting=5, slow=0.01, aside=1)


def test_when_too_many_wait_the_next_is_refused_at_once_and_may_try_again() -> None:
    async def check(work: Work, ask: Ask) -> None:
        first = [ask(number) for number in range(3)]
        await settled()
        with pytest.raises(BusyError, match="nothing is lost"):
            await ask(3)
        work.go_on.set()
        await asyncio.gather(*first)
        assert await ask(4) == 4
        assert 3 not in work.served

    throttled(check, at_once=1, waiting=2, aside=0)


def test_waiting_too_long_gives_a_sentence_and_frees_the_place() -> None:
    async def check(work: Work, ask: Ask) -> None:
        first = ask(0)
        await settled()
        for number in (1, 2):
            with pytest.raises(BusyError):
                await ask(number)
        work.go_on.set()
        assert await first == 0
        assert work.served == [0]

    throttled(check, at_once=1, waiting=1, longest_wait=0.01, aside=0)


def test_work_whose_visitor_has_left_keeps_its_turn_until_it_ends() -> None:
    async def check(work: Work, ask: Ask) -> None:
        left = ask(0)
        await until(lambda: work.running == 1)
        left.cancel()
        second = ask(1)
        await asyncio.sleep(0.05)
        assert work.served == [0]
        work.go_on.set()
        assert await second == 1
        assert work.most == 1
        assert left.cancelled()

    throttled(check, at_once=1, waiting=1, aside=0)


def test_slow_work_whose_visitor_has_left_at_once_lets_the_next_begin_beside_it() -> None:
    async def check(work: Work, ask: Ask) -> None:
        left = ask(0)
        await until(lambda: work.running == 1)
        left.cancel()
        second = ask(1)
        await until(lambda: work.running == 2)
        work.go_on.set()
        assert await second == 1

    throttled(check, at_once=1, waiting=1, slow=0.05, aside=1)


def test_failed_or_cancelled_work_frees_its_turn() -> None:
    async def check(work: Work, ask: Ask) -> None:
        first = ask(0)
        await settled()
        given_up = ask(1)
        await settled()
        given_up.cancel()
        work.go_on.set()
        await first
        with pytest.raises(ZeroDivisionError):
            await ask(-1)
        assert await ask(2) == 2

    throttled(check, at_once=1, waiting=1, aside=0)


def test_a_busy_server_says_so_on_the_page_and_to_programs_and_still_serves_the_page() -> None:
    model, go_on = FakeRecommender(), threading.Event()
    running, url = start(build(Worlds({"toy": World("toy", lambda: model)})), quiet=True)
    search = model.search
    model.search = lambda *given, **asked: go_on.wait(60) and search(*given, **asked)  # type: ignore[method-assign]

    async def crowd() -> None:
        asked = {"world": "toy", "query": "oat"}
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            first = [asyncio.create_task(client.post("/search", json=asked)) for _ in range(AT_ONCE + ASIDE)]
            await asyncio.sleep(2 * SLOW)  # all are being served
            late = await client.post("/search", json=asked)
            assert late.json() == {"error": BUSY}
            assert late.headers["retry-after"] == str(RETRY_AFTER)
            by_name = await client.post("/gradio_api/call/worlds", json={"data": []})
            events = await client.get(f"/gradio_api/call/worlds/{by_name.json()['event_id']}")
            assert "event: error" in events.text
            assert BUSY in events.text
            assert (await client.get("/")).status_code == 200
            go_on.set()
            for reply in await asyncio.gather(*first):
                assert reply.json()["hits"]

    try:
        run_apart(crowd())
    finally:
        go_on.set()
        running.close(verbose=False)
