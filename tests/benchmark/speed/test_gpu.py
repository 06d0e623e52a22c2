"""The benchmark of a GPU, run on the CPU: what is measured, what is left out and why, and the arithmetic."""

import json
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from m2rec.benchmark.speed import gpu
from m2rec.benchmark.speed.gpu import NO_MEMORY, ON_GPU, GpuSpeed, LeftOut, measure_gpu
from m2rec.benchmark.speed.models import NAMES
from m2rec.benchmark.speed.shapes import Shape, film_shape
from m2rec.benchmark.speed.turns import Row, Turns

CPU = torch.device("cpu")
TINY = replace(ON_GPU, lengths=(5, 9), batch_lengths=(5,), batch=3, rounds=3, burst=2, training_steps=1)


def small(items: int = 30) -> Shape:
    """A small network and catalogue, whose training windows have 12 items."""
    films = film_shape()
    settings = films.settings.model_copy(update={"width": 8, "max_length": 12})
    return replace(films, settings=settings, items=items, warm_items=items)


@pytest.fixture(scope="module")
def saved() -> list[dict]:
    """What was handed over after every step."""
    found: list[dict] = []
    measure_gpu(small(), CPU, TINY, save=lambda figures: found.append(json.loads(json.dumps(figures.as_dict()))))
    return found


def test_the_figures_so_far_are_handed_over_after_every_step(saved: list[dict]) -> None:
    assert len(saved) == 3 + len(NAMES)  # one batch, two lengths, and the training of each model
    rows, peaks, training = ([len(figures[part]) for figures in saved] for part in ("rows", "peaks", "training"))
    assert rows[:3] == peaks[:3] == [4, 8, 12]
    assert training == [0, 0, 0, 1, 2, 3, 4]


def test_every_model_answers_alone_and_in_a_batch_and_is_trained(saved: list[dict]) -> None:
    last = saved[-1]
    kinds = {(row["what"], row["model"], row["length"], row["batch"]) for row in last["rows"]}
    assert kinds == {
        (what, name, length, batch)
        for name in NAMES
        for what, length, batch in (("batch", 5, 3), ("answer", 5, 1), ("answer", 9, 1))
    }
    assert all(row["answers_per_second"] > 0 for row in last["rows"])
    assert {(peak["model"], peak["length"], peak["batch"]) for peak in last["peaks"]} == {
        (model, length, batch) for _, model, length, batch in kinds
    }
    assert [one["model"] for one in last["training"]] == list(NAMES)
    assert {(one["batch"], one["length"]) for one in last["training"]} == {(32, 12)}
    assert last["left_out"] == []


def test_the_goals_compare_answers_per_second() -> None:
    def row(what: str, model: str, length: int, batch: int, median: float) -> Row:
        return Row(what, model, "cuda", 1, length, batch, 5, median, median, None)

    rows = [row("batch", "m2rec", length, 2048, 2.0) for length in (200, 1000)]
    rows += [row("batch", "sasrec", 200, 2048, 2.4), row("batch", "sasrec", 1000, 2048, 3.9)]
    rows += [row("answer", "m2rec", 200, 1, 4.0), row("answer", "sasrec", 200, 1, 1.0)]
    found = GpuSpeed(rows).as_dict()
    assert found["ratio_to_sasrec"] == {"200": 0.25}
    assert found["throughput_to_sasrec"] == {"200": pytest.approx(1.2), "1000": pytest.approx(1.95)}
    assert [(goal["length"], goal["goal"], goal["met"]) for goal in found["goals"]] == [
        (200, 1.2, True),
        (1000, 2.0, False),
    ]


@dataclass
class Fake:
    """A model that holds at most `room` histories at once, or fails with `error`."""

    name: str
    room: int = 1 << 30
    error: str = ""

    def answer(self, items: Tensor) -> Tensor:
        if self.error:
            raise RuntimeError(self.error)
        if len(items) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return items[:, :1]

    def live(self, items: Tensor) -> None:
        raise AssertionError


def fitting(*models: Fake, batch: int = 64) -> tuple[list[str], int, list[LeftOut]]:
    kept, size, left = gpu.fitting(Turns(models, small().items, torch.Generator()), 6, batch)
    return [model.name for model in kept.models], size, left


def test_a_batch_is_halved_for_all_until_it_fits_m2rec_and_sasrec() -> None:
    assert fitting(Fake("m2rec"), Fake("sasrec", room=20), Fake("mamba4rec")) == (
        ["m2rec", "sasrec", "mamba4rec"],
        16,
        [],
    )


def test_another_model_that_does_not_fit_is_left_out() -> None:
    left = LeftOut("batch", "mamba4rec", 6, 64, NO_MEMORY)
    assert fitting(Fake("m2rec"), Fake("sasrec"), Fake("mamba4rec", room=20)) == (["m2rec", "sasrec"], 64, [left])


def test_a_model_that_fails_is_left_out_with_the_first_line_of_its_error() -> None:
    kept, size, (left,) = fitting(Fake("m2rec", error="no kernel\nlong explanation"), Fake("sasrec"))
    assert (kept, size, left.why) == (["sasrec"], 64, "no kernel")
    kept, _, (left,) = fitting(Fake("sasrec", room=0), batch=1)
    assert (kept, left.what, left.why) == ([], "answer", NO_MEMORY)
    _, _, (left,) = fitting(Fake("mamba4rec", error="CUBLAS_STATUS_ALLOC_FAILED when calling"))
    assert left.why == NO_MEMORY


def test_only_other_models_are_left_out_for_being_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer may be slow, but not so slow that a second one would cost too much."""
    took = {"m2rec": [1900.0, 1500.0], "mamba4rec": [1900.0, 900.0], "slow": [1900.0, 1100.0], "slower": [5100.0]}
    monkeypatch.setattr(gpu, "milliseconds", lambda answer, *_: (took[answer.__self__.name].pop(0), 0.0))
    kept, _, left = fitting(*map(Fake, took))
    assert kept == ["m2rec", "mamba4rec"]
    assert {one.model: one.why for one in left} == {"slow": "takes 1.1 s", "slower": "takes 5.1 s"}
