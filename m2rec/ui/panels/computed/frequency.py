"""Frequency: the item's own signal, the filter applied to it, rounds kept and missed, bands open and shut."""

from dataclasses import dataclass
from math import isinf
from typing import Literal

import numpy as np

from m2rec.inference.terms.due import BandTerms, DueTerms
from m2rec.inference.terms.filtered import FilterBand, FilterTerms
from m2rec.ui.panels.computed.calculation import Line, of_score
from m2rec.ui.panels.computed.columns import MOST_COLUMNS, Part, Strip, bars, newest
from m2rec.ui.render.numbers import amount, decimal, signed
from m2rec.ui.render.words import counted, percent, plain_period

FULL_BAR = 10.0  # log-odds at which a band's bar has its full height
SHUT_SHOWN = 3  # bands that are not open, with the reason
EXPLAINED_AWAY = -1.0  # log-odds; below this, another rhythm may be the reason why a band is shut


@dataclass(frozen=True)
class Round:
    """One round of the band's period, in columns `first` to `last` (from 1, inclusive)."""

    first: int
    last: int
    state: Literal["kept", "missed", "open"]  # open: not over yet, or started before the history
    text: str
    title: str


@dataclass(frozen=True)
class BandBar:
    """The log-odds of one band as a bar, which is above the zero line if the item is more likely than not."""

    label: str
    part: Part
    open: bool
    title: str


@dataclass(frozen=True)
class Rhythm:
    """The dialog's part on the frequency branch. `shut` gives reasons why the nearest other bands are not open."""

    lead: str
    strips: list[Strip]
    rounds: list[Round]
    rounds_value: str
    bands: list[BandBar]
    shut: list[str]
    lines: list[Line]
    table: list[tuple[str, ...]]


def due(terms: DueTerms, kernels: np.ndarray, columns: int) -> Rhythm:
    """The part for the periodic variant. kernels (b, W); `columns` days are shown, followed by the next day."""
    signal = [0.0] * MOST_COLUMNS
    for lag, weight in zip(terms.lags.tolist(), terms.weights.tolist(), strict=True):
        if lag < MOST_COLUMNS:
            signal[lag] = weight
    times = len(terms.lags)
    occurred = Strip(
        "frequency",
        "when it came",
        f"{times} time{'' if times == 1 else 's'}",
        f"The item came {times} times; a bar is lower where the item before explains it already.",
        bars(newest(signal, columns), "frequency", 1.0),
    )
    if not terms.bands:
        return Rhythm(
            "It was not chosen before, so it has no rhythm: it is one of many items.",
            [occurred], [], "", [], [], _share_lines(terms), [],
        )  # fmt: skip
    band = terms.bands[terms.open]
    period = plain_period(band.period)
    lead = _lead(terms, band)
    taps = newest(kernels[terms.open].tolist(), columns)
    taps_strip = Strip(
        "frequency",
        f"filter of period {period}",
        "looks back in rounds",
        f"The filter of period {period}: choices whole rounds ago add to it, choices in between subtract.",
        bars(taps, "frequency"),
        signed=True,
        size="high",
    )
    return Rhythm(
        lead,
        [occurred, taps_strip],
        _rounds(band, columns),
        signed(band.rounds),
        _bands(terms),
        _shut(terms),
        [*_band_lines(terms, band), *_share_lines(terms)],
        [
            (plain_period(one.period), signed(one.rounds), signed(one.prior), signed(one.others), signed(one.log_odds),
             decimal(one.due), "open" if at == terms.open else why_shut(one, terms.habit))
            for at, one in enumerate(terms.bands)
        ],
    )  # fmt: skip


def _lead(terms: DueTerms, band: BandTerms) -> str:
    if terms.standing == "chosen just now":
        return "It was chosen just now: this branch never predicts the same item twice in a row."
    period = plain_period(band.period)
    if band.due >= 0.5:
        return f"The band of period {period} is open: by it, the item is due with {percent(min(band.due, 1.0))}."
    return f"No band is open; period {period} comes nearest, with {percent(band.due)}."


def _rounds(band: BandTerms, columns: int) -> list[Round]:
    """The rounds within the columns, newest first. Column `columns` + 1 is the next day."""
    period = int(band.period)
    half = (period - 1) // 2
    under_way = period - 1 - half  # interactions of the current round so far
    found = [Round(max(columns + 1 - under_way, 1), columns + 1, "open", "now", "The round under way is not counted")]
    for place, (hits, required) in enumerate(zip(band.hits.tolist(), band.required.tolist(), strict=True), start=1):
        near, far = place * period - half, place * period + period - 1 - half  # interactions before the next
        last, first = columns + 1 - near, max(columns + 1 - far, 1)
        if last < 1:
            break
        net = hits + required
        title = f"Round {place} back: {signed(hits)} for what came, {signed(required)} for what a rhythm must bring"
        if not hits and not required:
            found.append(Round(first, last, "open", "", "The history begins within this round"))
        else:
            found.append(Round(first, last, "kept" if net > 0 else "missed", signed(net, 1), title))
    return found


def _band_lines(terms: DueTerms, band: BandTerms) -> list[Line]:
    kept = int((band.hits + band.required > 0).sum())
    lines = [
        Line(f"rounds of {plain_period(band.period)}, what came", signed(float(band.hits.sum())), hint=f"{kept} kept"),
        Line("what a rhythm must bring", signed(float(band.required.sum())), hint=f"together {signed(band.rounds)}"),
        Line("before any evidence", signed(band.prior), hint="that it is this one of all bands and phases"),
        Line("how easily it becomes a habit", signed(terms.habit)),
    ]
    if abs(band.others) >= 0.005:
        lines.append(Line("another rhythm explains it", signed(band.others)))
    lines.append(Line("log-odds", signed(band.log_odds), result=True))
    if band.muted:
        lines.append(Line("muted by you", "0"))
    slips = band.late + band.early
    if slips >= 0.00005:
        lines.append(Line("or a day late, or early", signed(slips, 4)))
    rest = terms.due - band.due
    if rest >= 0.00005 and terms.standing == "may recur":
        lines.append(Line("through all other bands", signed(rest, 4)))
    lines.append(Line("due, in all", decimal(terms.due), result=True))
    return lines


def _share_lines(terms: DueTerms) -> list[Line]:
    weight = float(np.exp(terms.score))
    if not terms.bands:
        first = Line("weight of what was not chosen", amount(weight))
    else:
        first = Line(f"weight: {decimal(terms.due)} × e to the {terms.certain:.2f}", amount(weight))
    return [
        first,
        Line(
            "weight of everything", amount(terms.everything), hint=f"{terms.unchosen:,} items not chosen weigh 1 each"
        ),
        Line("its share", decimal(terms.probability), result=True),
    ]


def why_shut(band: BandTerms, habit: float) -> str:
    """The strongest reason against a band, in words."""
    if band.muted:
        return "muted by you"
    if band.others < EXPLAINED_AWAY and band.others <= band.rounds:
        return f"another rhythm explains it ({signed(band.others, 1)})"
    if band.rounds < 0:
        return f"rounds missed ({signed(band.rounds, 1)})"
    if band.log_odds > 0:
        return f"more likely than not ({signed(band.log_odds, 1)})"
    return f"too little came ({signed(band.rounds, 1)} against {signed(band.prior + habit, 1)})"


def _shut(terms: DueTerms) -> list[str]:
    others = [band for at, band in enumerate(terms.bands) if at != terms.open]
    nearest = sorted(others, key=lambda band: (not band.muted, -band.log_odds))[:SHUT_SHOWN]
    return [f"{plain_period(band.period)}: {why_shut(band, terms.habit)}" for band in nearest]


def _bands(terms: DueTerms) -> list[BandBar]:
    return [
        BandBar(
            plain_period(band.period),
            Part(
                "frequency" if at == terms.open else "muted" if band.muted else "faint",
                100 * min(abs(band.log_odds) / FULL_BAR, 1.0),
                band.log_odds < 0,
            ),
            at == terms.open,
            f"Period {plain_period(band.period)}: log-odds {signed(band.log_odds)}",
        )
        for at, band in enumerate(terms.bands)
    ]


def filtered(terms: FilterTerms, columns: int) -> Rhythm:
    """The part for the spectral variant, in which only similar items recur."""
    trend = sum(band.part for band in terms.bands if isinf(band.period))
    periodic = terms.score.match - trend
    large = [band for band in terms.bands if band.large]
    largest = max((abs(band.part) for band in terms.bands), default=0.0) or 1.0
    alike = Strip(
        "frequency",
        "how alike each is",
        "up speaks for it",
        "How much each past item speaks for this one, before the filter.",
        bars(newest(terms.alike.tolist(), columns), "frequency"),
        signed=True,
        size="high",
    )
    response = Strip(
        "frequency",
        "the filter in force",
        "how much each counts",
        "The filter's response to an item so many interactions ago.",
        bars(newest(terms.response.tolist(), columns), "frequency"),
        signed=True,
        size="high",
    )
    return Rhythm(
        f"Trend {signed(trend)}, periods {signed(periodic)}. {counted(len(large), 'band')} of {len(terms.bands)} "
        f"{'has' if len(large) == 1 else 'have'} a large gain; the spectrum shows the gain of all of them together.",
        [alike, response],
        [],
        "",
        [
            BandBar(
                "∞" if isinf(band.period) else plain_period(band.period),
                Part("frequency" if band.large else "faint", 100 * abs(band.part) / largest, band.part < 0),
                band.large,
                f"{_band_name(band)}: gain {band.gain:.2f}, {signed(band.part)}",
            )
            for band in terms.bands
        ],
        [_with_little_gain(terms)],
        [
            Line("through bands with a period", signed(periodic)),
            Line("through the trend", signed(trend)),
            *of_score(terms.score),
        ],
        [
            (_band_name(band), f"{band.coherence:.2f}", f"{band.gain:.2f}", signed(band.part),
             "large" if band.large else "small")
            for band in terms.bands
        ],
    )  # fmt: skip


def _with_little_gain(terms: FilterTerms) -> str:
    names = [_band_name(band) for band in terms.bands if not band.large]
    return f"gain below half of the largest: {', '.join(names) or 'none'}"


def _band_name(band: FilterBand) -> str:
    if not isinf(band.period):
        return plain_period(band.period)
    return "trend" if band.scale is None else f"trend over {plain_period(band.scale)}"
