"""Many visitors at once, each with different words: none sees those of another."""

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
from gradio_client import Client

from m2rec.benchmark.page.visitor import load_page
from tests.own_loop import run_apart

VISITORS = 12
CLICKS = 6
MARK = re.compile(r"secret-\d+-of")


def test_a_visitors_invented_items_are_never_in_anothers_answer(address: str) -> None:
    async def run() -> list[tuple[int, set[str]]]:
        async with httpx.AsyncClient(base_url=address, timeout=120) as client:
            page = await load_page(client)

            async def visit(number: int) -> set[str]:
                view, seen = page.first, set()
                for click in range(CLICKS):
                    action = {"type": "add", "item_id": f"~secret-{number}-of click {click}"}
                    payload = {"session": view["session"], "action": action, "before": view["ranking"]}
                    reply = await client.post("/act", json=payload)
                    view = reply.raise_for_status().json()
                    assert len(view["session"]["undo"]) == click + 1
                    seen |= set(MARK.findall(reply.text))
                return seen

            return list(enumerate(await asyncio.gather(*(visit(number) for number in range(VISITORS)))))

    assert run_apart(run()) == [(number, {f"secret-{number}-of"}) for number in range(VISITORS)]


def test_concurrent_programs_get_their_own_answers(address: str) -> None:
    # A client for each: threads that share one also share its stream, which may close before another's answer comes.
    clients = threading.local()

    def ask(number: int) -> list[str]:
        history = [f"i{number % 5}{place}" for place in range(number % 8)] + [f"~secret-{number}-of"]
        answer = clients.own.predict("toy-shop", history, api_name="/recommend")
        assert answer["history"] == history
        return MARK.findall(str(answer))

    def connect() -> None:
        clients.own = Client(address, verbose=False)

    with ThreadPoolExecutor(8, initializer=connect) as pool:
        assert list(pool.map(ask, range(40))) == [[f"secret-{number}-of"] for number in range(40)]


def test_every_visitor_loads_the_same_page(address: str) -> None:
    before = httpx.get(address).content
    test_a_visitors_invented_items_are_never_in_anothers_answer(address)
    assert httpx.get(address).content == before
