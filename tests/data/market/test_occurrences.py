"""The one-bit filter of an occurrence, against numbers worked out by hand and against brute force."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from m2rec.data.market.oracles.occurrences import DUE, NOT_DUE, all_rhythms, day_kinds, first_bit, steps
from m2rec.data.market.settings import DEFAULT, MarketSettings


def due_by_filter(settings: MarketSettings, period: int, phase: int, due_before: list[bool]) -> float:
    """P(due on the day after these) by the filter."""
    periods, phases, table = np.array([period]), np.array([phase]), steps(settings)
    bits = first_bit(settings, periods, phases)[0]
    for day, due in enumerate(due_before):
        kind = day_kinds(periods, phases, day)[0]
        bits = bits @ table[kind, DUE if due else NOT_DUE]
        bits = bits / bits.sum()
    kind = day_kinds(periods, phases, len(due_before))[0]
    return float((bits @ table[kind, DUE]).sum())


def due_by_enumeration(settings: MarketSettings, period: int, phase: int, due_before: list[bool]) -> float:
    """The same by listing what every occurrence near these days may have done."""
    last = len(due_before)
    nominal = [day for day in range(phase - period, last + 2, period) if day >= -1]
    fates = {-1: settings.slip, 0: 1 - 2 * settings.slip, 1: settings.slip}
    fates = {slip: (1 - settings.miss) * share for slip, share in fates.items()} | {None: settings.miss}
    fits = due = 0.0
    for chosen in product(fates, repeat=len(nominal)):
        days = {day + slip for day, slip in zip(nominal, chosen, strict=True) if slip is not None}
        if all((day in days) == was for day, was in enumerate(due_before)):
            weight = float(np.prod([fates[slip] for slip in chosen]))
            fits += weight
            due += weight * (last in days)
    return due / fits


def test_a_weekly_rhythm_that_keeps_one_waiting() -> None:
    """Slips 3 % each way, 5 % missed: .0285 a day early, .893 on time, .0285 a day late."""
    seven = (DEFAULT, 7, 3)
    assert due_by_filter(*seven, [False] * 2) == pytest.approx(0.0285)
    assert due_by_filter(*seven, [False] * 3) == pytest.approx(0.893 / (1 - 0.0285))  # .9192
    assert due_by_filter(*seven, [False] * 4) == pytest.approx(0.0285 / (0.0285 + 0.05))  # .3631
    assert due_by_filter(*seven, [False] * 5) == 0
    assert due_by_filter(*seven, [False, False, True]) == 0  # it came early
    assert due_by_filter(*seven, [False, False, False, True]) == 0


@given(
    st.integers(2, 4).flatmap(lambda period: st.tuples(st.just(period), st.integers(0, period - 1))),
    st.integers(0, 6),
    st.sampled_from([0.03, 0.2]),
    st.data(),
)
def test_one_bit_remembers_all_that_matters(
    rhythm: tuple[int, int], days: int, slip: float, data: st.DataObject
) -> None:
    settings = MarketSettings(slip=slip, miss=0.1)
    table = steps(settings)
    bits, due_before = first_bit(settings, np.array([rhythm[0]]), np.array([rhythm[1]]))[0], []
    for day in range(days):  # a history that can happen
        kind = day_kinds(np.array([rhythm[0]]), np.array([rhythm[1]]), day)[0]
        possible = [due for due in (NOT_DUE, DUE) if (bits @ table[kind, due]).sum() > 0]
        due = data.draw(st.sampled_from(possible))
        bits = bits @ table[kind, due]
        due_before.append(due == DUE)
    assert due_by_filter(settings, *rhythm, due_before) == pytest.approx(
        due_by_enumeration(settings, *rhythm, due_before)
    )


@given(st.floats(0, 0.4), st.floats(0, 0.5))
def test_every_step_is_a_distribution(slip: float, miss: float) -> None:
    table = steps(MarketSettings(slip=slip, miss=miss))
    assert (table >= 0).all()
    assert table.sum(axis=(1, 3)) == pytest.approx(np.ones((5, 2)))


def test_there_are_405_rhythms() -> None:
    periods, phases = all_rhythms()
    assert len(set(zip(periods, phases, strict=True))) == len(periods) == sum(range(2, 29))
    assert (phases < periods).all()
