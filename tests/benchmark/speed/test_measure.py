"""The speed benchmark: which models it times, that they answer as usual, and the arithmetic of its figures."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from m2rec.benchmark.speed.large_catalogue import large_catalogue_times
from m2rec.benchmark.speed.measure import Speed, measure
from m2rec.benchmark.speed.models import NAMES, BaselineTimed, M2RecTimed, best_of, timed_models
from m2rec.benchmark.speed.shapes import Shape, film_shape, shipped_shapes
from m2rec.benchmark.speed.turns import Row, Workload, computing_on
from m2rec.checkpoint import Checkpoint
from m2rec.errors import CheckpointError
from m2rec.model.config import ModelSettings
from m2rec.model.softmax import seen_items
from tests.tiny_world import save_tiny_world

CPU = torch.device("cpu")
TINY = Workload(
    lengths=(5, 9),
    live_lengths=(5,),
    batch_lengths=(5,),
    threads=(1,),
    batch=3,
    rounds=3,
    burst=2,
    training_steps=1,
)


def small(items: int) -> Shape:
    return replace(film_shape(), items=items, warm_items=items)


@pytest.fixture(scope="module")
def measured() -> Speed:
    return measure(small(30), TINY)


def row(model: str, length: int, median: float, what: str = "answer", threads: int = 1, batch: int = 1) -> Row:
    return Row(what, model, "cpu", threads, length, batch, 5, median, 2 * median, median if threads == 1 else None)


@pytest.mark.slow
def test_every_model_is_timed_at_every_length(measured: Speed) -> None:
    answers = {(r.model, r.length) for r in measured.rows if (r.what, r.device) == ("answer", "cpu")}
    assert answers == {(name, length) for name in NAMES for length in (5, 9)}
    added = {r.model for r in measured.rows if r.what == "added item"}
    assert added == {*NAMES, "sasrec, without cache"}
    assert {(r.batch, r.length) for r in measured.rows if (r.what, r.device) == ("batch", "cpu")} == {(3, 5)}
    assert all(0 < r.median_ms <= r.p95_ms for r in measured.rows)
    # rounds × burst; a batch is answered once in a round
    assert {(r.what, r.answers) for r in measured.rows} == {("answer", 6), ("added item", 6), ("batch", 3)}
    assert {(p.model, p.length) for p in measured.peaks} >= {(name, length) for name in NAMES for length in (5, 9)}
    assert all(p.mib > 0 for p in measured.peaks)


def test_the_figures_are_json_with_ratios_to_sasrec(measured: Speed) -> None:
    found = json.loads(json.dumps(measured.as_dict(), allow_nan=False))
    assert set(found["ratio_to_sasrec"]) == {"5", "9"}
    assert set(found["ratio_of_one_more"]) == {"5"}
    assert set(found["growth"]) == set(NAMES)
    assert found["rows"][0]["answers_per_second"] == pytest.approx(1000 / found["rows"][0]["median_ms"])


def test_every_model_is_trained_on_as_many_targets_with_as_many_threads(measured: Speed) -> None:
    here = [one for one in measured.training if one.device == "cpu"]
    assert [one.model for one in here] == list(NAMES)
    assert len({(one.threads, one.batch, one.length) for one in here}) == 1
    first = here[0]
    million = first.step_ms / 1000 * 1e6 / (first.batch * first.length)
    assert first.seconds_per_million == pytest.approx(million)


def test_a_ratio_is_the_other_models_time_over_m2recs_on_one_thread() -> None:
    speed = Speed(
        [row("m2rec", 200, 2), row("sasrec", 200, 3), row("sasrec", 50, 1), row("m2rec", 200, 9, threads=2)], []
    )
    assert speed.ratios() == {"200": 1.5}
    assert speed.ratios("added item") == {}


def test_growth_is_the_exponent_of_the_length() -> None:
    rows = [row("m2rec", n, 0.01 * n) for n in (50, 200, 1000)] + [row("sasrec", n, 1e-4 * n**2) for n in (50, 200)]
    growth = Speed([*rows, row("mamba4rec", 50, 1)], []).growth()
    assert growth == {"m2rec": pytest.approx(1.0), "sasrec": pytest.approx(2.0)}


def test_answers_per_second_counts_the_whole_batch() -> None:
    assert row("m2rec", 200, 64.0, "batch", batch=128).answers_per_second == pytest.approx(2000)


@pytest.mark.parametrize("name", NAMES)
def test_an_added_item_gives_the_answer_of_the_longer_history(name: str) -> None:
    with torch.inference_mode():
        (model,) = timed_models(small(40), 30, CPU, [name])
        items = torch.randint(1, 41, (1, 12), generator=torch.Generator().manual_seed(1))
        add = model.live(items[:, :-1])
        whole = model.answer(items)
        assert torch.equal(add(items[:, -1]), whole)
        add(torch.tensor([3]))
        assert torch.equal(add(items[:, -1]), whole)  # every call starts from the same state
        assert whole.shape == (1, 10)


def test_timed_m2rec_answers_as_the_model_does() -> None:
    with torch.inference_mode():
        (model,) = timed_models(small(40), 30, CPU, ["m2rec"])
        assert isinstance(model, M2RecTimed)
        items = torch.randint(1, 41, (3, 20), generator=torch.Generator().manual_seed(1))
        at_end = torch.zeros_like(items, dtype=torch.bool)
        at_end[:, -1] = True
        plain = model.module.shares(model.module.encode_last(items), seen_items(items, at_end, 40)).sum(1)
        assert torch.equal(model.answer(items), plain.topk(10).indices + 1)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "m2rec"])
def test_a_timed_baseline_ranks_as_its_model_does(name: str) -> None:
    """The timed answer skips the softmax, which does not change the ranking."""
    with torch.inference_mode():
        (model,) = timed_models(small(40), 30, CPU, [name])
        assert isinstance(model, BaselineTimed)
        items = torch.randint(1, 41, (3, 20), generator=torch.Generator().manual_seed(1))
        assert torch.equal(model.answer(items), model.module.last_scores(items).topk(10).indices + 1)


def test_the_shapes_are_those_of_the_checkpoints_with_the_films_first(tmp_path: Path) -> None:
    assert shipped_shapes(tmp_path) == [film_shape()]
    config = Checkpoint.load(save_tiny_world(tmp_path / "tiny-shop")).config.model
    films, shop = shipped_shapes(tmp_path)
    assert films == film_shape()
    assert (shop.world, shop.items, shop.warm_items) == ("tiny-shop", config.items, config.warm_items)
    assert shop.settings.width == config.width
    (tmp_path / "tiny-shop" / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="not a readable configuration"):
        shipped_shapes(tmp_path)


def test_the_ten_best_are_the_largest_in_order() -> None:
    rng = np.random.default_rng(0)
    for count in (3, 10, 1000):
        probabilities = rng.random(count)
        expected = np.argsort(-probabilities)[:10] + 1
        assert np.array_equal(best_of(probabilities), expected)


@pytest.mark.parametrize("kinds", [("periodic", "themes"), ("spectral", "means")])
def test_a_large_catalogue_has_times_and_memory(kinds: tuple[str, str]) -> None:
    frequency, semantic = kinds
    settings = ModelSettings(frequency=frequency, semantic=semantic, width=8, head_width=4, state_width=4)
    found = large_catalogue_times(Shape("made-up", settings, 5, 5), items=3000, answers=2)
    assert (found.items, found.width, found.answers) == (3000, 64, 2)
    assert found.read_ms > 0
    assert 0 < found.median_ms <= found.p95_ms
    assert found.cpu_ms > 0
    assert found.answer_mib > 3000 * 3 * 4 / 2**20  # at least three distributions over the catalogue


def test_the_number_of_threads_is_restored(measured: Speed) -> None:
    before = torch.get_num_threads()
    with computing_on(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
