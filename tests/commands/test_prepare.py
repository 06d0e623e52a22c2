import pytest

from m2rec.commands.places import find_world
from m2rec.data.cache import prepared_folder
from m2rec.data.prepared import Prepared
from tests.commands.conftest import GOODS, write_tables


@pytest.fixture
def tables(tmp_path, monkeypatch, shop):
    """The shop's tables in another folder, with an empty cache."""
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    write_tables(tmp_path)
    return ["--interactions", tmp_path / "log.csv", "--items", tmp_path / "items.csv", "--min-count", 0]


def test_the_summary_is_that_of_what_was_saved(run, shop):
    result = run("prepare", shop.settings, "--json", "-")
    prepared = Prepared.load(prepared_folder("corner-shop"))
    assert result.code == 0
    assert result.json["fingerprint"] == prepared.fingerprint
    assert result.json["users"] == 24
    assert result.json["items"] == len(GOODS)
    assert result.json["test_targets"] == 24
    assert result.json["events"] == result.json["training_events"] + 48


def test_two_tables_become_a_world_that_is_known_by_its_name(run, tables, shop):
    result = run("prepare", "my-shop", *tables, "--json", "-")
    assert result.code == 0
    assert result.json["fingerprint"] == Prepared.load(prepared_folder("my-shop")).fingerprint
    again = run("prepare", "my-shop", "--json", "-")
    assert again.json["fingerprint"] == result.json["fingerprint"]
    listed = run("worlds", "--json", "-").json
    assert [row["prepared"] for row in listed if row["name"] == "my-shop"] == [True]


def test_the_chosen_split_and_filter_are_kept_with_the_name(run, tables, tmp_path):
    rows = [f"u{user},g{(user + step) % len(GOODS)},{step}" for user in range(20) for step in range(30)]
    (tmp_path / "log.csv").write_text("\n".join(["user,item,position", *rows]))
    run("prepare", "my-shop", *tables, "--split", "by-user")
    assert find_world("my-shop").data.split == "by-user"
    assert find_world("my-shop").data.min_count == 0


def test_a_table_with_errors_makes_no_world(run, tables, tmp_path):
    (tmp_path / "log.csv").write_text("user,thing\nu1,g1\n")
    result = run("prepare", "my-shop", *tables)
    assert result.code == 2
    assert "log.csv" in result.err
    assert result.err.count("\n") == 1
    assert run("prepare", "my-shop").code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["my-shop", "--items", "items.csv"], "needs --interactions; a shipped world takes no options for tables"),
        (["ml-1m", "--split", "by-user"], "a shipped world takes no options for tables"),
        (["ml-1m", "--interactions", "a.csv", "--items", "b.csv"], "'ml-1m' cannot name a world of your own"),
        (["../up", "--interactions", "a.csv", "--items", "b.csv"], "'../up' cannot name a world of your own"),
        (["my-shop", "--interactions", "no.csv", "--items", "no.csv"], "no.csv"),
        (["nowhere"], "There is no world 'nowhere'"),
    ],
)
def test_what_cannot_be_prepared_is_refused_in_one_line(run, arguments, message):
    result = run("prepare", *arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1
