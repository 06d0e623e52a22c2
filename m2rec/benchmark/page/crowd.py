"""Many visitors, at once or one after another: counts of answers, refusals and errors, waiting times, memory."""

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

TIMEOUT = 30.0  # seconds without a reply that count as an error
KEEPALIVE_SECONDS = 2.0  # how long an idle connection is reused; the server closes it after five
PROMPT_SECONDS = 0.5  # an answer within this time counts as prompt
PROMPT_IN_A_ROW = 3  # prompt answers in a row after which the server counts as recovered
PROBE_SECONDS = 0.25  # between two requests while waiting for recovery
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # not used; httpx would make one per visitor, which is slow
RECOVERY_LIMIT = 60.0  # seconds after which waiting for recovery ends

Record = Callable[[Call], None]


@dataclass(frozen=True)
class Phase:
    """The figures of one phase. Times are of answers only; refusals (busy) are quick and counted separately."""

    visitors: int
    seconds: float
    answers: int
    busy: int
    errors: int
    wrong_sessions: int  # answers about another visitor's history
    per_second: float
    p50_ms: float | None
    p95_ms: float | None
    longest_ms: float | None
    memory: Memory | None
    trouble: tuple[str, ...]  # the first few errors


def client(host: Host) -> httpx.AsyncClient:
    """A connection pool for one visitor, like a browser's. With a shared one, visitors would wait for each other."""
    limits = httpx.Limits(max_connections=6, keepalive_expiry=KEEPALIVE_SECONDS)
    return httpx.AsyncClient(base_url=host.url, timeout=TIMEOUT, limits=limits, trust_env=False, verify=NO_TLS)


async def crowd(host: Host, visitors: int, seconds: float, pace: float, first: int = 0) -> Phase:
    """`visitors` arrive within `pace` seconds and click every `pace` seconds, for `seconds` in all.

    They are numbered from `first`. Raises httpx.HTTPError when the server does not give the page.
    """

    async def stay(number: int, page: Page, record: Record, until: float) -> None:
        async with client(host) as connection:
            visitor = Visitor(connection, page, number, record)
            due = time.monotonic() + pace * visitor.chance.random()
            await asyncio.sleep(due - time.monotonic())
            await visitor.arrive()
            while (due := max(due + pace, time.monotonic())) < until:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                await visitor.click()

    async def everybody(page: Page, record: Record) -> None:
        until = time.monotonic() + seconds
        await asyncio.gather(*(stay(first + number, page, record, until) for number in range(visitors)))

    return await _phase(host, visitors, everybody)


async def in_turn(host: Host, visitors: int, seconds: float, first: int = 0) -> Phase:
    """Visitors one after another, each with one action; ends early after `seconds`."""

    async def everybody(page: Page, record: Record) -> None:
        until = time.monotonic() + seconds
        for number in range(visitors):
            if time.monotonic() > until:
                break
            async with client(host) as connection:
                await Visitor(connection, page, first + number, record).arrive()

    return await _phase(host, visitors, everybody)


async def recovery(host: Host, number: int) -> float | None:
    """Seconds until a visitor gets prompt answers again, or None if that takes longer than RECOVERY_LIMIT."""
    calls: list[Call] = []
    began = time.monotonic()
    async with client(host) as connection:
        with suppress(httpx.HTTPError, KeyError, StopIteration):
            visitor = Visitor(connection, await load_page(connection), number, calls.append)
            while time.monotonic() - began < RECOVERY_LIMIT:
                asked = time.monotonic()
                await visitor.click()
                last = calls[-PROMPT_IN_A_ROW:]
                if len(last) == PROMPT_IN_A_ROW and all(
                    call.outcome == "answer" and call.seconds < PROMPT_SECONDS for call in last
                ):
                    return round(asked - began, 2)
                await asyncio.sleep(PROBE_SECONDS)
    return None


async def _phase(host: Host, visitors: int, everybody: Callable[[Page, Record], Awaitable[None]]) -> Phase:
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
        sum(call.wrong_session for call in calls),
        round(len(times) / seconds, 1),
        p50,
        p95,
        longest,
        held,
        tuple(call.trouble for call in calls if call.trouble)[:3],
    )
