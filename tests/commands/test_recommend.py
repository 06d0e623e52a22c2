import gzip
import io
import shutil

import pytest

from m2rec import Recommender
from m2rec.recommend.answer import Answer

HISTORY = ["Tea", "g1", "rice"]


def test_the_json_is_the_recommenders_answer(run, shop):
    result = run("recommend", shop.checkpoint, *HISTORY, "-k", 4, "--json", "-")
    assert result.code == 0
    expected = Recommender.from_pretrained(shop.checkpoint).recommend(HISTORY, k=4)
    assert Answer.model_validate(result.json) == expected


def test_the_table_shows_titles_shares_and_gate(run, shop):
    best = Recommender.from_pretrained(shop.checkpoint).recommend(HISTORY, k=1).items[0]
    out = run("recommend", shop.checkpoint, *HISTORY, "-k", 1).out
    assert best.title in out
    assert f"{best.probability:.2%}" in out
    assert f"{best.contributions['frequency']:.2%}" in out
    assert "Gate now: temporal" in out


def test_seen_items_can_be_left_out(run, shop):
    found = run("recommend", shop.checkpoint, *HISTORY, "-k", 12, "--exclude-seen", "--json", "-").json["items"]
    assert len(found) == 9
    assert not {"Tea", "Milk", "Rice"} & {row["title"] for row in found}


def test_a_history_can_come_from_a_file_or_from_input(run, shop, tmp_path, monkeypatch):
    (tmp_path / "history.txt").write_text("Tea\n\n g1 \nrice\n")
    direct = run("recommend", shop.checkpoint, *HISTORY, "--json", "-").json
    assert run("recommend", shop.checkpoint, "--history", tmp_path / "history.txt", "--json", "-").json == direct
    monkeypatch.setattr("sys.stdin", io.StringIO("Tea\ng1\nrice\n"))
    assert run("recommend", shop.checkpoint, "--history", "-", "--json", "-").json == direct


def test_a_history_can_be_a_table_with_dates_and_packed(run, shop, tmp_path):
    direct = run("recommend", shop.checkpoint, *HISTORY, "--json", "-").json
    table = "Title;Date\nRice;21.06.25\ng1;20.06.25\nTea;19.06.25\n"
    (tmp_path / "history.csv").write_bytes(gzip.compress(table.encode()))
    result = run("recommend", shop.checkpoint, "--history", tmp_path / "history.csv", "--json", "-")
    assert result.json == direct
    assert "newest first" in result.err


def test_a_mistyped_folder_suggests_the_nearest(run, shop, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(shop.checkpoint, "checkpoints/corner-shop")
    result = run("recommend", "checkpoints/corner-shp", "Tea")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "did you mean checkpoints/corner-shop?" in result.err


def test_a_truncated_history_is_noted_and_the_json_stays_valid(run, shop):
    result = run("recommend", shop.checkpoint, *HISTORY * 5, "--json", "-")
    assert len(result.json["history"]) == 10
    assert "newest 10 of 15" in " ".join(result.err.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Tee"], "did you mean “Tea”"),
        (["Tea", "-k", "51"], "1 to 50"),
        (["Tea", "--history", "list.txt"], "not both"),
        (["--history", "missing.txt"], "missing.txt cannot be read"),
    ],
)
def test_bad_requests_are_one_line(run, shop, arguments, message):
    result = run("recommend", shop.checkpoint, *arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1


def test_a_word_with_one_slash_is_looked_up_on_the_hub_only_when_it_is_no_folder(run, shop, monkeypatch, tmp_path):
    asked = []

    def fetch(model, **_):
        asked.append(model)
        return str(shop.checkpoint)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    assert run("recommend", "somebody/m2rec-shop", "Tea").code == 0
    assert asked == ["somebody/m2rec-shop"]
    monkeypatch.chdir(tmp_path)
    shutil.copytree(shop.checkpoint, "folder/checkpoint")
    assert run("recommend", "folder/checkpoint", "Tea").code == 0
    assert run("recommend", "./missing", "Tea").code == 2
    assert len(asked) == 1
