"""A small reverse proxy that serves an app under a sub-path, as nginx or Apache would."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

OF_ONE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "upgrade", "host")


@contextmanager
def proxied(upstream: str, prefix: str, strips: bool) -> Iterator[str]:
    """The address of `upstream` behind the proxy, with the path `prefix`, while the proxy runs."""

    async def forward(request: Request) -> Response:
        path = request.url.path
        if path == prefix:
            return RedirectResponse(f"{prefix}/")
        if not path.startswith(f"{prefix}/"):
            return PlainTextResponse("Another site.", 404)
        target = path.removeprefix(prefix) if strips else path
        headers = [(name, value) for name, value in request.headers.items() if name not in OF_ONE_CONNECTION]
        headers += [("x-forwarded-host", request.url.netloc), ("x-forwarded-proto", "http")]
        asked = client.build_request(
            request.method,
            httpx.URL(upstream.rstrip("/") + target, query=request.url.query.encode()),
            headers=headers,
            content=await request.body(),
        )
        answer = await client.send(asked, stream=True)
        kept = {name: value for name, value in answer.headers.items() if name not in OF_ONE_CONNECTION}
        return StreamingResponse(
            answer.aiter_raw(), answer.status_code, headers=kept, background=BackgroundTask(answer.aclose)
        )

    client = httpx.AsyncClient(timeout=60, trust_env=False)
    app = Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "HEAD", "POST", "OPTIONS"])])
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{prefix}/"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
