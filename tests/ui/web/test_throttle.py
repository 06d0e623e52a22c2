"""Who comes when the room is full is told so at once; everybody else is served in the order they came."""

import asyncio
from collections.abc import Callable

import httpx
import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from m2rec.ui.web.throttle import BUSY, PAGE_CALLS, Room
from tests.own_loop import run_apart


class Counter:
    """An app that answers when `open` is set, and notes who was inside at the same time."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.inside = self.most = 0
        self.served: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.served.append(scope["query_string"].decode())
        await self.open.wait()
        self.inside -= 1
        if self.served[-1] == "who=broken":
            raise RuntimeError
        await JSONResponse({"fine": True})(scope, receive, send)


Visit = Callable[[str, str], "asyncio.Task[httpx.Response]"]


def in_room(check: Callable[[Counter, Visit], object], **limits: float) -> None:
    """Runs `check` with an app in a room of these limits, and a way to visit it."""

    async def run() -> None:
        counter = Counter()
        transport = httpx.ASGITransport(Room(counter, **limits), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            await check(counter, lambda path, who: asyncio.create_task(client.post(path, params={"who": who})))

    run_apart(run())


def is_busy(reply: httpx.Response) -> bool:
    return reply.json() == {"error": BUSY} and "retry-after" in reply.headers


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def test_only_so_many_are_inside_and_the_others_wait_in_order() -> None:
    async def check(counter: Counter, visit: Visit) -> None:
        visits = []
        for number in range(5):
            visits.append(visit(PAGE_CALLS, f"v{number}"))
            await settled()
        assert counter.inside == 2
        counter.open.set()
        assert not any(is_busy(reply) for reply in await asyncio.gather(*visits))
        assert counter.most == 2
        assert counter.served == [f"who=v{number}" for number in range(5)]

    in_room(check, at_once=2, seats=3)


def test_without_a_seat_one_is_told_at_once_and_may_come_again() -> None:
    async def check(counter: Counter, visit: Visit) -> None:
        first = [visit(PAGE_CALLS, "early") for _ in range(3)]
        await settled()
        assert is_busy(await visit(PAGE_CALLS, "late"))
        counter.open.set()
        await asyncio.gather(*first)
        assert not is_busy(await visit(PAGE_CALLS, "again"))

    in_room(check, at_once=1, seats=2)


def test_waiting_ends_with_a_word_too_and_gives_the_seat_back() -> None:
    async def check(counter: Counter, visit: Visit) -> None:
        first = visit(PAGE_CALLS, "early")
        await settled()
        assert is_busy(await visit(PAGE_CALLS, "late"))
        assert is_busy(await visit(PAGE_CALLS, "later"))
        counter.open.set()
        assert not is_busy(await first)

    in_room(check, at_once=1, seats=1, longest_wait=0.01)


def test_a_call_that_fails_leaves_its_place_to_the_next() -> None:
    async def check(counter: Counter, visit: Visit) -> None:
        counter.open.set()
        assert (await visit(PAGE_CALLS, "broken")).status_code == 500
        assert not is_busy(await visit(PAGE_CALLS, "fine"))

    in_room(check, at_once=1, seats=1)


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/queue/join"])
def test_everything_else_passes_by(path: str) -> None:
    async def check(counter: Counter, visit: Visit) -> None:
        visits = [visit(path, "many") for _ in range(9)]
        await settled()
        assert counter.inside == 9
        counter.open.set()
        await asyncio.gather(*visits)

    in_room(check, at_once=1, seats=0)
