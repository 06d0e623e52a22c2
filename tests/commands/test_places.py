import sys
from pathlib import Path

import pytest

from m2rec import paths
from m2rec.commands.places import find_checkpoint, find_world, in_cache, own_settings, own_worlds, this_command
from m2rec.errors import CheckpointError, DataError


def test_a_recorded_command_names_none_of_this_machines_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    given = [
        "train",
        "films",
        "--set",
        "training.epochs=3",
        "--start-from",
        f"{tmp_path}/cache/runs/films/a.safetensors",
    ]
    given += [f"--out={tmp_path}/mine", "--json", "/elsewhere/deep/figures.json"]
    monkeypatch.setattr(sys, "argv", ["m2rec", *given])
    expected = (
        "train films --set training.epochs=3 --start-from runs/films/a.safetensors --out=mine --json figures.json"
    )
    assert this_command() == f"python -m m2rec {expected}"
    monkeypatch.setattr(sys, "argv", ["m2rec", *given, "--finish"])
    assert this_command(leave_out=["--finish"]) == f"python -m m2rec {expected}"


def test_what_a_recorded_command_names_is_found_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    assert in_cache(tmp_path) == tmp_path
    assert in_cache(Path("runs/films/a.safetensors")) == tmp_path / "cache" / "runs" / "films" / "a.safetensors"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(paths, "checkpoints", lambda: tmp_path / "checkpoints")
    for name in ("a-shop", "ml-1m", "rhythm-market"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
        (tmp_path / "checkpoints" / name / "config.json").write_text("{}")
    (tmp_path / "checkpoints" / "empty").mkdir()
    return tmp_path


def test_the_default_is_the_embedded_world(folder):
    assert find_checkpoint(None).name == "rhythm-market"
    (folder / "checkpoints" / "rhythm-market" / "config.json").unlink()
    assert find_checkpoint(None).name == "a-shop"


def test_a_world_names_its_checkpoint_and_a_folder_itself(folder):
    assert find_checkpoint("ml-1m") == folder / "checkpoints" / "ml-1m"
    assert find_checkpoint(str(folder / "checkpoints" / "a-shop")) == folder / "checkpoints" / "a-shop"


def test_an_unknown_checkpoint_is_refused_with_the_existing_ones(folder):
    with pytest.raises(CheckpointError, match=r"no checkpoint 'ml-2m'.*rhythm-market, a-shop, ml-1m"):
        find_checkpoint("ml-2m")


def test_a_world_without_a_checkpoint_is_to_be_trained(folder):
    with pytest.raises(CheckpointError, match="train one: `python -m m2rec prepare gift-shop-by-time`, then `python"):
        find_checkpoint("gift-shop-by-time")


def test_without_any_checkpoint_the_error_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "checkpoints", lambda: tmp_path)
    with pytest.raises(CheckpointError, match="m2rec train rhythm-market"):
        find_checkpoint(None)


def test_a_world_made_from_tables_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    own_settings("corner").parent.mkdir(parents=True)
    own_settings("corner").write_text('[data]\nsource = "ml-100k"\n')
    own_settings("ml-1m").write_text('[data]\nsource = "ml-100k"\n')
    assert own_worlds() == ["corner", "ml-1m"]
    assert find_world("corner").data.source == "ml-100k"
    assert find_world("ml-1m").data.source == "ml-1m", "a shipped world cannot be replaced from the cache"


def test_an_unknown_world_is_refused():
    with pytest.raises(DataError, match="There is no world 'nowhere'"):
        find_world("nowhere")
