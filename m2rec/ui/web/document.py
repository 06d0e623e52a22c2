"""The document at `/`: the whole page with its first answer, readable before any script has run.

`?world=` names the world that it opens with. Programs that show a preview of a link find its title, its description
and a picture in the head, with addresses of the host that they asked.
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
    """One document for each world, made on first use and cached, whatever the address of the request."""

    def __init__(self, service: Service) -> None:
        """Opens the default world, which loads its model. Raises CheckpointError when none can be loaded."""
        self._service = service
        self._first_views = {service.worlds.default.name: service.first()}
        self._default = service.worlds.default.name
        self._cached = lru_cache(maxsize=CACHED)(self._made)
        self._modules = sorted(
            path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js") if "plotly" not in path.name
        )

    def has(self, world: str | None) -> bool:
        """Whether the document of this world, or of the default for None, is in the cache."""
        return world is None or world in self._first_views

    def prepare(self, world: str) -> None:
        """Opens a world, so that its document is in the cache. Raises InputError or CheckpointError."""
        self._first_views[world] = self._service.first(world)

    def document(
        self, origin: str, world: str | None = None, notice: str | None = None, preview: str | None = None
    ) -> bytes:
        """The document of a world in the cache, in UTF-8.

        `origin` is the address of the page as visitors see it, with a slash at its end; `notice` is shown when the page
        is opened; `preview` is the address of a picture of the page.
        """
        return self._cached(origin, world or self._default, notice, preview)

    def _made(self, origin: str, world: str, notice: str | None, preview: str | None) -> bytes:
        first = self._first_views[world]
        view: dict[str, Any] = {name: part for name, part in first.items() if name != "html"}
        if notice:
            view["notice"] = notice
        body = Markup(page(first))  # made by a template, escaped already
        return render(
            "document.html.j2", modules=self._modules, origin=origin, preview=preview, body=body, view=view
        ).encode()
