"""Numbers and charts in plain words."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from m2rec.branches import BRANCHES, EVIDENCE, ORDERED
from m2rec.recommend.answer import Answer, Spectrum, Theme
from m2rec.recommend.explain.calendar import CalendarSpectrum
from m2rec.recommend.explain.spectrum import SHORTEST_HISTORY
from m2rec.ui.render.recurrence import below_by_chance, repeats_in_column

KEPT = 0.5  # filter gain, relative to its largest, from which a period counts as kept
FEW_BINS = 8
NAMED = 3  # periods that stand out, and runs of kept ones, that a sentence names at most
LIKE_A_MULTIPLE = 0.1  # how far from a whole number the ratio of a period and its multiple may be


@dataclass(frozen=True)
class Wording:
    """The words of a world: 'buy', 'day' and 'customer' for a shop visited daily; the defaults fit any world.

    The history is of `who`; the visitor of the page is "you", and only where they do something.
    """

    verb: str = "choose"
    unit: str = "interaction"
    who: str = "person"

    @property
    def past(self) -> str:
        """The verb as in 'this customer bought'."""
        return {"buy": "bought", "choose": "chose"}.get(self.verb, f"{self.verb}ed")

    @property
    def present(self) -> str:
        """The verb as in 'this customer buys'."""
        return f"{self.verb}{'es' if self.verb.endswith(('ch', 'sh', 's', 'x', 'z', 'o')) else 's'}"


def percent(share: float) -> str:
    """A share as a person writes it: 81 %, 4.2 %, < 0.1 %."""
    if share >= 0.995:
        return "100 %" if share >= 0.9995 else "> 99 %"
    if share >= 0.0995:
        return f"{share * 100:.0f} %"
    if share == 0:
        return "0 %"
    return f"{share * 100:.1f} %" if share >= 0.0005 else "< 0.1 %"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def plain_period(period: float) -> str:
    """A period without false precision: 7, 3.5."""
    return f"{period:.1f}".removesuffix(".0")


def counted(number: int, unit: str) -> str:
    """1 day, 2 days."""
    return f"{number} {unit}{'' if number == 1 else 's'}"


def spectrum_summary(
    spectrum: Spectrum | None, length: int, wording: Wording, muted: Sequence[tuple[float, float]] = ()
) -> str:
    """The spectrum in words, also for those who cannot see it. `muted`: periods that the visitor has muted."""
    if spectrum is None or not spectrum.period:
        have = counted(length, wording.unit)
        return f"A rhythm needs a history: with {have} there is no spectrum yet; from {SHORTEST_HISTORY} on there is."
    peaks = spectrum.significant
    if peaks:
        text = f"Stands out against shuffled copies at {_periods(peaks)} ({wording.unit}s)."
    else:
        text = "Nothing stands out against shuffled copies of this history: no rhythm to be sure of."
    kept = [_from_to(low, high) for low, high in kept_runs(spectrum, muted)]
    text += f" The learned filter keeps {', '.join(kept[:4])}." if kept else " The learned filter lets little through."
    if muted:
        text += f" Muted by you: {', '.join(_from_to(low, high) for low, high in muted)}."
    if len(spectrum.period) < FEW_BINS:
        text += f" Only {len(spectrum.period)} periods can be told apart in so short a history."
    return text


def _periods(peaks: Sequence[float]) -> str:
    """ "period 7", "periods 5, 7 and multiples of these": what comes back every 5 days does so every 10, 15 … too."""
    bases: list[float] = []
    multiples = False
    for peak in peaks:
        ratios = [peak / base for base in bases]
        if any(ratio > 1.5 and abs(ratio - round(ratio)) <= LIKE_A_MULTIPLE for ratio in ratios):
            multiples = True
        else:
            bases.append(peak)
    bases = bases[:NAMED]
    several = len(bases) > 1
    named = f"period{'s' * several} {', '.join(map(plain_period, bases))}"
    return f"{named} and multiples of {'these' if several else 'it'}" if multiples else named


def _from_to(low: float, high: float) -> str:
    return f"{plain_period(low)}–{plain_period(high)}" if low != high else plain_period(low)


def fold_summary(history: Sequence[str], row: int, spectrum: Spectrum | None, named: Callable[[str], str] = str) -> str:
    """What a history in rows of this length shows, beside the power at that period. `fold.js` says the same.

    `named` gives an item's title.
    """
    below = [history[place] for place in repeats_in_column(history, row)]
    lined = (
        f"In rows of {row}, {len(below)} of {len(history)} stand right below the same item{_mostly(below, named)}; "
        f"shuffled, about {below_by_chance(history, row):.1f} would."
    )
    if spectrum is None or row not in spectrum.period:
        return f"{lined} A period needs two rounds, so the spectrum of this history does not reach {row}."
    at = spectrum.period.index(row)
    return (
        f"{lined} Power at period {row}: {spectrum.power[at]:.2f}; "
        f"95 % of shuffled copies stay below {spectrum.threshold[at]:.2f}."
    )


def _mostly(items: Sequence[str], named: Callable[[str], str]) -> str:
    """What most of them are, where they are one thing."""
    item, times = next(iter(Counter(items).most_common(1)), ("", 0))
    if not 2 * times > len(items):
        return ""
    share = "most of them " if times < len(items) else "all of them " if times > 1 else ""
    return f", {share}{named(item)}"


def calendar_summary(found: CalendarSpectrum | None) -> str:
    """What the calendar's spectrum shows; empty without a clock."""
    if found is None:
        return ""
    against = f"from what the same {found.dates} dates give when the choices are shuffled"
    if not found.peaks:
        return f"By the calendar no period of days stands out {against}."
    named = ", ".join(str(period) for period in found.peaks[:3])
    one = len(found.peaks) == 1
    return f"By the calendar {'a period' if one else 'periods'} of {named} days stand{'s' * one} out {against}."


def kept_runs(spectrum: Spectrum, muted: Sequence[tuple[float, float]] = ()) -> list[tuple[float, float]]:
    """Runs of neighbouring periods with a gain of at least `KEPT` that are not muted, as (shortest, longest)."""

    def is_kept(pair: tuple[float, float]) -> bool:
        period, gain = pair
        return gain >= KEPT and not any(low <= period <= high for low, high in muted)

    pairs = zip(spectrum.period, spectrum.filter_gain, strict=True)
    runs = []
    for kept, run in groupby(pairs, key=is_kept):
        if kept:
            periods = [period for period, _ in run]
            runs.append((periods[0], periods[-1]))
    return runs


def named_themes(answer: Answer, name: Callable[[Sequence[str]], str]) -> dict[str, Theme]:
    """The themes of the choices by name, largest share first; those of one name count together, as the first of them.

    `name` gives a theme's name by the titles typical of it.
    """
    named: dict[str, Theme] = {}
    for theme in answer.themes:
        called = name(theme.items)
        before = named.get(called)
        named[called] = Theme(share=before.share + theme.share, items=before.items) if before else theme
    return dict(sorted(named.items(), key=lambda one: -one[1].share))


def themes_summary(answer: Answer, name: Callable[[Sequence[str]], str]) -> str:
    """The themes of the choices in words; empty where the model has none. `name` as in `named_themes`."""
    if not answer.themes:
        return ""
    themes = "; ".join(f"{percent(theme.share)} {called}" for called, theme in named_themes(answer, name).items())
    return f"What the semantic branch takes the taste to be: {themes}."


def gate_summary(answer: Answer) -> str:
    """How the three weights stand and how they moved."""
    now = ", ".join(f"{kind.name.lower()} {percent(answer.gates[kind.key])}" for kind in ORDERED)
    if len(answer.gate_history) < 2:
        return f"Gate now: {now}."
    moved = max(BRANCHES, key=lambda branch: abs(answer.gates[branch] - answer.gate_history[0][branch]))
    before = percent(answer.gate_history[0][moved])
    name, after = EVIDENCE[moved].name.lower(), percent(answer.gates[moved])
    return f"Gate now: {now}. Since the first item, {name} went from {before} to {after}."
