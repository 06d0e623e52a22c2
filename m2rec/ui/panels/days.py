"""The history day by day: what the model guessed before each item, what came, true causes, and a running score."""

from dataclasses import asdict, dataclass, replace

from m2rec.branches import EVIDENCE, ORDERED, BranchName
from m2rec.data.market.settings import CAUSES
from m2rec.data.market.shoppers import SHOWN, Shopper, causes_of
from m2rec.errors import InputError
from m2rec.recommend.explain.days import DayGuess
from m2rec.ui.panels.computed.columns import Part
from m2rec.ui.render.context import PageContext
from m2rec.ui.render.templating import render
from m2rec.ui.render.words import counted, ordinal, percent
from m2rec.world_names import MARKET

MOST_PLAYED = 200  # the newest guesses; earlier ones are skipped
LISTED = 10
BRANCH_OF: dict[str, BranchName] = {kind.cause: kind.key for kind in ORDERED if kind.cause}
HEIGHTS = {"first": 100.0, "three": 70.0, "ten": 40.0, "miss": 10.0, "unranked": 0.0}


@dataclass(frozen=True)
class Option:
    """One guess. `parts` are the three contributions, in per cent of the first guess's probability."""

    title: str
    share: str
    parts: list[float]
    came: bool


@dataclass(frozen=True)
class Why:
    """A kind of evidence or a cause. `look` is its CSS class; `right` says whether it was the true cause."""

    look: str
    mark: str
    text: str
    right: bool | None = None


@dataclass(frozen=True)
class Score:
    """A count of right guesses, of how many days so far."""

    name: str
    right: int
    of: int
    look: str = ""

    @property
    def text(self) -> str:
        """The score as text."""
        return f"{self.right} of {self.of}"

    @property
    def width(self) -> float:
        """The score in per cent."""
        return 100 * self.right / self.of if self.of else 0.0


@dataclass(frozen=True)
class Played:
    """One day as the page shows it: the guesses after `read` items and what came, with numbers as text."""

    read: int
    words: str
    guesses: list[Option]
    came: str | None
    outcome: str
    verdict: str
    gate: Why
    cause: Why | None
    oracle: Why | None
    scores: list[Score]


def days(context: PageContext) -> tuple[str, list[dict[str, object]]]:
    """The view's HTML, and the days for the page's script, which shows them one after another.

    Raises InputError for a history of fewer than two items.
    """
    state = context.state
    if len(state.history) < 2:
        raise InputError("There is nothing to play yet: a history of two items or more is guessed day by day.")
    found = context.worlds.guesses(
        state.world, state.history, state.exclude_seen, context.gate_override, state.band_mask
    )
    first = len(state.history) - len(found)  # items that the model does not read
    shopper = causes_of(state.history) if state.world == MARKET and not first else None
    played = _play(context, found[-MOST_PLAYED:], shopper, first)
    html = render(
        "days.html.j2",
        played=played,
        strips=_strips(found[-MOST_PLAYED:], shopper),
        skipped=first + len(found) - len(played),
        count=len(state.history),
        shopper=shopper,
        market=state.world == MARKET,
        offered=[one for one in context.world.presets if one.key in SHOWN],
        unit=context.wording.unit,
        by_hand=state.gate_override is not None,
    )
    return html, [_plain(one) for one in played]


def _plain(one: Played) -> dict[str, object]:
    scores = [{**asdict(score), "text": score.text, "width": score.width} for score in one.scores]
    return {**asdict(one), "scores": scores}


def _play(context: PageContext, found: list[DayGuess], shopper: Shopper | None, first: int) -> list[Played]:
    unit = context.wording.unit
    scores = [Score("first guess right", 0, 0), Score(f"among the first {LISTED}", 0, 0)]
    if shopper:
        scores += [Score("gate's favourite was the cause", 0, 0, "ours"), Score("fair oracle's favourite was", 0, 0)]
    played = []
    for day in found:
        favourite = max(day.gate, key=lambda branch: day.gate[branch])
        cause = _cause(shopper, day) if day.actual else None
        expected = _expected(shopper, day) if day.actual else None
        outcome, verdict = _outcome(day)
        right = None if cause is None or cause.look == "noise" else cause.look == favourite
        guessed = None if expected is None or cause is None or cause.look == "noise" else expected.look == cause.look
        if day.actual:
            hits = [outcome == "first", outcome in ("first", "three", "ten"), right, guessed]
            possible = [outcome != "unranked", outcome != "unranked", right is not None, guessed is not None]
            scores = [
                replace(score, right=score.right + bool(hit), of=score.of + counts)
                for score, hit, counts in zip(scores, hits, possible, strict=False)
            ]
        top = day.guesses[0].probability if day.guesses else 1.0
        named = context.world.named
        came = named(day.actual) if day.actual else None
        options = [
            Option(
                named(one.item_id),
                percent(one.probability),
                [100 * share / top for share in one.contributions.values()],
                one.item_id == day.actual,
            )
            for one in day.guesses
        ]
        place = first + day.read
        played.append(
            Played(
                read=place,
                words=f"After {counted(place, unit)} the first guess was {options[0].title} with {options[0].share}."
                if options
                else f"After {counted(place, unit)} nothing was left to guess.",
                guesses=options,
                came=came,
                outcome=outcome,
                verdict=verdict,
                gate=_gate(favourite, day, right),
                cause=cause,
                oracle=replace(expected, right=guessed) if expected else None,
                scores=scores,
            )
        )
    return played


def _outcome(day: DayGuess) -> tuple[str, str]:
    """How good the guess was, as a key of `HEIGHTS` and in words."""
    if day.actual is None:
        return "unranked", ""
    if day.rank is None:
        return "unranked", "it could not be guessed: it is not in the list"
    if day.rank == 1:
        return "first", "guessed"
    with_chance = f"it was {ordinal(day.rank)}, with {percent(day.probability or 0.0)}"
    return ("three" if day.rank <= 3 else "ten" if day.rank <= LISTED else "miss"), with_chance


def _gate(favourite: BranchName, day: DayGuess, right: bool | None) -> Why:
    kind = EVIDENCE[favourite]
    return Why(favourite, kind.mark, f"{kind.name} {percent(day.gate[favourite])}", right)


def _cause(shopper: Shopper | None, day: DayGuess) -> Why | None:
    if shopper is None:
        return None
    cause, period = shopper.causes[day.read], shopper.periods[day.read]
    return _why(cause, f"a rhythm of {period}" if cause == "rhythm" else _named(cause))


def _expected(shopper: Shopper | None, day: DayGuess) -> Why | None:
    """The most probable cause for the fair oracle, of the three that have a branch."""
    if shopper is None:
        return None
    held = dict(zip(CAUSES, shopper.oracle[day.read].tolist(), strict=True))
    favourite = max(BRANCH_OF, key=lambda cause: held[cause])
    return _why(favourite, f"{favourite} {percent(held[favourite])}")


def _named(cause: str) -> str:
    return {"chain": "a chain: it follows from the item before", "taste": "taste"}.get(cause, "chance alone")


def _why(cause: str, text: str) -> Why:
    branch = BRANCH_OF.get(cause)
    return Why(branch or "noise", EVIDENCE[branch].mark if branch else "○", text)


@dataclass(frozen=True)
class Row:
    """One row of the chart: a bar for each day on which an item came."""

    name: str
    said: str
    bars: list[list[Part]]


def _strips(found: list[DayGuess], shopper: Shopper | None) -> list[Row]:
    followed = [day for day in found if day.actual]
    rows = [
        Row(
            "the guess was",
            "Full where it was the first guess, lower where it was among three or ten, a line where it was missed",
            [[Part("ink", HEIGHTS[_outcome(day)[0]])] for day in followed],
        ),
        Row(
            "the gate said",
            "The gate's three weights before each day",
            [[Part(branch, 100 * weight) for branch, weight in day.gate.items()] for day in followed],
        ),
    ]
    if shopper:
        columns = [(CAUSES.index(cause), look) for cause, look in (*BRANCH_OF.items(), ("noise", "faint"))]
        rows += [
            Row(
                "the true cause",
                "What made each purchase: rhythm, chain, taste, or chance alone",
                [[Part(BRANCH_OF.get(shopper.causes[day.read], "faint"), 100.0)] for day in followed],
            ),
            Row(
                "the fair oracle said",
                "What the fair oracle, which knows the process but not the customer, expected before each day",
                [[Part(look, 100 * float(shopper.oracle[day.read][at])) for at, look in columns] for day in followed],
            ),
        ]
    return rows
