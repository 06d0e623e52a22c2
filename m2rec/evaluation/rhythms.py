"""Rhythms in a real data set: periodograms of dates, against the same number of dates drawn at random.

The power of n dates t at period p is that of Schuster's periodogram of a point process,

    P(p) = |Σ exp(2πi t / p)|² / n

1 on average where dates have nothing to do with p. A person's statistic is the largest P(p) over its mean among that
person's draws; the p-value is its rank among the draws' own largest. So periods are not counted several times, and
patterns of the draws themselves (a shop that is closed on Saturdays) do not count.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from m2rec.data.prepared import Prepared
from m2rec.data.tables.times import SECONDS_A_DAY
from m2rec.errors import DataError

PERIODS = np.arange(2, 46)  # days, or orders
LEVEL = 0.05
DRAWS = 199
FEWEST_CYCLES = 2  # periods up to half of a person's span are tried


@dataclass(frozen=True)
class Question:
    """One series a case: the times of events, and the times that were possible."""

    what: str
    drawn_from: str
    cases: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]]  # times (n,), possible (m,), weights (m,) or None


@dataclass(frozen=True)
class Found:
    """How many cases have a rhythm at the 5 % level; chance alone finds 5 %."""

    what: str
    drawn_from: str
    cases: int
    significant: int
    share: float
    low: float  # 95 % interval of the share (Clopper and Pearson)
    high: float
    p: float  # probability of so many or more by chance
    periods: dict[int, int]  # of the significant ones: period → how many have their peak there, most first


def rhythms(prepared: Prepared, fewest: int = 10, fewest_of_item: int = 5, seed: int = 0) -> list[Found]:
    """Two questions over people with at least `fewest` different days, each answered twice.

    Do a person's days have a rhythm: against draws from all days, and from the days and volumes of all people? Does an
    item that a person chose on at least `fewest_of_item` days recur by a rhythm, against draws from that person's own
    days: in days of the calendar, and with that person's days counted 1, 2, 3, …? The items of one person are not
    independent of one another, so the second question's p is a guide. Raises DataError where events have no times or no
    person has enough days.
    """
    people = _days_of(prepared, fewest)
    if not people:
        raise DataError(f"No person in {prepared.name} has chosen something on {fewest} days; ask for fewer.")
    rng = np.random.default_rng(seed)
    return [_answer(question, rng) for question in _questions(prepared, people, fewest_of_item)]


def power(times: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Schuster's periodogram. times (…, n), periods (k,) → (…, k)."""
    waves = np.exp(2j * np.pi * times[..., None] / periods)
    return np.abs(waves.sum(-2)) ** 2 / times.shape[-1]


def peak(
    times: np.ndarray, possible: np.ndarray, weights: np.ndarray | None, rng: np.random.Generator, draws: int = DRAWS
) -> tuple[float, int]:
    """p-value of the highest peak, and its period. Draws take as many of the possible times, none of them twice."""
    longest = max(2, (int(np.ptp(possible)) + 1) // FEWEST_CYCLES)
    periods = PERIODS[longest >= PERIODS]
    keys = rng.exponential(size=(draws, len(possible)))
    if weights is not None:
        keys = keys / weights  # the n smallest: drawn one after another, each by its share (Efraimidis and Spirakis)
    drawn = possible[np.argpartition(keys, len(times) - 1, axis=1)[:, : len(times)]]
    random = power(drawn, periods)  # (draws, k)
    usual = np.maximum(random.mean(0), 1e-12)
    powers = power(times, periods)
    seen = powers / usual
    # every fortnight is also every week and every other day, to the same power: the longest of these is the rhythm
    alike = np.flatnonzero(np.abs(powers - powers[seen.argmax()]) < 1e-9)
    highest = (random / usual).max(1)
    return float((1 + (highest >= seen.max() - 1e-12).sum()) / (1 + draws)), int(periods[alike[-1]])


@dataclass(frozen=True)
class _Person:
    days: np.ndarray  # (n,) different days, rising
    items: dict[int, np.ndarray]  # item → which of the days, rising


def _days_of(prepared: Prepared, fewest: int) -> list[_Person]:
    if prepared.timestamps is None or (prepared.timestamps < 0).any():
        raise DataError(f"The events of {prepared.name} have no times, so there are no dates to test.")
    people = []
    days = prepared.timestamps // SECONDS_A_DAY
    for user, (start, end) in enumerate(
        zip(prepared.sequences.offsets[:-1], prepared.sequences.offsets[1:], strict=True)
    ):
        different, which = np.unique(days[start:end], return_inverse=True)
        if len(different) < fewest:
            continue
        pairs = np.unique(np.stack([prepared.sequences[user].astype(np.int64), which]), axis=1)
        items, first = np.unique(pairs[0], return_index=True)
        parts = np.split(pairs[1], first[1:])
        people.append(_Person(different, dict(zip(items.tolist(), parts, strict=True))))
    return people


def _questions(prepared: Prepared, people: list[_Person], fewest_of_item: int) -> Iterator[Question]:
    assert prepared.timestamps is not None  # refused by `_days_of`
    open_days, volume = np.unique(prepared.timestamps // SECONDS_A_DAY, return_counts=True)

    def within(person: _Person) -> np.ndarray:
        return (open_days >= person.days[0]) & (open_days <= person.days[-1])

    yield Question(
        "a person's days",
        "all days between the first and the last",
        [(one.days, np.arange(one.days[0], one.days[-1] + 1), None) for one in people],
    )
    yield Question(
        "a person's days",
        "the days on which anybody chose anything, by how much",
        [(one.days, open_days[within(one)], volume[within(one)].astype(float)) for one in people],
    )
    again = [(one, which) for one in people for which in one.items.values() if len(which) >= fewest_of_item]
    yield Question(
        "an item that one person chose again, by the calendar",
        "that person's days",
        [(one.days[which], one.days, None) for one, which in again if len(which) < len(one.days)],
    )
    yield Question(
        "an item that one person chose again, by that person's days counted",
        "that person's days",
        [(which, np.arange(len(one.days)), None) for one, which in again if len(which) < len(one.days)],
    )


def _answer(question: Question, rng: np.random.Generator) -> Found:
    peaks = [peak(*case, rng) for case in question.cases]
    periods = [period for p, period in peaks if p <= LEVEL]
    found, counts = np.unique(np.array(periods, dtype=int), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    cases = len(peaks)
    test = binomtest(len(periods), cases, LEVEL, alternative="greater") if cases else None
    interval = binomtest(len(periods), cases).proportion_ci() if cases else None
    return Found(
        question.what,
        question.drawn_from,
        cases,
        len(periods),
        len(periods) / cases if cases else 0.0,
        float(interval.low) if interval else 0.0,
        float(interval.high) if interval else 0.0,
        float(test.pvalue) if test else 1.0,
        {int(found[at]): int(counts[at]) for at in order},
    )
