import math
from collections.abc import Iterator

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from m2rec.benchmark.speed.race import Lap
from m2rec.benchmark.speed.shapes import Shape


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


def test_recommending_gives_the_contracts_fields(client: Client) -> None:
    answer = client.predict("toy-shop", ["Ground coffee", "Oat milk"], 3, False, None, None, api_name="/recommend")
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3]
    for item in answer["items"]:
        assert math.isclose(sum(item["contributions"].values()), item["probability"])
    assert math.isclose(sum(answer["gates"].values()), 1)
    assert len(answer["gate_history"]) == 2
    assert set(answer) >= {"items", "gates", "gate_history", "spectrum"}


def test_only_the_world_and_the_history_must_be_given(client: Client) -> None:
    assert len(client.predict("toy-shop", [], api_name="/recommend")["items"]) == 10


def test_the_gate_and_the_bands_can_be_set(client: Client) -> None:
    gate = {"temporal": 0, "frequency": 2, "semantic": 2}
    answer = client.predict("toy-shop", ["Oat milk"], 5, True, gate, [[2, 3]], api_name="/recommend")
    assert answer["gates"] == {"temporal": 0, "frequency": 0.5, "semantic": 0.5}
    assert "Oat milk" not in [item["title"] for item in answer["items"]]


def test_worlds_and_search(client: Client) -> None:
    worlds = {world["name"]: world["error"] for world in client.predict(api_name="/worlds")}
    assert worlds["toy-shop"] is None
    assert "lacks model.safetensors" in worlds["broken"]
    (hit,) = client.predict("toy-shop", "oat m", api_name="/search")
    assert hit == {"item_id": "i01", "title": "Oat milk", "group": "Coffee & tea"}


def test_a_race_uses_the_sizes_of_the_world(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    raced = []

    def laps(shape: Shape) -> Iterator[Lap]:
        raced.append(shape)
        yield Lap(50, {"m2rec": 1.0, "sasrec": 2.0, "mamba4rec": 3.0}, "a machine")

    monkeypatch.setattr("m2rec.ui.web.race.race", laps)
    shown = client.predict("toy-shop", api_name="/race")
    assert "<td>2.00</td>" in shown["html"]
    assert [(shape.world, shape.items) for shape in raced] == [("toy-shop", 40)]
    for world, sentence in (("nowhere", "There is no world called"), (3, "world must be a name")):
        with pytest.raises(AppError, match=sentence):
            client.predict(world, api_name="/race")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("toy-shop", ["Nope"]), "“Nope” is not in this world"),
        (("toy-shop", [], 51), "k must be a whole number from 1 to 50, not 51"),
        (("nowhere", []), "There is no world called “nowhere”; there are broken, toy-shop."),
        (("broken", []), "lacks model.safetensors"),
        (("toy-shop", "Oat milk"), "history must be a list"),
        ((3, []), "world must be a name"),
    ],
)
def test_a_refusal_has_its_sentence(client: Client, arguments: tuple[object, ...], sentence: str) -> None:
    with pytest.raises(AppError, match=sentence):
        client.predict(*arguments, api_name="/recommend")
