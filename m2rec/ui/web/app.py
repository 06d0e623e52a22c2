"""Binds the page and the endpoints to Gradio. Nothing is decided here: see `service`, `view` and `endpoints`."""

from collections.abc import Callable
from functools import wraps
from importlib.resources import files
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.routes import ORJSONResponse
from starlette.middleware import Middleware
from starlette.routing import Mount

from m2rec.ui.render.view import page
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.compression import Packing, Shelf
from m2rec.ui.web.document import Document, head
from m2rec.ui.web.endpoints import add_endpoints
from m2rec.ui.web.headers import Guard
from m2rec.ui.web.service import Service
from m2rec.ui.web.throttle import Room
from m2rec.ui.web.validation import Door

WORKERS = 8  # threads: answers are short and one interpreter computes them, so more would only wait and hold memory
WAITING = 64  # calls of the named endpoints, before Gradio's queue says that it is full
SESSIONS = 200  # of Gradio's own, which hold nothing here: the page carries its state itself

STATIC = Path(str(files("m2rec.ui") / "static"))

CONNECT = """
import(new URL("m2rec-static/main.js", document.baseURI)).then(({ connect }) => connect(server));
"""


def build(worlds: Worlds) -> gr.Blocks:
    """The page and the endpoints over these worlds. Start it with `launch(**launch_options())`."""
    service = Service(worlds)
    with gr.Blocks(title="M2Rec", analytics_enabled=False) as blocks:
        blocks.space_id = None  # else a Space lays the hub's badge over the page, which asks other hosts for fonts
        gr.HTML(  # nothing to be seen: the page itself is in the document
            value={name: part for name, part in service.first().items() if name != "html"},
            html_template="<!-- -->",
            js_on_load=CONNECT,
            apply_default_css=False,
            elem_id="m2rec",
            server_functions=_callable(service.act, service.open, service.search, service.ask),
        )
        add_endpoints(service)
    return blocks.queue(default_concurrency_limit=2, max_size=WAITING, api_open=False)


def launch_options(worlds: Worlds, **overrides: Any) -> dict[str, Any]:
    """Arguments of `launch` over the same worlds: files from this machine only, nothing readable but the page's own."""
    document = Middleware(Document, head=head(STATIC), body=page(Service(worlds).first()))
    routes = [Mount("/m2rec-static", Shelf(directory=STATIC))]
    options: dict[str, Any] = {
        "theme": gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        "footer_links": [],
        "run_history": False,
        "ssr_mode": False,
        "pwa": False,
        "share": False,
        "enable_monitoring": False,
        "allowed_paths": [],
        "max_file_size": "1mb",
        "strict_cors": True,
        "max_threads": WORKERS,
        "state_session_capacity": SESSIONS,
        "app_kwargs": {
            "routes": routes,
            "middleware": [Middleware(Guard), Middleware(Room), Middleware(Packing), Middleware(Door), document],
        },
    }
    return {**options, **overrides}


def _callable(*methods: Callable[[Any], Any]) -> list[Callable[[Any], Any]]:
    """The methods as plain functions of the same names: Gradio marks what the page may call, and only these can be.

    What they return is made into JSON here, in a worker's thread. Left to FastAPI it would be walked through value by
    value between other people's requests, which takes a tenth of an answer's time.
    """

    def plain(method: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @wraps(method)
        def call(payload: Any) -> ORJSONResponse:
            return ORJSONResponse(method(payload))

        return call

    return [plain(method) for method in methods]
