"""Many visitors: at once, each with a click every few seconds, or one after another. What they met, in figures."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import httpx
import numpy as np

from m2rec.benchmark.page.host import Host, Memory, memory, watch
from m2rec.benchmark.page.visitor import Call, Page, Visitor, load_page

PATIENCE = 30.0  # seconds until a visitor takes silence for an error
KEPT = 2.0  # seconds that an idle connection is used again; the server closes it after five
SOON = 0.5  # seconds: an answer that feels prompt
CALM = 3  # prompt answers in a row that mean it is as before
PROBE = 0.25  # seconds between two of them
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used, and dear to make anew for every visitor
WATCHED = 60.0  # seconds after which a server that is not as before is given up


Told = Callable[[Call], None]


@dataclass(frozen=True)
class Phase:
    """What the visitors of one phase met. Times are those of real answers; a refusal is quick and counts apart."""

    visitors: int
    seconds: float
    answers: int
    busy: int
    errors: int
    strangers: int  # answers about somebody else's history
    per_second: float
    p50_ms: float | None
    p95_ms: float | None
    longest_ms: float | None
    memory: Memory | None
    trouble: tuple[str, ...]  # the first few errors


def client(host: Host) -> httpx.AsyncClient:
    """One visitor's own connections to the server, as a browser has them: behind one pool, many wait for the pool."""
    limits = httpx.Limits(max_connections=6, keepalive_expiry=KEPT)
    return httpx.AsyncClient(base_url=host.url, timeout=PATIENCE, limits=limits, trust_env=False, verify=NO_TLS)


async def crowd(host: Host, visitors: int, seconds: float, pace: float, first: int = 0) -> Phase:
    """`visitors` come within one `pace` and click once per `pace`, for so many seconds; numbered from `first`."""

    async def stay(number: int, page: Page, told: Told, until: float) -> None:
        async with client(host) as connection:
            visitor = Visitor(connection, page, number, told)
            due = time.monotonic() + pace * visitor.chance.random()
            await asyncio.sleep(due - time.monotonic())
            await visitor.arrive()
            while (due := max(due + pace, time.monotonic())) < until:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                await visitor.click()

    async def everybody(page: Page, told: Told) -> None:
        until = time.monotonic() + seconds
        await asyncio.gather(*(stay(first + number, page, told, until) for number in range(visitors)))

    return await _phase(host, visitors, everybody)


async def in_turn(host: Host, visitors: int, seconds: float, first: int = 0) -> Phase:
    """Visitors one after another, each with a single click; it ends early when the time is over."""

    async def everybody(page: Page, told: Told) -> None:
        until = time.monotonic() + seconds
        for number in range(visitors):
            if time.monotonic() > until:
                break
            async with client(host) as connection:
                await Visitor(connection, page, first + number, told).arrive()

    return await _phase(host, visitors, everybody)


async def recovery(host: Host, number: int) -> float | None:
    """Seconds until one visitor gets prompt answers again; None when that takes longer than a minute."""
    calls: list[Call] = []
    began = time.monotonic()
    async with client(host) as connection:
        with suppress(httpx.HTTPError, KeyError, StopIteration):
            visitor = Visitor(connection, await load_page(connection), number, calls.append)
            while time.monotonic() - began < WATCHED:
                asked = time.monotonic()
                await visitor.click()
                last = calls[-CALM:]
                if len(last) == CALM and all(call.outcome == "answer" and call.seconds < SOON for call in last):
                    return round(asked - began, 2)
                await asyncio.sleep(PROBE)
    return None


async def _phase(host: Host, visitors: int, everybody: Callable[[Page, Told], Awaitable[None]]) -> Phase:
    calls: list[Call] = []
    seen: list[float] = []
    async with client(host) as connection:
        page = await load_page(connection)
    watching = asyncio.create_task(watch(host, seen))
    began = time.monotonic()
    try:
        await everybody(page, calls.append)
    finally:
        watching.cancel()
    return _figures(visitors, time.monotonic() - began, calls, memory(seen))


def _figures(visitors: int, seconds: float, calls: list[Call], held: Memory | None) -> Phase:
    times = 1000 * np.array([call.seconds for call in calls if call.outcome == "answer"])
    p50, p95, longest = (
        (round(float(at), 1) for at in np.quantile(times, [0.5, 0.95, 1])) if len(times) else (None, None, None)
    )
    return Phase(
        visitors,
        round(seconds, 1),
        len(times),
        sum(call.outcome == "busy" for call in calls),
        sum(call.outcome == "error" for call in calls),
        sum(call.stranger for call in calls),
        round(len(times) / seconds, 1),
        p50,
        p95,
        longest,
        held,
        tuple(call.trouble for call in calls if call.trouble)[:3],
    )
