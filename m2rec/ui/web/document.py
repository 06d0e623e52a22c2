"""The document that a browser gets first: Gradio's own, with the whole page already in it.

Gradio makes its components in the browser, once its own JavaScript has come and run, which takes a second or more.
The page does not wait for that: it stands in the document, styled and readable; `main.js` brings it to life where it
stands; and Gradio, beside it and unseen, is its way to the server (`connect` in `main.js`). So nothing is ever
replaced or moved.
"""

from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from m2rec.ui.render.templating import render

HERE = "/"  # the only address of a document
GRADIO = b"<gradio-app"  # where Gradio will build its components


def head(static: Path) -> str:
    """What the browser should fetch at once: the look, the scripts and, last, the chart library."""
    modules = sorted(path.relative_to(static).as_posix() for path in static.rglob("*.js") if "plotly" not in path.name)
    return render("head.html.j2", modules=modules)


class Document:
    """Middleware around Gradio's app: what it answers at `/` gets `head` and, before Gradio's element, `body`.

    Both are HTML, already escaped.
    """

    def __init__(self, app: ASGIApp, head: str, body: str) -> None:
        self.app = app
        self.head, self.body = head.encode(), body.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        is_document = scope["type"] == "http" and scope["path"] == HERE and scope["method"] == "GET"
        await (self._filled if is_document else self.app)(scope, receive, send)

    async def _filled(self, scope: Scope, receive: Receive, send: Send) -> None:
        started: Message = {}
        parts: list[bytes] = []

        async def held(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            content = b"".join(parts)
            if Headers(scope=started).get("content-type", "").startswith("text/html"):
                content = self._fill(content)
                MutableHeaders(scope=started)["content-length"] = str(len(content))
            await send(started)
            await send({"type": "http.response.body", "body": content})

        await self.app(scope, receive, held)

    def _fill(self, document: bytes) -> bytes:
        """Gradio's document with the page in it. Its last mention of its element is the element itself."""
        top, opening, rest = document.partition(b"<head>")
        before, element, after = rest.rpartition(GRADIO)
        return b"".join([top, opening, self.head, before, self.body, element, after])
