"""The market's test: three commands that exist, and the recorded reports as a table."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from m2rec.commands.app import main
from m2rec.evaluation.market_report import FOLDER, MarketReport
from m2rec.evaluation.stress_table import FILE
from m2rec.paths import BENCHMARKS
from m2rec.ui.panels.market_test import market_test, takers
from m2rec.ui.render.context import PageContext
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from m2rec.world_names import MARKET
from tests.places import ROOT
from tests.ui.fake_recommender import FakeRecommender


def grades(value: float, **said: object) -> str:
    group = {
        "targets": 100,
        "figures": {"HR@10": {"value": value, "low": value - 0.1, "high": value + 0.1}, "NDCG@10": {"value": 0.2}},
        "oracle": {"HR@10": 0.7, "NDCG@10": 0.5},
        "share_of_ceiling": value / 0.7,
    }
    groups = dict.fromkeys(("all", "rhythm", "chain", "taste", "period 3", "period 7", "period 14"), group)
    return json.dumps({"groups": groups, "date": "2026-01-01", "command": "grade"} | said)


def gates(auc: float) -> dict[str, object]:
    one = {"auc": auc, "oracle": 0.99, "weight_with": 0.8, "weight_without": 0.1, "targets": 50}
    return {"gates": dict.fromkeys(("temporal", "frequency", "semantic"), one), "by_period": {}, "by_cycles": {}}


@pytest.fixture
def published(page_context: PageContext, tmp_path: Path) -> PageContext:
    """The market with two recorded reports, one of them with attributions."""
    folder = tmp_path / "checkpoints" / MARKET
    reports = tmp_path / BENCHMARKS / FOLDER
    folder.mkdir(parents=True)
    reports.mkdir(parents=True)
    (reports / "m2rec.json").write_text(grades(0.6, name="m2rec", gates=gates(0.876)))
    (reports / "one.json").write_text(grades(0.4, name="<i>another</i>"))
    return replace(page_context, worlds=Worlds({MARKET: World(MARKET, FakeRecommender, folder)}))


def test_its_commands_exist(page_context: PageContext, capsys) -> None:
    lines = re.findall(r"<pre[^>]*>(.*?)</pre>", market_test(page_context))
    assert len(lines) == 3
    for line in lines:
        words = shlex.split(line)
        assert words[:3] == ["python", "-m", "m2rec"]
        assert main([*words[3:5], "--help"]) == 0
        options = [word for word in words if word.startswith("--")]
        shown = capsys.readouterr().out
        assert all(option in shown for option in options)


def test_programs_are_shown_below_the_ceiling_with_their_attributions(published: PageContext) -> None:
    html = market_test(published)
    ceiling, ours, other = (html.index(name) for name in ("fair oracle: the ceiling", ">m2rec<", "another"))
    assert ceiling < ours < other
    assert "<i>another" not in html
    assert html.count("0.876") == 3
    assert html.count("0.990") == 3
    assert "Where M2Rec breaks" not in html  # no stress table is published here


def test_periods_are_averaged_by_their_numbers_of_purchases() -> None:
    report = MarketReport.model_validate_json(grades(0.4, name="one"))
    content = report.model_dump(mode="json")
    content["groups"]["period 3"] |= {"targets": 300, "figures": {"HR@10": {"value": 0.8}, "NDCG@10": {"value": 0.2}}}
    report = MarketReport.model_validate(content)
    assert report.rate_of_periods(2, 7) == pytest.approx((300 * 0.8 + 100 * 0.4) / 400)
    assert report.rate_of_periods(2, 7, oracle=True) == pytest.approx(0.7)
    assert report.rate_of_periods(15, 28) is None
    assert takers([report])[1].cells[2] == "–"


def test_without_recorded_files_the_commands_are_shown_and_damage_gives_a_note(
    page_context: PageContext, published: PageContext, tmp_path: Path
) -> None:
    assert "Who has taken it" not in market_test(page_context)
    (tmp_path / BENCHMARKS / FOLDER / "one.json").write_text("{}")
    html = market_test(published)
    assert "one.json is not a readable report" in html
    assert "market export" in html


def test_recorded_reports_are_shown(published: PageContext) -> None:
    shipped = World(MARKET, FakeRecommender, ROOT / "checkpoints" / MARKET)
    html = market_test(replace(published, worlds=Worlds({MARKET: shipped})))
    for path in (ROOT / BENCHMARKS / FOLDER).glob("*.json"):
        report = MarketReport.model_validate_json(path.read_bytes())
        assert f"{report.groups['all'].figures['HR@10'].value:.4f}" in html


def test_where_it_breaks_says_why_its_first_figure_is_not_the_one_above(published: PageContext, tmp_path: Path) -> None:
    row = {"name": "as trained", "groups": json.loads(grades(0.5))["groups"]}
    made = {"weights": "0", "hardware": "cpu", "date": "2026-01-01", "command": "stress", "revision": "1"}
    table = {"world": MARKET, "customers": 4000, "rows": [row], **made}
    (tmp_path / BENCHMARKS / FILE).write_text(json.dumps(table))
    assert "Each has its own 400 test customers" in market_test(published)
