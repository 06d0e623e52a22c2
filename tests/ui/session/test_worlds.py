from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from m2rec.checkpoint import Checkpoint
from m2rec.data.sources.person import Person
from m2rec.errors import CheckpointError, InputError
from m2rec.inference.engine import InferenceEngine
from m2rec.inference.semantic.themes import Themes
from m2rec.recommend.explain.themes import typical_items
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from tests.places import CHECKPOINTS
from tests.ui.fake_recommender import FakeRecommender, Item


def failing() -> FakeRecommender:
    raise CheckpointError("model.safetensors is cut short: fetch it again.")


def test_the_default_is_the_first_world_that_loads() -> None:
    worlds = Worlds({"rhythm-market": World("rhythm-market", failing), "toy": World("toy", FakeRecommender)})
    assert worlds.default.name == "toy"
    assert worlds.describe()[0] == {
        "name": "rhythm-market",
        "title": "Rhythm Market",
        "about": worlds.get("rhythm-market").about,
        "error": "model.safetensors is cut short: fetch it again.",
    }


def test_a_world_is_loaded_once_and_only_when_needed() -> None:
    loads = []
    worlds = Worlds({"toy": World("toy", lambda: loads.append(1) or FakeRecommender())})
    assert loads == []
    worlds.answer("toy", ("i00",))
    worlds.answer("toy", ("i01",))
    assert loads == [1]


def test_a_checkpoint_that_lacks_a_file_is_listed_with_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "config.json").write_text("{}")
    (tmp_path / "no-checkpoint").mkdir()
    worlds = Worlds.find(tmp_path)
    assert [world["name"] for world in worlds.describe()] == ["half"]
    assert "lacks model.safetensors, items.csv" in worlds.describe()[0]["error"]
    with pytest.raises(CheckpointError, match="No world can be loaded"):
        _ = worlds.default


def test_no_world_at_all_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="train one"):
        Worlds.find(tmp_path / "nowhere")


def test_an_unknown_world_names_those_there_are() -> None:
    with pytest.raises(InputError, match="there are toy"):
        Worlds({"toy": World("toy", FakeRecommender)}).get("shop")


class Untitled(FakeRecommender):
    """A world whose titles may not be shipped, on a machine that has none."""

    config = SimpleNamespace(data=SimpleNamespace(source="ml-1m"))
    items: ClassVar = [Item(str(number), f"Item {number}", "") for number in range(1, 9)]


def test_a_world_without_its_titles_says_how_to_get_them() -> None:
    assert World("toy", FakeRecommender).missing_titles is None
    missing = World("ml-1m", Untitled).missing_titles
    assert missing is not None
    assert "python -m m2rec data download ml-1m" in missing
    assert "M2REC_DATA" in missing


def test_listing_the_worlds_finds_out_which_are_broken() -> None:
    worlds = Worlds({"toy": World("toy", FakeRecommender), "cut": World("cut", failing)})
    assert [world["error"] for world in worlds.describe()] == ["model.safetensors is cut short: fetch it again.", None]


def test_a_theme_has_the_name_that_most_of_its_items_belong_to_and_keeps_its_items_where_none_do() -> None:
    market = World("rhythm-market", FakeRecommender)
    assert market.theme_name(["Oat milk", "Soya milk", "Steak and ale pie"]) == "plant-based"
    assert market.theme_name(["Oat milk", "Lemons", "Skyr"]) == "things like Oat milk, Lemons, Skyr"
    assert World("toy-shop", FakeRecommender).theme_name(["Oat milk"]) == "things like Oat milk"


def test_all_themes_of_the_shipped_market_have_names() -> None:
    market = World("rhythm-market", FakeRecommender)
    semantic = InferenceEngine.from_folder(CHECKPOINTS / "rhythm-market").branches["semantic"]
    titles = [item.title for item in Checkpoint.load(CHECKPOINTS / "rhythm-market").items]
    assert isinstance(semantic, Themes)
    typical = [[titles[item - 1] for item in items] for items in typical_items(semantic.emissions[1:])]
    assert len(typical) == 24
    assert [items for items in typical if market.theme_name(items).startswith("things like")] == []


def test_a_world_may_name_the_preset_that_it_opens_with() -> None:
    films = World("ml-1m", FakeRecommender)
    assert films.presets[0].key == "sampled"
    real = World("ml-1m", FakeRecommender, people=lambda world: (Person(("i00", "i01"), (3, 9)),))
    assert real.presets[0].key == "person"
    assert World("toy-shop", FakeRecommender).presets[0].key == "weekly"
