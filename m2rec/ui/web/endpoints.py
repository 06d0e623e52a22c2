"""The named endpoints for programs, with JSON arguments and results. Errors are Gradio errors with one sentence."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import gradio as gr

from m2rec.errors import M2RecError
from m2rec.recommend.validation import checked
from m2rec.ui.session.requests import Raced, Search
from m2rec.ui.web.race import Races
from m2rec.ui.web.service import Service
from m2rec.ui.web.throttle import Throttle

Endpoint = Callable[..., Any]


def endpoints(service: Service, throttle: Throttle) -> dict[str, Endpoint]:
    """The endpoints by name. Gradio publishes their signatures and docstrings as the API description."""
    races = Races()

    async def recommend(
        world: str,
        history: list[str],
        k: int = 10,
        exclude_seen: bool = False,
        gate_override: dict[str, float] | None = None,
        band_mask: list[list[float]] | None = None,
    ) -> dict[str, Any]:
        """Recommend what comes next after a history, and explain why: evidence by kind, gate weights, spectrum.

        Args:
            world: name of a world, as `worlds` lists them
            history: titles or item ids, oldest first; "~" and a few words describe an item that is not in the world
            k: how many items to recommend, 1 to 50
            exclude_seen: leave out items of the history
            gate_override: weights of temporal, frequency and semantic evidence that replace the gate's
            band_mask: pairs of periods in interactions; recurrences with a period in between are ignored
        """
        question = {"world": world, "history": history, "k": k, "exclude_seen": exclude_seen}
        return await _answer(
            throttle.run(service.recommend, **question, gate_override=gate_override, band_mask=band_mask)
        )

    async def search(world: str, query: str) -> list[dict[str, str]]:
        """Find up to fifty items whose titles match, best first.

        Args:
            world: name of a world, as `worlds` lists them
            query: part of a title, up to 200 characters; an empty one gives the most popular items
        """
        return await _answer(throttle.run(lambda: service.hits(checked(Search, {"world": world, "query": query}))))

    async def worlds() -> list[dict[str, Any]]:
        """List the worlds with name, title and description, and the reason if one cannot be loaded."""
        return await _answer(throttle.run(service.worlds.describe))

    def race(world: str) -> Iterator[dict[str, Any]]:
        """Time M2Rec, SASRec and Mamba4Rec on histories of growing length. Each length is sent as soon as it is timed.

        Args:
            world: name of a world, as `worlds` lists them, whose network and catalogue give the sizes
        """
        try:
            yield from races.run(service.shape(checked(Raced, {"world": world})))
        except M2RecError as error:
            raise _refusal(error) from error

    return {"recommend": recommend, "search": search, "worlds": worlds, "race": race}


async def _answer(result: Awaitable[Any]) -> Any:
    try:
        return await result
    except M2RecError as error:
        raise _refusal(error) from error


def _refusal(error: M2RecError) -> gr.Error:
    return gr.Error(str(error), print_exception=False)
