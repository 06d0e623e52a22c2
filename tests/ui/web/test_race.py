import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from m2rec.benchmark.speed.race import Lap
from m2rec.benchmark.speed.shapes import Shape, film_shape
from m2rec.errors import InputError
from m2rec.ui.web.race import Races, on_gpu


def double(number: int) -> int:
    return 2 * number


def test_without_the_spaces_package_a_function_is_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spaces", None)
    assert on_gpu(double) is double


def test_on_a_space_the_function_is_marked_for_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    marked = []
    monkeypatch.setitem(
        sys.modules, "spaces", SimpleNamespace(GPU=lambda function: marked.append(function) or function)
    )
    assert on_gpu(double)(3) == 6
    assert marked == [double]


FEW = [Lap(length, {"m2rec": 1.0, "sasrec": 2.0, "mamba4rec": 3.0}, "a card") for length in (50, 100, 200)]


def test_only_one_race_runs_at_a_time() -> None:
    races = Races(lambda shape: iter(FEW))
    first = races.run(film_shape())
    next(first)
    with pytest.raises(InputError, match="racing right now"):
        next(races.run(film_shape()))
    assert len(list(first)) == len(FEW) + 1
    assert len(list(races.run(film_shape()))) == len(FEW) + 2


def test_a_failed_race_does_not_block_the_next() -> None:
    def broken(shape: Shape) -> Iterator[Lap]:
        yield FEW[0]
        raise RuntimeError("the card is gone")

    races = Races(broken)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="gone"):
            list(races.run(film_shape()))
