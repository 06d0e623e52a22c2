import json

import pytest

from m2rec import paths
from m2rec.worlds.settings import known_worlds


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "checkpoints", lambda: tmp_path)
    return tmp_path


def test_every_shipped_world_is_listed(run, checkpoints):
    listed = run("worlds", "--json", "-").json
    assert {row["name"] for row in listed} >= set(known_worlds())
    assert all(row["trained_on"] is None for row in listed)
    assert "ml-1m" in run("worlds").out


def test_a_checkpoint_says_what_it_was_trained_on(run, checkpoints):
    (checkpoints / "ml-1m").mkdir()
    (checkpoints / "ml-1m" / "config.json").write_text(json.dumps({"trained_on": "a fast card"}))
    (checkpoints / "rhythm-market").mkdir()
    (checkpoints / "rhythm-market" / "config.json").write_text("{")
    found = {row["name"]: row["trained_on"] for row in run("worlds", "--json", "-").json}
    assert found["ml-1m"] == "a fast card"
    assert found["rhythm-market"] == "unreadable"


def test_a_users_broken_settings_file_does_not_hide_the_other_worlds(run, tmp_path, monkeypatch):
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path))
    (tmp_path / "worlds").mkdir()
    (tmp_path / "worlds" / "broken.toml").write_text("x = [")
    result = run("worlds", "--json", "-")
    assert result.code == 0
    rows = {row["name"]: row for row in result.json}
    assert "rhythm-market" in rows
    assert "is not a valid TOML file" in rows["broken"]["description"]
