import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from m2rec.errors import InputError
from m2rec.evaluation.report import Advantage, Figure, Measurement, MetricsFile, Removal, write_metrics
from m2rec.ui.panels.sections import section
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.session.dispatch import opening
from m2rec.ui.session.state import Session
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from tests.places import CHECKPOINTS, ROOT
from tests.ui.fake_recommender import FakeRecommender


@pytest.fixture
def on_disk(page_context: PageContext, tmp_path: Path) -> PageContext:
    """The page_context with a folder for its world: checkpoints/toy-shop beside assets/benchmarks."""
    folder = tmp_path / "checkpoints" / "toy-shop"
    folder.mkdir(parents=True)
    (tmp_path / "assets" / "benchmarks").mkdir(parents=True)
    return replace(page_context, world=World("toy-shop", FakeRecommender, folder))


def folder_of(page_context: PageContext) -> Path:
    assert page_context.world.folder is not None
    return page_context.world.folder


@pytest.mark.parametrize("name", ["lessons", "results", "test", "own", "about"])
def test_every_section_opens_and_escapes_titles(page_context: PageContext, name: str) -> None:
    html = section(page_context, name)
    assert html.startswith("\n<h2>") or "<h2>" in html
    assert "<b>Bold" not in html


def test_an_unknown_section_is_refused_with_the_known_ones(page_context: PageContext) -> None:
    with pytest.raises(InputError, match="there are lessons"):
        section(page_context, "secrets")


def test_a_lesson_whose_world_is_missing_cannot_be_opened_and_says_why(page_context: PageContext) -> None:
    html = section(page_context, "lessons")
    assert html.count("disabled") == 1
    assert "needs the world gift-shop" in html


def test_results_show_each_figure_with_its_interval_and_how_it_was_made(on_disk: PageContext) -> None:
    figures = {"HR@10": Figure(value=0.34, low=0.33, high=0.35), "NDCG@10": Figure(value=0.2)}
    one = Measurement(
        model="m2rec", protocol="leave-one-out", split="test", seen="masked", seeds=[1, 2, 3], targets=10,
        figures=figures, hardware="one CPU",
        date=date(2026, 1, 2), command="python -m m2rec evaluate toy-shop", revision="abc",
    )  # fmt: skip
    write_metrics(folder_of(on_disk), MetricsFile(world="toy-shop", measurements=[one]))
    html = section(on_disk, "results")
    for text in (
        ">0.3400 <",
        ">[0.3300, 0.3500]<",
        "0.2000",
        "3 seeds, one CPU, 2026-01-02",
        "python -m m2rec evaluate toy-shop",
    ):
        assert text in html


def test_results_without_measurements_say_how_to_make_them(on_disk: PageContext) -> None:
    assert "python -m m2rec evaluate toy-shop" in section(on_disk, "results")


def test_only_benchmarks_of_the_chosen_world_are_shown(on_disk: PageContext) -> None:
    rows = [
        {"model": "sasrec", "unmasked": {"HR@10": 0.3}, "masked": {"HR@10": {"mean": 0.31, "sd": 0.002}}, "seeds": 3}
    ]
    path = folder_of(on_disk).parent.parent / "assets" / "benchmarks" / "toy-shop.json"
    path.write_text(json.dumps({"rows": rows}))
    path.with_name("ml-1m.json").write_text(json.dumps({"rows": [{"model": "elsewhere", "unmasked": {"HR@10": 0.9}}]}))
    html = section(on_disk, "results")
    assert "elsewhere" not in html
    assert "0.3100 ± 0.0020" in html
    assert "the paper" not in html
    assert "same budget" not in html
    for damaged in ('{"rows": [1', "{}"):
        path.write_text(damaged)
        assert "toy-shop.json is not a readable benchmark file" in section(on_disk, "results")


def test_models_that_are_older_than_a_change_of_the_code_are_named(on_disk: PageContext) -> None:
    row = {"unmasked": {"HR@10": 0.3}, "seeds": 1}
    rows = [row | {"model": "sasrec"}, row | {"model": "gru<4>rec", "remark": "trained with <another> loss"}]
    path = folder_of(on_disk).parent.parent / "assets" / "benchmarks" / "toy-shop.json"
    path.write_text(json.dumps({"rows": rows}))
    html = section(on_disk, "results")
    assert "Trained before a change of the code: gru&lt;4&gt;rec. The table below says which." in html
    assert "gru&lt;4&gt;rec was trained with &lt;another&gt; loss." in html
    path.write_text(json.dumps({"rows": rows[:1]}))
    assert "Trained before" not in section(on_disk, "results")


def test_models_of_other_libraries_stand_beside_ours_with_their_command(on_disk: PageContext) -> None:
    figures = {"HR@10": {"value": 0.3, "low": 0.28, "high": 0.32}}
    peer = {"model": "Peer & Co", "seed": 0, "hardware": "cpu", "date": "2026-11-27", "command": "python peer.py"}
    peer |= {"epochs": 9, "best_epoch": 7, "targets": 100}
    path = folder_of(on_disk).parent.parent / "assets" / "benchmarks" / "peers" / "toy-shop.json"
    path.parent.mkdir()
    path.write_text(json.dumps([peer | {"unmasked": figures, "masked": figures}]))
    html = section(on_disk, "results")
    assert '<th scope="row">Peer &amp; Co</th>' in html
    assert "[0.2800, 0.3200]" in html
    assert "python peer.py" in html
    path.write_text(json.dumps([peer]))
    assert "peers/toy-shop.json is not a readable table of graded lists" in section(on_disk, "results")


def test_speed_and_load_are_not_shown_as_tables_of_models(on_disk: PageContext) -> None:
    for name in ("speed.json", "speed-million.json", "load.json"):
        (folder_of(on_disk).parent.parent / "assets" / "benchmarks" / name).write_text("{}")
    assert "not a readable benchmark file" not in section(on_disk, "results")


def test_a_model_card_is_shown_without_its_front_matter_raw_html_or_pictures(on_disk: PageContext) -> None:
    card = "---\nlicense: mit\n---\n# A card\n<script>alert(1)</script>\n![pixel](https://elsewhere/pixel.png)\n"
    (folder_of(on_disk) / "README.md").write_text(card)
    html = section(on_disk, "results")
    assert "<h4>A card</h4>" in html
    assert "license: mit" not in html
    assert "<script>" not in html
    assert "<img" not in html


SHIPPED = Worlds.find(CHECKPOINTS)


def results_of(name: str) -> str:
    world = SHIPPED.get(name)
    state = opening(world)
    return section(PageContext(SHIPPED, world, Session(state=state), ask(SHIPPED, state)), "results")


def recorded(name: str) -> tuple[dict, dict]:
    """The metrics of a shipped checkpoint, and the table of the models beside it, with peers and without ablations."""
    metrics = json.loads((CHECKPOINTS / name / "metrics.json").read_text())
    benchmarks = ROOT / "assets" / "benchmarks"
    table = json.loads((benchmarks / f"{name}.json").read_text())
    beside = [row for row in table["rows"] if row["model"] != "m2rec" and not row["ablates"]]
    peers = benchmarks / "peers" / f"{name}.json"
    for one in json.loads(peers.read_text()) if peers.is_file() else []:
        row = {"model": one["model"], "settings": {}}
        for seen in ("unmasked", "masked"):
            figure = one[seen]["HR@10"]
            row |= {seen: {"HR@10": figure["value"]}, f"{seen}_interval": {"HR@10": [figure["low"], figure["high"]]}}
        beside.append(row)
    return metrics, table | {"rows": beside}


def mean_over_seeds(name: str) -> dict | None:
    """The row of M2Rec in the table of a world, if it was trained with several seeds there."""
    table = json.loads((ROOT / "assets" / "benchmarks" / f"{name}.json").read_text())
    return next((row for row in table["rows"] if row["model"] == "m2rec" and len(row["seeds"]) > 1), None)


def label(row: dict) -> str:
    seeds = len(row.get("seeds", [0]))
    return row["model"] if seeds == 1 else f"{row['model']}, mean of {seeds} seeds"


def charts(html: str) -> dict[str, str]:
    """The charts of all models with their texts, by whether seen items are left in, in the page's order."""
    end = html.index("Cause by cause" if "Cause by cause" in html else "What each part is worth")
    pieces = html[:end].split('<div class="ranking" data-seen="')[1:]
    return {piece.partition('"')[0]: piece for piece in pieces}


def ours(metrics: dict, seen: str) -> dict:
    return next(one["figures"]["HR@10"] for one in metrics["measurements"] if one["seen"] == seen)


@pytest.mark.parametrize("seen", ["unmasked", "masked"])
@pytest.mark.parametrize("name", ["rhythm-market", "ml-1m", "gift-shop"])
def test_models_stand_on_one_scale_with_their_intervals_with_seen_items_left_in_and_taken_out(
    name: str, seen: str
) -> None:
    html = results_of(name)
    chart = charts(html)[seen]
    metrics, table = recorded(name)
    rows = [*table["rows"], *(row for row in [mean_over_seeds(name)] if row)]
    figures = {label(row): (row[seen]["HR@10"], row[f"{seen}_interval"]["HR@10"]) for row in rows}
    mine = ours(metrics, seen)
    figures["m2rec"] = (mine["value"], [mine["low"], mine["high"]])
    end = int(html.partition("the scale ends at ")[2].partition(" %")[0])
    drawn = dict(
        re.findall(r'<th scope="row">([^<]+)</th><td class="scale" aria-hidden="true"><i style="width:([\d.]+)%', chart)
    )
    drawn.pop("fair oracle: the ceiling", None)
    assert drawn.keys() == figures.keys()
    for model, (value, (low, high)) in figures.items():
        assert f"<td>{value:.4f} <" in chart
        assert f"[{low:.4f}, {high:.4f}]" in chart
        assert float(drawn[model]) == pytest.approx(100 * 100 * value / end, abs=0.01)
    assert max(high for _, (_, high) in figures.values()) <= end / 100


@pytest.mark.parametrize("name", ["rhythm-market", "ml-1m", "gift-shop"])
def test_the_first_chart_is_the_fair_one_and_the_words_say_which_flatters(name: str) -> None:
    html = results_of(name)
    _, table = recorded(name)
    unaware = [row["model"] for row in table["rows"] if not row["settings"].get("repeat_bias")]
    never_twice = table["targets"] == table["new_targets"]
    first, second = charts(html)
    assert first == ("masked" if never_twice and unaware else "unmasked")
    assert f'value="{first}" checked' in html
    assert f'value="{second}" >' in html
    assert ("flatters M2Rec" in html) == (never_twice and bool(unaware))
    if never_twice:
        assert all(model in charts(html)["unmasked"].partition("no such bias")[0] for model in unaware)
    else:
        assert f"the {table['new_targets']:,} of {table['targets']:,} choices" in charts(html)["masked"]
    for seen, chart in charts(html).items():
        best = max(table["rows"], key=lambda row: row[seen]["HR@10"])["model"]
        paired = {(one["against"], one["seen"]): one for one in table["comparisons"] if one["metric"] == "HR@10"}
        one = paired[best, seen]
        assert f"M2Rec is {abs(one['difference']):.4f} {'above' if one['difference'] > 0 else 'below'} {best}," in chart
        assert ("chance may explain it" in chart) == (one["low"] <= 0 <= one["high"])
        mean = mean_over_seeds(name)
        assert ("With the mean of its" in chart) == bool(mean)  # whose difference it is
        assert not mean or f"With the mean of its {len(mean['seeds'])} seeds, M2Rec is" in chart


def test_the_ceiling_the_causes_and_the_gates_of_the_market_stand_in_its_results() -> None:
    html = results_of("rhythm-market")
    metrics, _ = recorded("rhythm-market")
    grades = metrics["gates"]["grades"]
    assert f"{grades['oracle']['HR@10']:.4f}</td>" in charts(html)["unmasked"]
    assert "fair oracle" not in charts(html)["masked"]
    for hits in grades["hits"].values():
        assert f"<td>{hits['model']:.3f}</td><td>{hits['oracle']:.3f}</td>" in html
    for gate in grades["gates"]["gates"].values():
        assert f"<td>{gate['auc']:.3f}</td><td>{gate['oracle']:.3f}</td>" in html


@pytest.mark.parametrize("name", ["rhythm-market", "ml-1m", "gift-shop"])
def test_where_no_part_was_taken_away_the_results_say_so(name: str) -> None:
    benchmarks = ROOT / "assets" / "benchmarks"
    tables = [path for path in (benchmarks / f"{name}.json", benchmarks / f"{name}-ablations.json") if path.is_file()]
    measured = any(row.get("ablates") for path in tables for row in json.loads(path.read_text())["rows"])
    measured |= bool(recorded(name)[0].get("removals"))
    html = results_of(name)
    assert "What each part is worth" in html
    assert ("Not measured yet on this world" in html) != measured


def test_the_papers_table_is_shown_only_with_its_own_data() -> None:
    assert "0.3224" not in section(scene_of("toy-shop"), "results")
    assert "0.3224" in section(scene_of("ml-1m"), "results")


def scene_of(name: str) -> PageContext:
    worlds = Worlds({name: World(name, FakeRecommender)})
    state = opening(worlds.get(name))
    return PageContext(worlds, worlds.get(name), Session(state=state), ask(worlds, state))


def ablation_table() -> dict:
    """As `m2rec benchmark train toy-shop-ablations` records it."""

    def row(model: str, ablates: str, hits: float) -> dict:
        return {
            "model": model,
            "kind": "m2rec",
            "ablates": ablates,
            "unmasked": {"HR@10": hits, "NDCG@10": hits / 2},
            "unmasked_interval": {"HR@10": [hits - 0.01, hits + 0.01]},
            "training": {"epochs": 12},
            "seeds": [0],
            "hardware": ["one CPU"],
            "dates": ["2026-01-02"],
            "commands": [f"python -m m2rec benchmark train toy-shop-ablations --only {model} --seed 0"],
        }

    rows = [row("m2rec", "", 0.5), row("m2rec-no-gate", "the gate", 0.49), row("m2rec-no-text", "the <texts>", 0.4)]
    lost = {"model": "m2rec", "against": "m2rec-no-text", "seen": "unmasked", "metric": "HR@10"}
    return {"rows": rows, "comparisons": [lost | {"difference": 0.1, "low": 0.08, "high": 0.12, "p": 0.001}]}


def test_ablations_stand_beside_their_own_m2rec_and_say_what_is_lost(on_disk: PageContext) -> None:
    path = folder_of(on_disk).parent.parent / "assets" / "benchmarks" / "toy-shop-ablations.json"
    assert "What each part is worth" not in section(on_disk, "results")
    path.write_text(json.dumps(ablation_table()))
    html = section(on_disk, "results")
    assert "beside its own M2Rec at the same budget (12 epochs)" in html
    order = [html.index(words) for words in ("nothing: M2Rec itself", "the &lt;texts&gt;", "the gate<")]
    assert order == sorted(order)
    assert "0.4000 " in html
    assert "[0.3900, 0.4100]" in html
    assert "+0.1000 " in html
    assert "[+0.0800, +0.1200]" in html
    assert "one CPU, 2026-01-02, by <code>python -m m2rec benchmark train toy-shop-ablations" in html
    assert "How often the next choice" not in html  # these are no baselines
    table = ablation_table()
    table["rows"][1]["unmasked"]["HR@10"] = "high"
    for damaged in (json.dumps(table), "{}", '{"rows": [1'):
        path.write_text(damaged)
        assert "toy-shop-ablations.json is not a readable benchmark file" in section(on_disk, "results")


@pytest.mark.parametrize(
    ("low", "high", "said"), [(-0.03, -0.01, True), (-0.05, 0.01, False), (0.01, 0.03, False), (-0.006, -0.002, False)]
)
def test_a_part_that_costs_more_than_it_adds_is_named(
    on_disk: PageContext, low: float, high: float, said: bool
) -> None:
    path = folder_of(on_disk).parent.parent / "assets" / "benchmarks" / "toy-shop-ablations.json"
    table = ablation_table()
    table["comparisons"][0] |= {"difference": (low + high) / 2, "low": low, "high": high}
    path.write_text(json.dumps(table))
    html = section(on_disk, "results")
    higher = "Without the &lt;texts&gt;, HR@10 is 0.0200 higher after 12 epochs"
    assert (f"{higher}: in this world, this part costs more than it adds." in html) == said


def test_what_lacks_a_part_is_no_baseline_in_the_worlds_own_table_either(on_disk: PageContext) -> None:
    path = folder_of(on_disk).parent.parent / "assets" / "benchmarks" / "toy-shop.json"
    table = ablation_table()
    path.write_text(json.dumps(table | {"rows": table["rows"][1:]}))
    assert "the gate" not in section(on_disk, "results")


def test_branches_of_the_shipped_model_that_were_switched_off_are_shown(on_disk: PageContext) -> None:
    about = {
        "split": "test", "seen": "unmasked", "seeds": [0], "targets": 10, "hardware": "one CPU",
        "date": date(2026, 1, 2), "command": "python -m m2rec evaluate toy-shop", "revision": "abc",
    }  # fmt: skip
    whole = Measurement(model="m2rec", protocol="leave-one-out", figures={"HR@10": Figure(value=0.55)}, **about)
    removals = [
        Removal(
            branch=branch,
            figures={"HR@10": Figure(value=0.55 - adds, low=0.3, high=0.6)},
            adds={"HR@10": Advantage(value=adds, low=adds - 0.01, high=adds + 0.01, p=0.5)},
            **about | {"command": f"python -m m2rec evaluate toy-shop --without {branch}"},
        )
        for branch, adds in (("frequency", 0.002), ("semantic", 0.1))
    ]
    written = MetricsFile(world="toy-shop", measurements=[whole], removals=removals)
    write_metrics(folder_of(on_disk), written)
    html = section(on_disk, "results")
    worth = html[html.index("What each part is worth") :]
    assert "Not measured yet on this world" not in worth
    order = [
        worth.index(words) for words in ("0.5500", "the semantic branch", "0.4500", "the frequency branch", "0.5480")
    ]
    assert order == sorted(order)
    assert "[+0.0900, +0.1100]" in worth
    assert "one CPU, 2026-01-02, by <code>python -m m2rec evaluate toy-shop --without semantic</code>" in worth
    other = whole.model_copy(update={"figures": {"HR@10": Figure(value=0.6)}})
    write_metrics(folder_of(on_disk), written.model_copy(update={"measurements": [other]}))
    assert "the semantic branch" not in section(on_disk, "results"), "these were compared with another model"


def test_what_was_trained_as_long_as_the_shipped_model_stands_beside_it(on_disk: PageContext) -> None:
    one = Measurement(
        model="m2rec", protocol="leave-one-out", split="test", seen="unmasked", seeds=[0], targets=10,
        figures={"HR@10": Figure(value=0.55, low=0.5, high=0.6)}, hardware="one CPU",
        date=date(2026, 1, 2), command="python -m m2rec evaluate toy-shop", revision="abc",
    )  # fmt: skip
    write_metrics(folder_of(on_disk), MetricsFile(world="toy-shop", measurements=[one]))
    path = folder_of(on_disk).parent.parent / "assets" / "benchmarks" / "toy-shop.json"
    table = ablation_table()
    path.write_text(json.dumps(table | {"rows": table["rows"][1:]}))
    html = section(on_disk, "results")
    assert "beside the shipped M2Rec," in html
    assert "Not measured yet on this world" not in html
    worth = html[html.index("What each part is worth") :]
    assert "0.5500 " in worth
    assert "[+0.0800, +0.1200]" in worth
