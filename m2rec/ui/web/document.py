"""The document at `/`: the whole page with its first answer, readable before any script has run.

`?world=` selects the world. For link previews, the head has title, description and picture, with absolute addresses on
the requested host.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from m2rec.ui.render.templating import render
from m2rec.ui.render.view import page
from m2rec.ui.web.service import Service

STATIC = Path(__file__).parents[1] / "static"
CACHED = 16  # documents of a tenth of a megabyte: a server has few addresses and worlds, but anybody may ask by another


class Documents:
    """The documents of all worlds. First views are cached: they are the same for every visitor."""

    def __init__(self, service: Service) -> None:
        """Load the default world. Raises CheckpointError when no world can be loaded."""
        self._service = service
        self._first_views = {service.worlds.default.name: service.first()}
        self._default = service.worlds.default.name
        self._cached = lru_cache(maxsize=CACHED)(self._made)
        self._modules = sorted(
            path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js") if "plotly" not in path.name
        )

    def has(self, world: str | None) -> bool:
        """Whether this world's first view is cached; None is the default world."""
        return world is None or world in self._first_views

    def prepare(self, world: str) -> None:
        """Load a world and cache its first view. Raises InputError if it is unknown, CheckpointError if damaged."""
        self._first_views[world] = self._service.first(world)

    def document(
        self, origin: str, world: str | None = None, notice: str | None = None, preview: str | None = None
    ) -> bytes:
        """The document of a cached world, in UTF-8.

        `origin` is the page's address for visitors, with a slash at the end; `notice` is shown when the page opens;
        `preview` is the address of a picture of the page.
        """
        return self._cached(origin, world or self._default, notice, preview)

    def _made(self, origin: str, world: str, notice: str | None, preview: str | None) -> bytes:
        first = self._first_views[world]
        view: dict[str, Any] = {name: part for name, part in first.items() if name != "html"}
        if notice:
            view["notice"] = notice
        body = Markup(page(first))  # already escaped by its template
        return render(
            "document.html.j2", modules=self._modules, origin=origin, preview=preview, body=body, view=view
        ).encode()
