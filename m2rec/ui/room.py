"""A polite "busy" while the machine still answers: only so many of the page's calls may be inside at once.

Gradio's queue does this for the named endpoints, but what the page's JavaScript calls does not pass through it.
"""

from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PAGE_CALLS: Final = "/gradio_api/component_server"
SEATS: Final = 64  # a whole class may click at once; at some 15 ms an answer the last of them waits about a second
RETRY_AFTER: Final = 2  # seconds
BUSY: Final = "Many people are here right now and your click was not taken; nothing is lost, try again in a moment."


class Room:
    """The app within, with room for `seats` page calls; the next one is told so in the page's own form of a refusal."""

    def __init__(self, app: ASGIApp, seats: int = SEATS) -> None:
        self.app = app
        self.free = seats  # only the event loop's thread touches it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http" or scope["path"].rstrip("/") != PAGE_CALLS:
            await self.app(scope, receive, send)
            return
        if self.free == 0:
            busy = JSONResponse({"error": BUSY}, headers={"Retry-After": str(RETRY_AFTER)})
            await busy(scope, receive, send)
            return
        self.free -= 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.free += 1
