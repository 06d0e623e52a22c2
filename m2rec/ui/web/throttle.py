"""A polite "busy" while the machine still answers: the page's calls take turns, and only so many may wait.

Gradio's queue does this for the named endpoints, but what the page's JavaScript calls does not pass through it.
"""

import asyncio
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PAGE_CALLS: Final = "/gradio_api/component_server"
AT_ONCE: Final = 4  # one interpreter computes them; more would slow each other down and hold memory
SEATS: Final = 64  # a whole class may click at once: at some 15 ms an answer the last of them waits about a second
LONGEST_WAIT: Final = 3.0  # seconds, where answers take longer than that
RETRY_AFTER: Final = 2  # seconds
BUSY: Final = "Many people are here right now and your click was not taken; nothing is lost, try again in a moment."


class Room:
    """The app within. First come, first served; who finds no seat, or waits too long, is told so as the page expects.

    A reply of that kind has the header Retry-After; nothing was done.
    """

    def __init__(
        self, app: ASGIApp, at_once: int = AT_ONCE, seats: int = SEATS, longest_wait: float = LONGEST_WAIT
    ) -> None:
        self.app = app
        self.turns = asyncio.Semaphore(at_once)
        self.seats = seats
        self.longest_wait = longest_wait

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http" or scope["path"].rstrip("/") != PAGE_CALLS:
            await self.app(scope, receive, send)
        elif not await self._turn():
            busy = JSONResponse({"error": BUSY}, headers={"Retry-After": str(RETRY_AFTER)})
            await busy(scope, receive, send)
        else:
            try:
                await self.app(scope, receive, send)
            finally:
                self.turns.release()

    async def _turn(self) -> bool:
        """Whether it became this caller's turn."""
        if not self.seats:
            return False
        self.seats -= 1
        try:
            async with asyncio.timeout(self.longest_wait):
                return await self.turns.acquire()
        except TimeoutError:
            return False
        finally:
            self.seats += 1
