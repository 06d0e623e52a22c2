"""The endpoints as tools of an MCP server, which Gradio starts if the package `mcp` is installed."""

import ast
from typing import Any

import pytest

from tests.own_loop import run_apart

pytest.importorskip("mcp", reason="needs mcp: see requirements-dev.txt")

from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


def in_session(address: str, use: Any) -> Any:
    """The result of `use(session)`, in a session of an MCP client with the page's server."""

    async def run() -> Any:
        async with (
            streamable_http_client(f"{address}gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await use(session)

    return run_apart(run())


def test_recommend_is_listed_with_its_parameters(address: str) -> None:
    listed = in_session(address, lambda session: session.list_tools())
    tools = {tool.name: tool for tool in listed.tools}
    assert {"recommend", "search", "worlds"} <= tools.keys()
    recommend = tools["recommend"]
    assert recommend.description.startswith("Recommend what comes next after a history")
    assert set(recommend.inputSchema["properties"]) >= {"world", "history", "k", "exclude_seen"}


def test_recommend_answers(address: str) -> None:
    arguments = {"world": "toy-shop", "history": ["Ground coffee", "Oat milk"], "k": 3}
    result = in_session(address, lambda session: session.call_tool("recommend", arguments))
    assert not result.isError
    answer = ast.literal_eval(result.content[0].text)  # Gradio writes it as Python does
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3]
    assert sum(answer["gates"].values()) == pytest.approx(1)


def test_a_refusal_has_its_sentence(address: str) -> None:
    arguments = {"world": "toy-shop", "history": ["Nope"]}
    result = in_session(address, lambda session: session.call_tool("recommend", arguments))
    assert result.isError
    assert "“Nope” is not in this world" in result.content[0].text
