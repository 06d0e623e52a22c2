"""Checks of requests: only the page, its calls and the named endpoints are served.

Gradio serves more than this page needs: uploads, files, a proxy to other hosts, recordings, its own front end. Requests
to these addresses are refused with one sentence before they reach Gradio. So are requests that are too large, and calls
of endpoints with the wrong arguments.
"""

import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from m2rec.errors import InputError
from m2rec.recommend.validation import checked, must
from m2rec.text_safety import quoted

LARGEST_BODY: Final = 8 << 20  # bytes, for the longest pasted list and many undo steps
LONGEST_PART: Final = 200  # characters between two slashes of an address
PAGE_CALLS: Final = ("act", "open", "search", "ask")
NOT_HERE: Final = (
    "There is nothing at this address: the page is at /, its endpoints are recommend, search, worlds and race."
)
# the page, the addresses with which programs find and call the endpoints, and those that browsers always request
OPEN: Final = re.compile(
    rf"/({'|'.join(PAGE_CALLS)}|m2rec-static/.*|sheets/[a-z0-9-]+|preview\.png|config|favicon\.ico|robots\.txt"
    r"|gradio_api/(info|openapi\.json|app_id|startup-events|cancel|reset|heartbeat/.*|queue/(join|data|status)"
    r"|call/.*|mcp(/.*)?))?/?"
)
QUEUE: Final = "/gradio_api/queue/join"  # where Gradio's clients call endpoints by number
CALL: Final = re.compile(r"/gradio_api/call/(?P<named>v2/)?(?P<name>[^/]+)/?")


class Call(BaseModel):
    """A call of an endpoint by name, with its arguments in a list."""

    data: Annotated[list[Any], must("be a list of the endpoint's arguments")]


class QueuedCall(Call):
    """A call of an endpoint by number."""

    fn_index: Annotated[int, Field(ge=0), must("be the number of an endpoint")]


class RequestCheck:
    """Middleware that refuses requests before they reach the app."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Callable[..., Any]]) -> None:
        """`endpoints` are the functions that can be called by name."""
        self.app = app
        self.parameters = {name: inspect.signature(endpoint).parameters for name, endpoint in endpoints.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path = path_within_root(scope)
        if (
            not OPEN.fullmatch(path)
            or not _is_address(path)
            or scope["method"] not in ("GET", "HEAD", "POST", "OPTIONS")
        ):
            return await _refuse(404, NOT_HERE)(scope, receive, send)
        if scope["method"] != "POST":
            return await self.app(scope, receive, send)
        announced = Headers(scope=scope).get("content-length", "0")
        small = announced.isdecimal() and int(announced) <= LARGEST_BODY
        body = await _body(receive) if small else None
        if body is None:
            sentence = f"The request is larger than {LARGEST_BODY >> 20} MiB, the most that is read: send less at once."
            return await _refuse(413, sentence)(scope, receive, send)
        try:
            known = self._check_call(path, body)
        except InputError as error:
            return await _refuse(422, str(error))(scope, receive, send)
        if not known:
            return await _refuse(404, NOT_HERE)(scope, receive, send)
        return await self.app(scope, _replayed(body, receive), send)

    def _check_call(self, path: str, body: bytes) -> bool:
        """Whether the endpoint of this path exists. Raises InputError when the body does not hold its arguments."""
        if path.rstrip("/") == QUEUE:
            queued = checked(QueuedCall, read_json(body))
            parameters = dict(enumerate(self.parameters.values())).get(queued.fn_index)
            if parameters is None:
                raise InputError(f"fn_index must be below {len(self.parameters)}, not {quoted(queued.fn_index)}.")
            _check_number(queued.data, parameters)
        elif call := CALL.fullmatch(path):
            parameters = self.parameters.get(call["name"])
            if parameters is None:
                return False
            if call["named"]:
                _check_names(read_json(body), parameters)
            else:
                _check_number(checked(Call, read_json(body)).data, parameters)
        return True


def path_within_root(scope: Scope) -> str:
    """The path of a request without the root path, which a proxy may or may not have removed."""
    root, path = scope.get("root_path", "").rstrip("/"), str(scope["path"])
    return path[len(root) :] or "/" if path == root or path.startswith(f"{root}/") else path


def read_json(body: bytes) -> Any:
    """The content of a request's JSON body. Raises InputError when it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("The request must be JSON in UTF-8.") from error


def _check_number(given: list[Any], parameters: Mapping[str, inspect.Parameter]) -> None:
    """Check that the list is complete: Gradio's clients fill in defaults."""
    if len(given) != len(parameters):
        names = ", ".join(parameters) or "none"
        raise InputError(f"data must hold {len(parameters)} arguments ({names}), not {len(given)}.")


def _check_names(named: Any, parameters: Mapping[str, inspect.Parameter]) -> None:
    if not isinstance(named, dict):
        raise InputError(f"the request must be an object with named fields, not {quoted(named)}.")
    for name in named:
        if name not in parameters:
            raise InputError(f"{quoted(name)} is not a field of this request; its fields are {', '.join(parameters)}.")
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in named:
            raise InputError(f"{name} is missing: it must be given.")


def _is_address(path: str) -> bool:
    """Whether a path can be a file's: file systems raise errors for long names and control characters."""
    return path.isprintable() and all(len(part) <= LONGEST_PART for part in path.split("/"))


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is too large."""
    parts, size = [], 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body again, and then later messages."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


def _refuse(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"detail": sentence, "error": sentence}, status)
