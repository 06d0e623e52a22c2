"""`market export` and `market grade`, from the command line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from m2rec.benchmark.accuracy.result import Result
from m2rec.checkpoint import Checkpoint
from m2rec.commands.app import main
from m2rec.data.market.export import TRUTH, read_export
from m2rec.data.market.truth import read_truth
from m2rec.errors import DataError
from m2rec.evaluation.market_report import MarketReport, read_reports
from m2rec.evaluation.predictions import Targets, read_ranks
from m2rec.evaluation.protocol import Evaluation, evaluate
from m2rec.evaluation.ranked_lists import write_lists
from m2rec.evaluation.ranks import save_ranks
from m2rec.paths import checkpoints

SMALL = ["--customers", "30", "--days", "60"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("market")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("M2REC_CACHE", str(folder / "cache"))
        assert main(["market", "export", str(folder / "out"), *SMALL]) == 0
    return folder / "out"


@pytest.fixture
def lists(exported: Path, tmp_path: Path) -> Path:
    """For every target, the ten items that the training customers bought most often."""
    split = pd.read_csv(exported / "split.csv").set_index("user")
    log = pd.read_csv(exported / "interactions.csv")
    part = log["user"].map(split["part"])
    best = log.loc[part == "train", "item"].value_counts().index[:10]
    asked = log[(part == "test") & (log["position"] >= log["user"].map(split["first_target"]))]
    rows = asked[["user", "position"]].merge(pd.DataFrame({"rank": range(1, 11), "item": best}), how="cross")
    rows.to_csv(tmp_path / "lists.csv", index=False)
    return tmp_path / "lists.csv"


def test_popular_items_are_graded_far_below_the_ceiling(exported: Path, lists: Path, tmp_path: Path) -> None:
    report = tmp_path / "grades.json"
    assert main(["market", "grade", str(lists), "--market", str(exported), "--json", str(report)]) == 0
    groups = json.loads(report.read_text(encoding="utf-8"))["groups"]
    truth = pd.read_parquet(exported / "truth" / "targets.parquet")
    predicted = pd.read_csv(lists).merge(truth, on=["user", "position"], suffixes=("", "_bought"))
    by_hand = (predicted["item"] == predicted["item_bought"]).sum() / len(truth)
    assert groups["all"]["figures"]["HR@10"]["value"] == pytest.approx(by_hand)
    assert groups["all"]["oracle"]["HR@10"] == pytest.approx((truth["oracle_rank"] <= 10).mean())
    assert groups["all"]["share_of_ceiling"] < 0.5


def test_a_report_names_the_model_and_the_changes_of_its_market(exported: Path, lists: Path, tmp_path: Path) -> None:
    about, report = tmp_path / "about.json", tmp_path / "report.json"
    about.write_text('{"name": "best sellers", "epochs": 0}', encoding="utf-8")
    command = ["market", "grade", str(lists), "--market", str(exported), "--json", str(report)]
    assert main([*command, "--about", str(about)]) == 0
    found = MarketReport.model_validate_json(report.read_bytes())
    assert (found.name, found.about) == ("best sellers", {"epochs": 0})
    assert found.market == {"customers": 30, "shortest": 30, "longest": 60, "arrivals_from": 30}
    assert read_reports(tmp_path / "nothing") == []
    published = tmp_path / "published"
    published.mkdir()
    (published / "other-market.json").write_bytes(report.read_bytes())
    assert read_reports(published) == []  # models are not compared across markets
    shipped = found.model_copy(update={"market": {}})
    (published / "one.json").write_text(shipped.model_dump_json(), encoding="utf-8")
    assert read_reports(published) == [shipped]
    (published / "one.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match=r"one\.json is not a readable report"):
        read_reports(published)


def test_a_missing_file_is_refused_before_the_oracle_runs(
    lists: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("m2rec.data.market.generate.cached_market", lambda: pytest.fail("the market was made"))
    for command in ([str(tmp_path / "no.csv")], [str(lists), "--gates", str(tmp_path / "no.csv")]):
        assert main(["market", "grade", *command]) == 2
        assert "There is no file" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]"])
def test_the_description_of_a_model_must_be_an_object(
    exported: Path, lists: Path, tmp_path: Path, capsys, text: str
) -> None:
    (tmp_path / "about.json").write_text(text, encoding="utf-8")
    about = ["--about", str(tmp_path / "about.json")]
    assert main(["market", "grade", str(lists), "--market", str(exported), *about]) == 2
    assert "about.json" in capsys.readouterr().err


def test_the_ranks_of_a_benchmark_run_are_graded_like_lists(
    exported: Path, lists: Path, tmp_path: Path, capsys
) -> None:
    targets = Targets(read_truth(exported / TRUTH))
    ranks = read_ranks(lists, targets, set(pd.read_csv(exported / "items.csv")["item"]))
    figures = {"unmasked": {"HR@10": 0.0}}
    result = Result(
        model="best-sellers",
        world="rhythm-market",
        seed=0,
        key="k",
        kind="popularity",
        settings={},
        training={},
        treatment="none",
        parameters=0,
        targets=len(targets),
        validation=figures,
        test=figures,
        epochs=0,
        best_epoch=0,
        seconds=0,
        peak_memory_mib=0,
        hardware="cpu",
        date="2026-01-01",
        command="train",
        revision="none",
    )
    (tmp_path / "run.json").write_text(result.model_dump_json(), encoding="utf-8")
    positions = targets.truth["position"].to_numpy()
    found = Evaluation(targets.users + 7, positions, {"unmasked": ranks, "masked": ranks})
    save_ranks(tmp_path / "run.npz", found, "k")
    reports = []
    for predictions in (lists, tmp_path / "run.npz"):
        assert main(["market", "grade", str(predictions), "--market", str(exported), "--json", "-"]) == 0
        reports.append(MarketReport.model_validate_json(capsys.readouterr().out))
    assert reports[0].groups == reports[1].groups
    assert reports[1].name == "best-sellers"
    fewer = Evaluation(targets.users[:-1], positions[:-1], {"unmasked": ranks[:-1], "masked": ranks[:-1]})
    save_ranks(tmp_path / "run.npz", fewer, "k")
    assert main(["market", "grade", str(tmp_path / "run.npz"), "--market", str(exported)]) == 2
    assert "has other targets" in capsys.readouterr().err


def test_gates_are_graded_with_the_lists(exported: Path, lists: Path, tmp_path: Path, capsys) -> None:
    truth = pd.read_parquet(exported / "truth" / "targets.parquet")
    attributions = truth[["user", "position"]].assign(
        **{cause: truth[f"oracle_{cause}"] for cause in ("chain", "rhythm", "taste")}
    )
    attributions.to_parquet(tmp_path / "gates.parquet")
    command = ["market", "grade", str(lists), "--market", str(exported), "--gates", str(tmp_path / "gates.parquet")]
    assert main([*command, "--json", "-"]) == 0
    gates = json.loads(capsys.readouterr().out)["gates"]["gates"]
    assert all(gate["auc"] == gate["oracle"] for gate in gates.values())
    assert main(command) == 0
    assert "Attribution by cause" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["slip=2"], "slip must lie between 0 and 1"),
        (["slip"], "is not of the form name=number"),
        (["slips=0.1"], "'slips' is not a setting of the market"),
        (["slip=(1,2)"], "slip is 0.03; give a value of the same kind"),
        (["rhythm_counts=(1,1,0,0)"], "rhythm_counts must sum to 1"),
        (["rhythm_counts=0.5"], "rhythm_counts is"),
        (["shortest=10.5"], "shortest is a whole number"),
        (["catalogue_share=0"], "catalogue_share must be above 0"),
        (["miss=__import__('os')"], "is not of the form"),
    ],
)
def test_an_invalid_setting_is_refused(changes: list[str], sentence: str, tmp_path: Path, capsys) -> None:
    options = [part for change in changes for part in ("--set", change)]
    assert main(["market", "export", str(tmp_path / "out"), *SMALL, *options]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_gates_are_graded_in_a_market_without_rhythms(monkeypatch, tmp_path: Path, capsys) -> None:
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    market, lists, gates = tmp_path / "market", tmp_path / "lists.csv", tmp_path / "gates.csv"
    assert main(["market", "export", str(market), *SMALL, "--set", "rhythm_counts=(1,0,0,0)"]) == 0
    truth, items = read_truth(market / TRUTH), pd.read_csv(market / "items.csv")["item"].tolist()
    each = truth[["user", "position"]]
    pd.concat([each.assign(rank=place + 1, item=items[place]) for place in range(10)]).to_csv(lists, index=False)
    each.assign(chain=truth["oracle_chain"], rhythm=0.1, taste=0.2).to_csv(gates, index=False)
    capsys.readouterr()
    assert main(["market", "grade", str(lists), "--market", str(market), "--gates", str(gates), "--json", "-"]) == 0
    assert set(json.loads(capsys.readouterr().out)["gates"]["gates"]) == {"temporal", "semantic"}


def test_a_folder_with_other_files_is_refused_before_the_market_is_made(monkeypatch, tmp_path: Path, capsys) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    monkeypatch.setattr("m2rec.data.market.generate.generate", None)
    assert main(["market", "export", str(tmp_path), *SMALL]) == 2
    assert "it holds thesis.txt" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_market_without_chains_and_with_half_the_items(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    options = ["--set", "chain_strength=0", "--set", "catalogue_share=0.5"]
    assert main(["market", "export", str(tmp_path / "out"), *SMALL, *options]) == 0
    assert "chain" not in set(pd.read_parquet(tmp_path / "out" / "truth" / "targets.parquet")["cause"])
    assert 381 <= len(pd.read_csv(tmp_path / "out" / "items.csv")) < 761


@pytest.mark.parametrize("format", ["csv", "parquet", "recbole"])
def test_the_shipped_model_takes_the_test_and_finds_chains_and_rhythms(
    monkeypatch, tmp_path: Path, capsys, format: str
) -> None:
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    market, lists, gates = tmp_path / "market", tmp_path / "lists.parquet", tmp_path / "gates.parquet"
    assert main(["market", "export", str(market), "--customers", "40", "--days", "80", "--format", format]) == 0
    assert main(["market", "predict", str(market), str(lists), "--gates", str(gates), "--cpu"]) == 0
    capsys.readouterr()
    assert main(["market", "grade", str(lists), "--market", str(market), "--gates", str(gates), "--json", "-"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["groups"]["all"]["share_of_ceiling"] > 0.85
    assert report["groups"]["chain"]["figures"]["HR@10"]["value"] > 0.9
    assert report["gates"]["gates"]["temporal"]["auc"] > 0.85


def test_lists_of_a_checkpoint_agree_with_the_ranks_of_evaluation(monkeypatch, tmp_path: Path, exported: Path) -> None:
    checkpoint = Checkpoint.load(checkpoints() / "rhythm-market")
    model, ids = checkpoint.model(), [item.item_id for item in checkpoint.items]
    prepared = read_export(exported, ids, model.config.warm_items)
    ranks = evaluate(model, prepared, "test", model.config.max_length).ranks["unmasked"]
    write_lists(model, prepared, np.ones(len(ids), dtype=bool), tmp_path / "lists.parquet")
    read = read_ranks(tmp_path / "lists.parquet", Targets(read_truth(exported / TRUTH)), set(ids))
    assert np.array_equal(read <= 10, ranks <= 10)
    assert np.allclose(read[read <= 10], ranks[ranks <= 10])


def test_a_folder_that_is_not_a_market_is_refused(lists: Path, tmp_path: Path, capsys) -> None:
    assert main(["market", "grade", str(lists), "--market", str(tmp_path)]) == 2
    assert "export the market again" in capsys.readouterr().err
