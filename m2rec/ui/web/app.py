"""The server: routes for the page, its calls, its files and the named endpoints, in Gradio's server mode.

`document`, `service` and `endpoints` make the responses.
"""

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from urllib.parse import urljoin

import gradio as gr
from fastapi import Request
from gradio.route_utils import get_root_url
from gradio.routes import ORJSONResponse
from starlette.middleware import Middleware
from starlette.responses import FileResponse, JSONResponse, Response

from m2rec import paths
from m2rec.errors import M2RecError
from m2rec.ui.lessons import lesson
from m2rec.ui.lessons.sheets import sheet
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.compression import StaticFolder, compressed_response
from m2rec.ui.web.document import STATIC, Documents
from m2rec.ui.web.endpoints import endpoints
from m2rec.ui.web.headers import SecurityHeaders, content_security_policy
from m2rec.ui.web.service import Service
from m2rec.ui.web.throttle import ASIDE, AT_ONCE, RETRY_AFTER, WAITING, BusyError, Throttle
from m2rec.ui.web.validation import PAGE_CALLS, RequestCheck, read_json

PICTURE = paths.pictures() / "page.png"  # for link previews; not part of an installed package
QUEUE_PAUSE = 0.01  # seconds between two looks at the queue of the endpoints' calls; Gradio's millisecond costs clicks
THIS_MACHINE = ("localhost", "127.0.0.1", "0.0.0.0")


def build(worlds: Worlds) -> gr.Server:
    """A server for these worlds, to be started by `start`. Raises CheckpointError when no world can be loaded."""
    service, throttle = Service(worlds), Throttle()
    named = endpoints(service, throttle)
    server = gr.Server(
        title="M2Rec",
        docs_url=None,  # these three pages would load scripts from other hosts; Gradio has its own API page
        redoc_url=None,
        openapi_url=None,
        middleware=[Middleware(SecurityHeaders), Middleware(RequestCheck, endpoints=named)],
    )
    _add_page(server, Documents(service), throttle)
    _add_sheets(server, worlds, throttle)
    _add_calls(server, service, throttle)
    for name, endpoint in named.items():
        # Gradio's queue does not limit concurrent calls, because the throttle does
        server.api(endpoint, name=name, concurrency_limit=None)
    return server


def start(server: gr.Server, **options: Any) -> tuple[gr.Blocks, str]:
    """Start the server in background threads, on port `GRADIO_SERVER_PORT` or the first free one from 7860.

    → the app, which has `block_thread()` and `close()`, and its address. `options` are those of `gradio.Server.launch`.
    """
    _bypass_proxy_for_this_machine()
    _, address, _ = server.launch(
        **{
            "prevent_thread_lock": True,
            "ssr_mode": False,
            "share": False,
            "enable_monitoring": False,
            "run_history": False,
            "strict_cors": True,
            "allowed_paths": [],
            "max_file_size": "1mb",
            "mcp_server": find_spec("mcp") is not None,  # installed by gradio[mcp]
            # threads for Gradio's queue: enough for all calls that the throttle lets wait, and for some that it refuses
            "max_threads": 2 * (AT_ONCE + ASIDE + WAITING),
            **options,
        }
    )
    blocks = server.get_blocks()
    blocks._queue.sleep_when_free = QUEUE_PAUSE
    return blocks, address


def _bypass_proxy_for_this_machine() -> None:
    """At the start Gradio sends a request to its own server, which must not go through a proxy."""
    for name in ("no_proxy", "NO_PROXY"):
        excepted = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join([*excepted, *(host for host in THIS_MACHINE if host not in excepted)])


def _add_page(server: gr.Server, documents: Documents, throttle: Throttle) -> None:
    files = StaticFolder(directory=STATIC)
    policy = {"Content-Security-Policy": content_security_policy(documents.document("").decode())}

    @server.api_route("/", methods=["GET", "HEAD"])
    async def page(request: Request, world: str | None = None) -> Response:
        root = get_root_url(request, route_path="/", root_path=server.root_path) + "/"
        world, notice = world or None, None
        if world and not documents.has(world):
            try:
                await throttle.run(documents.prepare, world)
            except M2RecError as error:
                world, notice = None, str(error)
        preview = urljoin(root, "preview.png") if PICTURE.is_file() else None
        content = documents.document(root, world, notice, preview)
        return compressed_response(request.scope, content, "text/html", shared=True, headers=policy)

    @server.get("/preview.png")
    async def preview() -> Response:
        return FileResponse(PICTURE) if PICTURE.is_file() else Response(status_code=404)

    # a route, because a mount would not find the files behind a proxy that strips the root path
    @server.api_route("/m2rec-static/{path:path}", methods=["GET", "HEAD"])
    async def static(path: str, request: Request) -> Response:
        return await files.get_response(path, request.scope)


def _add_sheets(server: gr.Server, worlds: Worlds, throttle: Throttle) -> None:
    """GET /sheets/<lesson>: the lesson's sheet for teachers, computed by the loaded models."""

    @server.get("/sheets/{lesson_id}")
    async def sheet_of(lesson_id: str, request: Request) -> Response:
        try:
            content = await throttle.run(lambda: sheet(worlds, lesson(lesson_id)).encode())
        except M2RecError as error:
            return JSONResponse({"error": str(error)}, 503 if isinstance(error, BusyError) else 404)
        return compressed_response(request.scope, content, "text/html")


def _add_calls(server: gr.Server, service: Service, throttle: Throttle) -> None:
    """POST /act, /open, /search and /ask, which the page's scripts call; see the methods of `Service`."""

    def add(name: str, method: Callable[[Any], dict[str, Any]]) -> None:
        def answered(request: Request, body: bytes) -> Response:
            return _json_response(request, method(read_json(body)))

        @server.post(f"/{name}")
        async def call(request: Request) -> Response:
            try:
                return await throttle.run(answered, request, await request.body())
            except M2RecError as error:
                response = _json_response(request, {"error": str(error)})
                if isinstance(error, BusyError):
                    response.headers["Retry-After"] = str(RETRY_AFTER)
                return response

    for name in PAGE_CALLS:
        add(name, getattr(service, name))


def _json_response(request: Request, content: dict[str, Any]) -> Response:
    return compressed_response(request.scope, bytes(ORJSONResponse(content).body), "application/json")
