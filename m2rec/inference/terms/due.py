"""The terms of the periodic branch for one item: hits and misses, band by band, up to its probability.

The symbols are those of `m2rec/model/frequency/periodic.py`. With B = F − ρ·K taken round by round,

    h_b = σ(Σ_rounds (hits + required) + β_b + π − ε·R_b)    d_b = h_b + late_b·h_b(a step ago) + early_b·h_b(a step on)
    s = c + log Σ_b d_b                                    p = e^s / (Σ_j e^{s_j} + number of items not chosen)
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from m2rec.inference.frequency.periodic import Periodic, PeriodicState
from m2rec.inference.frequency.recurrence_bank import Recurrence, RecurrenceBank
from m2rec.inference.terms.scores import Asked
from m2rec.model.constants import LEAST_DUE_PROBABILITY

Standing = Literal["may recur", "chosen just now", "not chosen"]


@dataclass(frozen=True)
class BandTerms:
    """How due the item is by one band, in log-odds; the newest round comes first.

    `hits` (R,) is the evidence of the item's choices in each round, `required` (R,) what a rhythm has to bring in each
    (negative, 0 where no round is complete), `prior` β, `others` −ε·R. Their sum with the habit is `log_odds`, σ of it
    is `belief`, 0 where the band is muted. `due` is d: `belief`, `late` and `early` together.
    """

    period: float
    hits: np.ndarray
    required: np.ndarray
    prior: float
    others: float
    log_odds: float
    belief: float
    late: float
    early: float
    muted: bool

    @property
    def due(self) -> float:
        """d_b, how due the item is through this band."""
        return self.belief + self.late + self.early

    @property
    def rounds(self) -> float:
        """F − ρ·K: all rounds together."""
        return float(self.hits.sum() + self.required.sum())


@dataclass(frozen=True)
class DueTerms:
    """An item's log-odds to recur, against an item that was never chosen.

    `lags` (n,) of the item's choices that the filter reaches, newest first, 0 the newest item of all; `weights` (n,)
    how little each was explained by the choice before it; `everything` = Σ e^s of the chosen items + `unchosen`.
    """

    standing: Standing
    lags: np.ndarray
    weights: np.ndarray
    habit: float
    bands: tuple[BandTerms, ...]
    due: float
    certain: float  # c
    score: float
    everything: float
    unchosen: int
    probability: float

    @property
    def open(self) -> int:
        """Place of the band through which most of it comes; of none, the one that comes nearest."""
        return max(range(len(self.bands)), key=lambda at: (self.bands[at].due, self.bands[at].log_odds))


def due_terms(branch: Periodic, asked: Asked) -> DueTerms:
    """Of the item that was asked about, at the end of the history."""
    state: PeriodicState = asked.state
    recurrence: Recurrence = asked.out.detail["recurrence"][0]
    target, bank = asked.target, branch.bank
    tail, weights, others = (part[-bank.reach :] for part in (state.items, state.weights, state.others))
    places = np.flatnonzero(tail == target)[::-1]
    lags = len(tail) - 1 - places
    ranked = recurrence.items <= branch.catalogue
    unchosen = branch.catalogue - int(ranked.sum())
    everything = float(np.exp(recurrence.scores[ranked].astype(np.float64)).sum()) + unchosen
    known = bool(len(places)) and int(lags[0]) < bank.window
    bands: tuple[BandTerms, ...] = ()
    due, score = 0.0, 0.0
    if known:
        muting = asked.given.band_keep
        bands = _bands(branch, state.count, lags, weights[places], others[places[0]], target, muting)
        due = sum(band.due for band in bands) if lags[0] > 0 else 0.0
        score = float(bank.log_odds_scale + np.log(np.float32(due) + np.float32(LEAST_DUE_PROBABILITY)))
    standing: Standing = "not chosen" if not known else "may recur" if lags[0] > 0 else "chosen just now"
    return DueTerms(
        standing=standing,
        lags=lags,
        weights=weights[places],
        habit=float(branch.habit[target]),
        bands=bands,
        due=due,
        certain=float(bank.log_odds_scale),
        score=score,
        everything=everything,
        unchosen=unchosen,
        probability=float(np.exp(score)) / everything,
    )


def _bands(
    branch: Periodic,
    count: int,
    lags: np.ndarray,
    weights: np.ndarray,
    others: np.ndarray,
    target: int,
    band_keep: np.ndarray | None,
) -> tuple[BandTerms, ...]:
    bank = branch.bank
    signal = np.zeros(bank.reach, dtype=np.float32)
    signal[bank.window - lags] = weights  # newest last
    excluded = bank.excluded(others[None], lags[:1] + 1).reshape(3, bank.bands)
    prior = bank.prior(branch.habit[[target]], count)
    log_odds = (signal @ bank.readings + prior).reshape(3, bank.bands) - excluded
    beliefs = bank.belief(log_odds, band_keep)
    if count < 2 or 1 in lags:
        beliefs[0] = 0  # there was no step before the first, and an item that occurred a step early is not late
    in_window = lags < bank.window
    result = []
    for band, period in enumerate(branch.band_periods.tolist()):
        hits, required = _rounds(bank, band, int(period), count, lags[in_window], weights[in_window])
        result.append(
            BandTerms(
                period=period,
                hits=hits,
                required=required,
                prior=float(bank.band_bias[band]),
                others=-float(excluded[1, band]),
                log_odds=float(log_odds[1, band]),
                belief=float(beliefs[1, band]),
                late=float(bank.late[band] * beliefs[0, band]),
                early=float(bank.early[band] * beliefs[2, band]),
                muted=band_keep is not None and not band_keep[band],
            )
        )
    return tuple(result)


def _rounds(
    bank: RecurrenceBank, band: int, period: int, count: int, lags: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What each round of a period brought and had to bring, after `count` items: (R,), (R,), the newest first."""
    reached = min(count, bank.window)
    which = (np.arange(1, reached + 1) + (period - 1) // 2) // period  # of each lag; 0 is the round under way
    hits, required = np.zeros(which[-1] + 1), np.zeros(which[-1] + 1)
    np.add.at(hits, which[lags], weights * bank.kernels[band, lags])
    on_phase = np.arange(period, max(reached, 1) + 1, period)
    required[: len(on_phase) + 1][1:] = -bank.hit_rate[band] * bank.kernels[band, on_phase - 1]
    return hits[1:], required[1:]
