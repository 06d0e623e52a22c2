import shutil

import torch

from m2rec import paths


def test_every_kind_of_answer_is_timed_on_one_thread(run, shop):
    before = torch.get_num_threads()
    found = run("benchmark", "serve", shop.checkpoint, "--length", 8, "--repeats", 5, "--json", "-").json
    (found,) = found["worlds"].values()
    assert found["world"] == "corner-shop"
    assert (found["items"], found["length"], found["repeats"]) == (12, 8, 5)
    assert "1 thread" in found["hardware"]
    assert len(found["rows"]) == 4
    assert all(0 < row["median_ms"] <= row["p95_ms"] for row in found["rows"])
    assert torch.get_num_threads() == before


def test_without_a_world_every_checkpoint_is_timed(run, shop, monkeypatch, tmp_path):
    for name in ("one", "two"):
        shutil.copytree(shop.checkpoint, tmp_path / name)
    monkeypatch.setattr(paths, "checkpoints", lambda: tmp_path)
    result = run("benchmark", "serve", "--length", 8, "--repeats", 5)
    assert result.out.count("Answers of corner-shop, 8 items") == 2


def test_the_table_names_the_world_and_the_length(run, shop):
    out = run("benchmark", "serve", shop.checkpoint, "--length", 8, "--repeats", 5).out
    assert "corner-shop, 8 items" in out


def test_a_history_longer_than_the_world_reads_is_refused(run, shop):
    result = run("benchmark", "serve", shop.checkpoint, "--length", 11)
    assert result.code == 2
    assert "corner-shop reads at most 10 items" in result.err
