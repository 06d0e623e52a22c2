"""What goes to the browser, compressed where it may be: well and once if it is the same for all, else quickly.

Gradio compresses what has a file's ending, anew for every request and with a compressor for each, whose window alone
takes megabytes. Many visitors at once cost time and memory there that this does not take.
"""

import zlib
from functools import lru_cache
from os import PathLike, stat_result
from pathlib import Path
from typing import Literal

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from m2rec.ui.web.document import HERE
from m2rec.ui.web.throttle import PAGE_CALLS

Encoding = Literal["br", "gzip"]
ENCODINGS: tuple[Encoding, ...] = ("br", "gzip")  # the better one first

SMALLEST = 1000  # bytes
TEXT = ("text/", "application/javascript", "application/json", "image/svg")
QUICK = 1  # of 11 and of 9: a tenth of a millisecond for an answer, which shrinks to a fifth
GOOD = 6
AS_GZIP = 31  # zlib's window size with gzip's header and checksum


def encoding(scope: Scope) -> Encoding | None:
    """The best one that the browser of this request takes."""
    offered = {}
    for offer in Headers(scope=scope).get("accept-encoding", "").split(","):
        name, _, weight = offer.partition(";")
        offered[name.strip().lower()] = weight.replace(" ", "") not in ("q=0", "q=0.0")
    return next((one for one in ENCODINGS if offered.get(one)), None)


def pack(content: bytes, how: Encoding, level: int) -> bytes:
    """The content, compressed."""
    if how == "br":
        return brotli.compress(content, quality=level)
    packer = zlib.compressobj(level, wbits=AS_GZIP)
    return packer.compress(content) + packer.flush()


packed_once = lru_cache(maxsize=8)(pack)


class Packing:
    """Middleware for the document and for the answers to the page's own calls, each of which comes in one piece."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        is_document, how = scope["path"] == HERE, encoding(scope)
        if how is None or not (is_document or scope["path"].rstrip("/") == PAGE_CALLS):
            return await self.app(scope, receive, send)
        start: Message = {}

        async def packed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start:
                body = message.get("body", b"")
                plain = "content-encoding" not in Headers(raw=start["headers"])
                if plain and len(body) >= SMALLEST and not message.get("more_body"):
                    body = packed_once(body, how, GOOD) if is_document else pack(body, how, QUICK)
                    message = {**message, "body": body}
                    _mark(MutableHeaders(raw=start["headers"]), how, len(body))
                await send(start)
                start = {}
            await send(message)

        return await self.app(scope, receive, packed)


class Shelf(StaticFiles):
    """The files of a folder; what is text is read and compressed once."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """A file, or that it has not changed."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        how = encoding(scope)
        is_text = response.headers.get("content-type", "").startswith(TEXT)
        if how is None or response.status_code != 200 or not is_text or stat_result.st_size < SMALLEST:
            return response
        content = _packed_file(str(full_path), stat_result.st_mtime_ns, how)
        headers = MutableHeaders(response.headers)
        _mark(headers, how, len(content))
        return Response(content, headers=dict(headers))


@lru_cache(maxsize=64)
def _packed_file(path: str, changed: int, how: Encoding) -> bytes:
    """The content of a file as it was when it last changed."""
    return pack(Path(path).read_bytes(), how, GOOD)


def _mark(headers: MutableHeaders, how: Encoding, length: int) -> None:
    headers["Content-Encoding"] = how
    headers["Content-Length"] = str(length)
    headers.add_vary_header("Accept-Encoding")
