"""Compression of responses: strong and cached for shared files, fast for answers.

Gradio compresses files again for every request, each time with a new compressor whose window takes megabytes. With many
visitors this costs time and memory.
"""

import zlib
from collections.abc import Mapping
from functools import lru_cache
from os import PathLike, stat_result
from pathlib import Path
from typing import Literal

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

Encoding = Literal["br", "gzip"]
ENCODINGS: tuple[Encoding, ...] = ("br", "gzip")  # in order of preference

SMALLEST = 1000  # bytes; smaller contents are not compressed
TEXT = ("text/", "application/javascript", "application/json", "image/svg")
QUICK = 1  # level, of 11 or 9: shrinks an answer to a fifth in a tenth of a millisecond
GOOD = 6
AS_GZIP = 31  # zlib's window size with gzip's header and checksum


def accepted_encoding(scope: Scope) -> Encoding | None:
    """The preferred encoding among those that the client accepts, or None."""
    offered = {}
    for offer in Headers(scope=scope).get("accept-encoding", "").split(","):
        name, _, weight = offer.partition(";")
        offered[name.strip().lower()] = weight.replace(" ", "") not in ("q=0", "q=0.0")
    return next((one for one in ENCODINGS if offered.get(one)), None)


def compress(content: bytes, encoding: Encoding, level: int) -> bytes:
    """The compressed content. Levels go from 0 to 11 for br and to 9 for gzip."""
    if encoding == "br":
        return brotli.compress(content, quality=level)
    compressor = zlib.compressobj(level, wbits=AS_GZIP)
    return compressor.compress(content) + compressor.flush()


compress_once = lru_cache(maxsize=8)(compress)


def compressed_response(
    scope: Scope, content: bytes, media_type: str, *, shared: bool = False, headers: Mapping[str, str] | None = None
) -> Response:
    """A response to this request. `shared` content, which many visitors get, is compressed strongly and cached."""
    response = Response(content, media_type=media_type, headers=headers)
    encoding = accepted_encoding(scope)
    if encoding is None or len(content) < SMALLEST:
        response.headers.add_vary_header("Accept-Encoding")
        return response
    response.body = compress_once(content, encoding, GOOD) if shared else compress(content, encoding, QUICK)
    _mark(response.headers, encoding, len(response.body))
    return response


class StaticFolder(StaticFiles):
    """Serves the files of a folder; text files are read and compressed once."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The response with a file, or 304 if the client has it already."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        encoding = accepted_encoding(scope)
        is_text = response.headers.get("content-type", "").startswith(TEXT)
        if encoding is None or response.status_code != 200 or not is_text or stat_result.st_size < SMALLEST:
            return response
        content = _compressed_file(str(full_path), stat_result.st_mtime_ns, encoding)
        headers = MutableHeaders(response.headers)
        _mark(headers, encoding, len(content))
        return Response(content, headers=dict(headers))


@lru_cache(maxsize=64)
def _compressed_file(path: str, changed: int, encoding: Encoding) -> bytes:
    """The compressed file; `changed` is its modification time, so that a changed file is read again."""
    return compress(Path(path).read_bytes(), encoding, GOOD)


def _mark(headers: MutableHeaders, encoding: Encoding, length: int) -> None:
    headers["Content-Encoding"] = encoding
    headers["Content-Length"] = str(length)
    headers.add_vary_header("Accept-Encoding")
