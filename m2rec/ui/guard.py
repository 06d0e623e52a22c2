"""What every response carries and what no request may reach: a thin ASGI layer around Gradio's own routes."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio runs inline scripts and compiles templates in the browser, so both must be allowed; other hosts need not be.
# Who may show the page in a frame is left open: a Space is always in one, and a teacher's course page may be another.
POLICY: Final = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
HEADERS: Final = {
    "Content-Security-Policy": "; ".join(f"{what} {whence}" for what, whence in POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # the address holds the visitor's history
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

# Doors of Gradio that nothing here uses: files in and out, requests to other hosts, and its editor's tools
CLOSED: Final = (
    "/upload",
    "/file",
    "/proxy=",
    "/stream",
    "/deep_link",
    "/process_recording",
    "/run-history",
    "/runs",
    "/dev/",
    "/vibe-",
    "/undo-vibe-",
    "/profiling",
    "/monitoring",
)
LARGEST_BODY: Final = 8 * 2**20  # bytes: a pasted list of a million characters in any alphabet, with its session


class Guard:
    """The app within: its responses get `HEADERS`, what is `CLOSED` is not found, larger bodies are refused unread."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await (_refusal(scope) or self.app)(scope, receive, guarded)


def _refusal(scope: Scope) -> PlainTextResponse | None:
    """The answer to a request that Gradio shall not see, or None."""
    if scope["path"].removeprefix("/gradio_api").startswith(CLOSED):
        return PlainTextResponse("There is nothing here.", status_code=404)
    headers = Headers(scope=scope)
    if "chunked" in headers.get("transfer-encoding", ""):
        return PlainTextResponse("Say how long the request is: send a Content-Length.", status_code=411)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        return PlainTextResponse(f"A request may hold at most {LARGEST_BODY // 2**20} MB.", status_code=413)
    return None
