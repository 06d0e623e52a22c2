"""Security headers of every response: nothing is loaded from other hosts, and only the page's own scripts run."""

import base64
import hashlib
import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Any site may show the page in a frame: a Space always does, and a teacher's course page may.
POLICY: Final = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # Plotly writes style sheets; bars get their widths from style attributes
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # the address holds the visitor's history
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.S)  # without attributes: an inline script


def content_security_policy(document: str = "") -> str:
    """The policy as a header. Of inline scripts only those of `document` may run: the browser gets their hash."""
    allowed = POLICY["script-src"]
    for script in INLINE_SCRIPT.findall(document):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        allowed += f" 'sha256-{digest}'"
    return "; ".join(f"{what} {where}" for what, where in (POLICY | {"script-src": allowed}).items())


class SecurityHeaders:
    """Middleware: every response of the app within gets `HEADERS` and a policy, unless it brings its own policy."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.policy = content_security_policy()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Content-Security-Policy", self.policy)
            await send(message)

        await self.app(scope, receive, with_headers)
