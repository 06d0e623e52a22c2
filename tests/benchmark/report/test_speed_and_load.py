"""The tables of speed and load show what was measured, and nothing if nothing was measured."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from m2rec.benchmark.page.crowd import Phase
from m2rec.benchmark.page.host import Memory
from m2rec.benchmark.page.latency import LatencyResult
from m2rec.benchmark.page.load import Load, Plan
from m2rec.benchmark.report.speed_and_load import COMMANDS, LOAD, MILLION, PAGE, SPEED, SPEED_ON_GPU, speed_and_load
from m2rec.benchmark.speed.gpu import GpuSpeed, LeftOut
from m2rec.benchmark.speed.large_catalogue import LargeCatalogue
from m2rec.benchmark.speed.measure import Speed
from m2rec.benchmark.speed.training import TrainingSpeed
from m2rec.benchmark.speed.turns import Peak, Row
from m2rec.errors import DataError

ABOUT = {"date": "2026-11-24", "command": "python -m m2rec benchmark", "revision": "abc"}


def row(what: str, model: str, length: int, busy: float, batch: int = 1, threads: int = 1) -> Row:
    return Row(what, model, "cpu", threads, length, batch, 25, 2 * busy, 3 * busy, busy if threads == 1 else None)


def write_speed(folder: Path) -> None:
    rows = [
        row("answer", "m2rec", 50, 1.0),
        row("answer", "m2rec", 200, 1.0),
        row("answer", "sasrec", 50, 2.0),
        row("answer", "sasrec", 200, 8.0),
        row("added item", "m2rec", 200, 0.5),
        row("added item", "sasrec", 200, 1.5),
        row("added item", "sasrec, without cache", 200, 5.0),
        row("batch", "m2rec", 200, 40.0, batch=128, threads=2),
    ]
    about = {"hardware": ["cpu (Abacus)"], "threads": [1, 2], "torch": "2.11", "catalogue": 3416}
    found = Speed(rows, [Peak("m2rec", "cpu", 50, 1.0)]).as_dict() | about | ABOUT
    films = {"items": 3416, "ratio_to_sasrec": {"200": 8.0}, "ratio_of_one_more": {"200": 10.0}}
    times = [{"what": what, "median_ms": ms, "p95_ms": 2 * ms} for what, ms in (("scratch", 6.0), ("one more", 1.5))]
    market = {
        "items": 761,
        "ratio_to_sasrec": {"50": 0.5, "200": 1.2, "1000": 2.5},
        "ratio_of_one_more": {},
        "recommend": {"rows": times},
    }
    found["worlds"] = {"ml-1m": films, "rhythm-market": market}
    (folder / SPEED).write_text(json.dumps(found))


def write_speed_on_gpu(folder: Path, finished: bool = True) -> None:
    def on_card(what: str, model: str, length: int, batch: int, median: float) -> Row:
        return Row(what, model, "cuda", 8, length, batch, 25, median, 2 * median, None)

    rows = [
        on_card("batch", "m2rec", 200, 2048, 10.0),
        on_card("batch", "sasrec", 200, 2048, 20.0),
        on_card("batch", "m2rec", 1000, 1024, 40.0),
        on_card("batch", "sasrec", 1000, 1024, 60.0),
        on_card("answer", "m2rec", 200, 1, 4.0),
        on_card("answer", "sasrec", 200, 1, 1.0),
    ]
    peaks = [
        Peak("m2rec", "cuda", 200, 3.0),
        Peak("m2rec", "cuda", 200, 5000.4, 2048),
        Peak("m2rec", "cuda", 1000, 9000.0, 1024),
    ]
    training = [TrainingSpeed("m2rec", "cuda", 8, 32, 200, 20.0, 3.125)]
    found = GpuSpeed(rows, peaks, training, [LeftOut("batch", "mamba4rec", 1000, 1024, "takes 2.0 s")]).as_dict()
    about = {"hardware": "A card", "processor": "cpu (Abacus)", "torch": "2.11", "catalogue": 3416, "batch": 2048}
    (folder / SPEED_ON_GPU).write_text(json.dumps(found | about | {"finished": finished} | ABOUT))


def write_million(folder: Path) -> None:
    one = LargeCatalogue("ml-1m", 1_000_000, 64, 200, 100, 1.2, 27.3, 30.25, 27.0, 1100.4, 3.9)
    about = {"hardware": ["cpu (Abacus)"], "threads": [1], "torch": "2.11", "catalogue": 1_000_000}
    (folder / MILLION).write_text(json.dumps({"worlds": {one.world: asdict(one)}} | about | ABOUT))


def write_load(folder: Path, recovery: float | None = 0.6) -> None:
    phase = Phase(100, 300.0, 14_950, 12, 0, 0, 49.8, 61.2, 307.8, 900.0, Memory(700.2, 701.4, 705.0, 0.0017), ())
    found = Load(Plan(100, 300.0), 4.5, phase, phase, recovery, None).as_dict()
    (folder / LOAD).write_text(json.dumps(found | {"hardware": "cpu (Abacus)"} | ABOUT))


def test_without_measurements_there_are_no_lines(tmp_path: Path) -> None:
    assert speed_and_load(tmp_path) == []


def test_each_model_has_a_row_with_its_times(tmp_path: Path) -> None:
    write_speed(tmp_path)
    shown = "\n".join(speed_and_load(tmp_path))
    assert "| model | 50 items | 200 items | b of a·L^b | one more after 200 | 128 at once, 200 items |" in shown
    assert "| m2rec | 1.00 | 1.00 | 0.00 | 0.50 | 1,600 |" in shown
    assert "| sasrec | 2.00 | 8.00 | 1.00 | 1.50 | – |" in shown
    assert "| sasrec, without cache | – | – | – | 5.00 | – |" in shown
    assert "2.0 after 50, 8.0 after 200 for an answer from scratch" in shown
    assert "10.0 after 200 when SASRec reads the history again" in shown
    assert "3.0 after 200 while it can use its cache" in shown
    assert "| ml-1m | 3,416 | 8.0 after 200 | 10.0 after 200 | – | – |" in shown
    assert "- ml-1m: from scratch M2Rec is faster than SASRec at every length; for one more item it is faster" in shown
    assert "M2Rec is slower than SASRec after 50 items and faster after 200 and 1,000." in shown
    assert (
        "| rhythm-market | 761 | 0.5 after 50, 1.2 after 200, 2.5 after 1,000 | not measured | 6.0 / 1.5 | 12.0 / 3.0 |"
        in shown
    )
    assert "cpu (Abacus), torch 2.11, 2026-11-24" in shown


def test_the_speed_on_a_gpu_is_shown_with_its_goals(tmp_path: Path) -> None:
    write_speed_on_gpu(tmp_path)
    shown = "\n".join(speed_and_load(tmp_path))
    assert "### Speed on a GPU" in shown
    assert "A card, cpu (Abacus), torch 2.11, 2026-11-24, by `python -m m2rec benchmark`." in shown
    assert (
        "| one answer, 200 items, ms | answers/s, 2,048 at once, 200 items | answers/s, 2,048 at once, 1,000" in shown
    )
    assert "| m2rec | 4.00 | 204,800 | 25,600 (1,024 at once) | 5,000 | 9,000 (1,024 at once) | 20.0 | 3.1 |" in shown
    assert "| sasrec | 1.00 | 102,400 | 17,067 (1,024 at once) | – | – | – | – |" in shown
    assert "for one answer 0.25 after 200; with many at once 2.00 after 200 (goal: ≥ 1.2, met)" in shown
    assert "1.50 after 1,000 (goal: ≥ 2, missed)" in shown
    assert "- mamba4rec has no figure for many answers at once, 1,000 items: takes 2.0 s." in shown


def test_figures_of_a_stopped_run_on_a_gpu_say_so(tmp_path: Path) -> None:
    write_speed_on_gpu(tmp_path, finished=False)
    assert "by `python -m m2rec benchmark`, which was stopped before its end." in "\n".join(speed_and_load(tmp_path))
    empty = json.loads((tmp_path / SPEED_ON_GPU).read_text()) | GpuSpeed().as_dict()
    (tmp_path / SPEED_ON_GPU).write_text(json.dumps(empty))
    assert "for one answer not measured; with many at once not measured." in "\n".join(speed_and_load(tmp_path))


def test_a_large_catalogue_has_a_row_for_each_network(tmp_path: Path) -> None:
    write_million(tmp_path)
    shown = "\n".join(speed_and_load(tmp_path))
    assert "The ten best of 1,000,000 items with their contributions, exact, after 200 items" in shown
    assert "with 64 numbers an item. cpu (Abacus), torch 2.11, 2026-11-24, by" in shown
    assert "| ml-1m | 1.2 | 27.3 | 30.2 | 1,100 | 3.9 |" in shown


def test_load_is_shown_phase_by_phase(tmp_path: Path) -> None:
    write_load(tmp_path)
    shown = "\n".join(speed_and_load(tmp_path))
    assert "| steady visitors | 100 | 14,950 | 12 | 0 | 0 | 61 | 308 | 700 → 701 |" in shown
    assert "| a rush |" in shown
    assert "one after another" not in shown
    assert "prompt again within 0.6 s" in shown


def test_times_of_the_page_are_shown_beside_their_goals(tmp_path: Path) -> None:
    results = [
        LatencyResult("click to all panels updated, median", 61.4, "ms", 100),
        LatencyResult("frames while the gate is dragged", 41.0, "per second", 50, at_least=True),
        LatencyResult("first useful paint after that", 0.314, "s", 1),
    ]
    latency = [asdict(one) | {"met": one.met} for one in results]
    (tmp_path / PAGE).write_text(json.dumps({"latency": latency, "hardware": "cpu (Abacus)"} | ABOUT))
    shown = "\n".join(speed_and_load(tmp_path))
    assert "| click to all panels updated, median | 61 ms | ≤ 100 ms |" in shown
    assert "| frames while the gate is dragged | 41 per second | ≥ 50 per second, missed |" in shown
    assert "| first useful paint after that | 0.31 s | ≤ 1 s |" in shown


def test_a_server_that_stays_slow_is_not_called_prompt(tmp_path: Path) -> None:
    write_load(tmp_path, recovery=None)
    assert "not prompt within a minute" in "\n".join(speed_and_load(tmp_path))


@pytest.mark.parametrize("name", [SPEED, SPEED_ON_GPU, MILLION, PAGE, LOAD])
@pytest.mark.parametrize("content", ["", "[]", '{"rows": 1}'])
def test_a_damaged_file_says_how_to_make_it_again(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=f"benchmark {COMMANDS[name]} --json"):
        speed_and_load(tmp_path)
