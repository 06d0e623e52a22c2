import importlib
import shutil

import pytest

from m2rec import paths
from m2rec.benchmark.speed import measure, shapes
from m2rec.benchmark.speed.measure import Workload

TINY = Workload(
    lengths=(4, 7),
    live_lengths=(4,),
    batch_lengths=(5,),
    threads=(1,),
    rounds=1,
    burst=1,
    training_steps=0,
)


@pytest.fixture(autouse=True)
def small(shop, monkeypatch, tmp_path):
    """The corner shop is the only checkpoint, and there are few films."""
    shutil.copytree(shop.checkpoint, tmp_path / "checkpoints" / "corner-shop")
    monkeypatch.setattr(paths, "checkpoints", lambda: tmp_path / "checkpoints")
    monkeypatch.setattr(shapes, "FILM_COUNT", 20)
    for name in ("ANSWERS", "QUICK_ANSWERS"):
        monkeypatch.setattr(importlib.import_module("m2rec.commands.benchmark.speed"), name, 5)


def test_the_figures_have_the_ratios_of_every_world_and_the_hardware(run, monkeypatch):
    assert {200, 1000, 4000} <= set(measure.THOROUGH.lengths)
    assert {200, 1000, 4000} <= set(measure.QUICK.lengths)
    monkeypatch.setattr(measure, "THOROUGH", TINY)
    found = run("benchmark", "speed", "--json", "-").json
    assert set(found["ratio_to_sasrec"]) == {"4", "7"}
    assert found["weights"] == "random"
    assert found["threads"] == [1]
    assert {"hardware", "torch", "date", "command", "revision", "growth", "rows", "peaks"} <= set(found)
    assert set(found["worlds"]) == {"ml-1m", "corner-shop"}
    for world in found["worlds"].values():
        assert set(world["ratio_to_sasrec"]) == {"4", "7"}
        assert set(world["ratio_of_one_more"]) == {"4"}
    films, shop = found["worlds"]["ml-1m"], found["worlds"]["corner-shop"]
    assert films["ratio_to_sasrec"] == found["ratio_to_sasrec"]
    assert {row["model"] for row in shop["rows"]} == {"m2rec", "sasrec", "sasrec, without cache"}
    assert shop["recommend"]["length"] == 10  # the longest history that the shop reads


def test_quick_figures_are_shown_in_tables(run, monkeypatch):
    monkeypatch.setattr(measure, "QUICK", TINY)
    result = run("benchmark", "speed", "--quick")
    assert result.code == 0
    for heading in ("One answer", "Growth with the history", "on one thread: ml-1m", "on one thread: corner-shop"):
        assert heading in result.out
    assert "Answers of corner-shop, 10 items, 1 CPU thread" in result.out
    assert "mamba4rec, 2 layers" in result.out
    assert "ml-1m: one added item after 4" in result.err


def test_a_large_catalogue_is_timed_for_the_network_of_every_world(run):
    found = run("benchmark", "speed", "--items", 2000, "--quick", "--json", "-").json
    assert found["catalogue"] == 2000
    assert set(found["worlds"]) == {"ml-1m", "corner-shop"}
    assert all(one["items"] == 2000 and one["median_ms"] > 0 for one in found["worlds"].values())
