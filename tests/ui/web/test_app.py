"""How the server starts, and how it describes itself."""

import os

import httpx
import pytest

from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.app import build, start
from tests.ui.fake_recommender import FakeRecommender


def toy() -> Worlds:
    return Worlds({"toy": World("toy", FakeRecommender)})


@pytest.mark.parametrize("excepted", [None, "example.org", "localhost,127.0.0.1,0.0.0.0"])
def test_it_starts_on_a_machine_with_a_proxy(monkeypatch: pytest.MonkeyPatch, excepted: str | None) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # where nothing listens
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, excepted or "")
    running, url = start(build(toy()), quiet=True)
    try:
        assert httpx.get(url).status_code == 200
    finally:
        running.close(verbose=False)
    hosts = os.environ["NO_PROXY"].split(",")
    assert len(hosts) == len(set(hosts))
    assert not excepted or set(excepted.split(",")) <= set(hosts)


def test_gradio_describes_only_the_endpoints(address: str) -> None:
    described = httpx.get(f"{address}gradio_api/info").json()
    assert set(described["named_endpoints"]) == {"/recommend", "/search", "/worlds", "/race"}
    assert described["unnamed_endpoints"] == {}
    recommend = described["named_endpoints"]["/recommend"]
    assert recommend["description"].startswith("Recommend what comes next after a history")
    assert [parameter["parameter_name"] for parameter in recommend["parameters"]] == [
        "world",
        "history",
        "k",
        "exclude_seen",
        "gate_override",
        "band_mask",
    ]
    assert [parameter["parameter_default"] for parameter in recommend["parameters"][2:]] == [10, False, None, None]
