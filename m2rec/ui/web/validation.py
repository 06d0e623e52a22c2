"""What may come in: the page's own calls and the named endpoints. The rest of Gradio's surface answers "not here".

Gradio serves more than this page needs (uploads, files, a proxy, recordings) and takes the envelope of a call on trust:
a wrong component number ends in a server error. So every POST is read here first, whole and bounded, and checked
against what the running page has; what does not fit is refused with a sentence, before Gradio sees it.
"""

import inspect
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from m2rec.errors import InputError
from m2rec.recommend.validation import checked, must
from m2rec.text_safety import quoted

LARGEST_BODY = 8 << 20  # bytes; a pasted list of a million characters beside sixty steps of undo is less
LONGEST_PART = 200  # characters between two slashes of an address
API = "/gradio_api/"
# of what Gradio can do, the reading and writing of files, of other hosts and of its own source code
CLOSED = re.compile(
    r"(/gradio_api)?/(file[=/]|proxy=|stream/|upload|custom_component/|process_recording|vibe-|undo-vibe-|deep_link"
    r"|run-history|runs\b|run/|api/|monitoring|dev/|profiling/)"
)
CALL = re.compile(r"call/(?:v2/)?(?P<name>[^/]+)")
NOT_HERE = "There is nothing at this address: the page is at /, its endpoints are recommend, search and worlds."

SessionHash = Annotated[str, Field(min_length=1, max_length=100), must("be a text of 1 to 100 characters")]


class _Envelope(BaseModel):
    model_config = ConfigDict(frozen=True)  # what else Gradio's client sends along is Gradio's business


class ServerCall(_Envelope):
    """What the page's JavaScript sends to call Python."""

    session_hash: SessionHash
    component_id: Annotated[int, must("be the number of the page's component")]
    fn_name: Annotated[str, must("be the name of one of the page's functions")]
    data: Any


class QueueCall(_Envelope):
    """A place in the queue for an endpoint."""

    session_hash: SessionHash
    fn_index: Annotated[int, must("be the number of an endpoint")]
    data: Annotated[list[Any], must("be a list of the endpoint's arguments")]


class NamedCall(_Envelope):
    """A call of an endpoint by its name."""

    data: Annotated[list[Any], must("be a list of the endpoint's arguments")]


class Cancel(_Envelope):
    """The end of a call that nobody waits for any more."""

    session_hash: SessionHash
    fn_index: Annotated[int, must("be the number of an endpoint")]
    event_id: SessionHash


class Reset(_Envelope):
    """The end of a generator; Gradio's client sends it, this page has none."""

    event_id: SessionHash


class Door:
    """Middleware in front of Gradio's app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses, or hands on with the body already read."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        path: str = scope["path"]
        if CLOSED.match(path) or not _is_address(path) or scope["method"] not in ("GET", "HEAD", "POST", "OPTIONS"):
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
            known = _check(path, body, scope["app"].get_blocks())
        except InputError as error:
            return await _refuse(422, str(error))(scope, receive, send)
        if not known:
            return await _refuse(404, NOT_HERE)(scope, receive, send)
        return await self.app(scope, _replayed(body, receive), send)


def _check(path: str, body: bytes, blocks: Any) -> bool:
    """Whether there is anything to post to at this path; InputError when the body does not fit it."""
    name = path.removeprefix(API).rstrip("/") if path.startswith(API) else ""
    if call := CALL.fullmatch(name):
        endpoint = next((fn for fn in blocks.fns.values() if fn.api_name == call["name"]), None)
        if endpoint is None:
            return False
        if name.startswith("call/v2/"):
            _check_named(_json(body), endpoint)
        else:
            _check_number(checked(NamedCall, _json(body)).data, endpoint)
        return True
    match name:
        case "component_server":
            asked = checked(ServerCall, _json(body))
            served = getattr(
                getattr(blocks.blocks.get(asked.component_id), asked.fn_name, None), "_is_server_fn", False
            )
            if not served:
                raise InputError(
                    f"component_id and fn_name must name a function of the page, not {quoted(asked.fn_name)} of "
                    f"{quoted(asked.component_id)}."
                )
        case "queue/join":
            waiting = checked(QueueCall, _json(body))
            _check_number(waiting.data, _endpoint(waiting.fn_index, blocks.fns))
        case "cancel":
            _endpoint(checked(Cancel, _json(body)).fn_index, blocks.fns)
        case "reset":
            checked(Reset, _json(body))
        case _:
            return False
    return True


def _endpoint(number: int, fns: Mapping[int, Any]) -> Any:
    if number not in fns:
        raise InputError(f"fn_index must be the number of an endpoint, one of {list(fns)}, not {quoted(number)}.")
    return fns[number]


def _check_number(data: list[Any], endpoint: Any) -> None:
    """Gradio's clients fill in what was left out, so a list that comes here must be whole."""
    names = list(_parameters(endpoint))
    kept_here = sum(block.skip_api for block in endpoint.inputs)  # what a client by name does not send
    if len(data) not in (len(names), len(names) - kept_here):
        raise InputError(f"data must hold {len(names)} arguments ({', '.join(names) or 'none'}), not {len(data)}.")


def _parameters(endpoint: Any) -> dict[str, inspect.Parameter]:
    """What a client gives; what comes after it, such as the request itself, is Gradio's to fill in."""
    everything = inspect.signature(endpoint.fn).parameters
    return dict(list(everything.items())[: len(endpoint.inputs)])


def _check_named(data: Any, endpoint: Any) -> None:
    parameters = _parameters(endpoint)
    if not isinstance(data, dict):
        raise InputError(f"the request must be an object with named fields, not {quoted(data)}.")
    for name in data:
        if name not in parameters:
            raise InputError(f"{quoted(name)} is not a field of this request; there are {', '.join(parameters)}.")
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in data:
            raise InputError(f"{name} is missing: it must be given.")


def _is_address(path: str) -> bool:
    """Whether a path can name anything here: a file system would choke on longer names and on control characters."""
    return path.isprintable() and all(len(part) <= LONGEST_PART for part in path.split("/"))


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("the request must be JSON in UTF-8.") from error


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when it is too large."""
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
    """A `receive` that gives the body once more, and then what else comes."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


def _refuse(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"detail": sentence}, status)
