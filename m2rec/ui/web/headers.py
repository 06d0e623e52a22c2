"""Security headers of all responses: nothing is loaded from other hosts, and only the page's own scripts run."""

import base64
import hashlib
import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# No frame-ancestors: Spaces show the page in a frame, and course pages may.
POLICY: Final = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # for Plotly's style sheets, and style attributes that set the width of bars
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
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.S)  # inline scripts have no attributes here


def content_security_policy(document: str = "") -> str:
    """The policy as a header value. It allows the inline scripts of `document`, by their hashes, and no others."""
    allowed = POLICY["script-src"]
    for script in INLINE_SCRIPT.findall(document):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        allowed += f" 'sha256-{digest}'"
    return "; ".join(f"{what} {where}" for what, where in (POLICY | {"script-src": allowed}).items())


class SecurityHeaders:
    """Middleware that adds `HEADERS` to every response, and a content security policy unless it has one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.policy = content_security_policy()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI request."""
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
