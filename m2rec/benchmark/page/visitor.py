"""One visitor: loads the page and clicks, over HTTP, as the page's own JavaScript does."""

import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

START = 40  # items of a visitor's own history at the beginning
LONGEST = 60  # items; a history of this length only loses items

VIEW = re.compile(r'<script type="application/json" id="m2-view">(.*?)</script>', re.S)

Outcome = Literal["answer", "busy", "error"]


@dataclass(frozen=True)
class Page:
    """A loaded page: its first view, and ids of some of the world's items."""

    first: dict[str, Any]
    items: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """One call: its outcome and how long the visitor waited."""

    outcome: Outcome
    seconds: float
    wrong_session: bool = False  # the answer was about another visitor's history
    trouble: str = ""


async def load_page(client: httpx.AsyncClient) -> Page:
    """Fetch the page that every visitor starts from. Raises httpx.HTTPError when the server does not give it."""
    document = (await client.get("/")).raise_for_status().text
    view = VIEW.search(document)
    if view is None:
        raise httpx.DecodingError("The document has no first view, so it is not this page.")
    first = json.loads(view[1])
    payload = {"world": first["session"]["state"]["world"], "query": ""}
    found = await _send(client, "search", payload)
    items = tuple(hit["item_id"] for hit in found.raise_for_status().json()["hits"])
    return Page(first, items)


@dataclass
class Visitor:
    """One visitor with a random history, seeded by `number`. Answers about another history are recorded as such."""

    client: httpx.AsyncClient
    page: Page
    number: int
    record: Callable[[Call], None]
    history: list[str] = field(default_factory=list)
    loaded: bool = False  # whether the page has been fetched

    def __post_init__(self) -> None:
        self.chance = random.Random(self.number)
        self.view = self.page.first

    async def arrive(self) -> None:
        """Load the page and replace its history by the visitor's own."""
        began = time.perf_counter()
        try:
            for path in ("/", "/m2rec-static/m2rec.css", "/m2rec-static/main.js"):
                (await self.client.get(path)).raise_for_status()
        except httpx.HTTPError as error:
            self.record(Call("error", time.perf_counter() - began, trouble=f"page: {error!r}"))
            return
        self.loaded = True
        await self._begin()

    async def click(self) -> None:
        """One random action: search, details, gate, remove, add."""
        if not self.history:  # the server was busy when this visitor arrived
            await (self._begin() if self.loaded else self.arrive())
            return
        what = self.chance.random()
        if what < 0.1:
            await self._call("search", {"world": self._world(), "query": self.chance.choice("abcdefgst")})
        elif what < 0.15:
            asked = {"session": self.view["session"], "what": "details", "text": self.view["ranking"][0]}
            await self._call("ask", asked)
        elif what < 0.25:
            action = {"type": "override", "branch": "frequency", "weight": round(self.chance.random(), 2)}
            await self._act({**action, "current": self.view["gates"]}, self.history)
        elif len(self.history) >= LONGEST or what < 0.35:
            at = self.chance.randrange(len(self.history))
            await self._act({"type": "remove", "at": at}, self.history[:at] + self.history[at + 1 :])
        else:
            added = self.chance.choice(self.view["ranking"])
            await self._act({"type": "add", "item_id": added}, [*self.history, added])

    async def _begin(self) -> None:
        mine = self.chance.choices(self.page.items, k=START)
        await self._act({"type": "replace", "item_ids": mine}, mine)

    def _world(self) -> str:
        return str(self.view["session"]["state"]["world"])

    async def _act(self, action: dict[str, Any], expected: list[str]) -> None:
        asked = {"session": self.view["session"], "action": action, "before": self.view["ranking"]}
        view = await self._call("act", asked, expected)
        if view is not None:
            self.view, self.history = view, expected

    async def _call(
        self, function: str, payload: dict[str, Any], expected: list[str] | None = None
    ) -> dict[str, Any] | None:
        """The reply, or None for a refusal, an error, or an answer about another history. Every call is recorded."""
        began = time.perf_counter()
        try:
            response = await _send(self.client, function, payload)
            reply = response.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            self.record(Call("error", time.perf_counter() - began, trouble=f"{function}: {error!r}"))
            return None
        seconds = time.perf_counter() - began
        if "retry-after" in response.headers:
            self.record(Call("busy", seconds))
            return None
        if "error" in reply:
            self.record(Call("error", seconds, trouble=f"{function}: {reply['error']}"))
            return None
        wrong_session = expected is not None and reply["session"]["state"]["history"] != expected
        self.record(Call("answer", seconds, wrong_session))
        return None if wrong_session else reply


async def _send(client: httpx.AsyncClient, function: str, payload: object) -> httpx.Response:
    return await client.post(f"/{function}", json=payload)
