"""The named endpoints for programs: JSON in, JSON out. A refusal is a Gradio error whose message is the sentence."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import gradio as gr
from gradio.events import api as gradio_api

from m2rec.errors import M2RecError
from m2rec.recommend.validation import checked
from m2rec.ui.session.requests import Question, Search
from m2rec.ui.web.service import Service


def _refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turns an error meant for a person into the one Gradio sends to a client."""

    @wraps(function)
    def told(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except M2RecError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return told


def _refusing_midway(function: Callable[[], Iterator[Any]]) -> Callable[[], Iterator[Any]]:
    """The same for what comes piece by piece."""

    @wraps(function)
    def told() -> Iterator[Any]:
        try:
            yield from function()
        except M2RecError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return told


def add_endpoints(service: Service) -> None:
    """Registers /recommend, /worlds, /search and /race; call it inside a Blocks context."""

    @_refusing
    def recommend(
        world: str,
        history: list[str],
        k: int = 10,
        exclude_seen: bool = False,
        gate_override: dict[str, float] | None = None,
        band_mask: list[list[float]] | None = None,
    ) -> dict[str, Any]:
        """What comes next after a history of titles or item ids (oldest first), and why."""
        given = {"world": world, "history": history, "k": k, "exclude_seen": exclude_seen}
        asked = checked(Question, given | {"gate_override": gate_override, "band_mask": band_mask})
        options = asked.model_dump(exclude={"world", "history"})
        with service.worlds.turn(asked.world) as recommender:
            answer = recommender.recommend(asked.history, **options)
        return answer.model_dump(mode="json")

    @_refusing
    def search(world: str, query: str) -> list[dict[str, str]]:
        """Up to fifty items whose titles match the query, best first."""
        return service.hits(checked(Search, {"world": world, "query": query}))

    @_refusing
    def worlds() -> list[dict[str, Any]]:
        """The worlds on offer; one that cannot be loaded says why."""
        return service.worlds.describe()

    @_refusing_midway
    def race() -> Iterator[dict[str, Any]]:
        """M2Rec, SASRec and Mamba4Rec answer longer and longer histories; each lap as soon as it is timed."""
        return service.course.run()

    gradio_api(recommend, api_name="recommend", concurrency_id="model")
    gradio_api(search, api_name="search", concurrency_id="model")
    gradio_api(worlds, api_name="worlds", concurrency_id="model")
    # one race at a time is the course's own rule: whoever comes second hears so at once instead of waiting unawares
    gradio_api(race, api_name="race", concurrency_id="race", concurrency_limit=8)
