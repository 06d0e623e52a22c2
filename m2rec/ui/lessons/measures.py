"""What a lesson measures on the live answer: numbers for its check, words for its text."""

from collections import Counter
from dataclasses import dataclass, replace

from m2rec.branches import BRANCHES, EVIDENCE
from m2rec.recommend.answer import Spectrum
from m2rec.ui.lessons import Lesson
from m2rec.ui.render.comparison import compared
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.render.words import percent, plain_period
from m2rec.ui.session.presets import Preset
from m2rec.ui.session.requests import Setting
from m2rec.ui.session.state import Session, State
from m2rec.ui.session.worlds import World


@dataclass(frozen=True)
class Outcome:
    """What came of a lesson: whether this model does what the lesson expects, its answer in words, and whether the
    visitor's own choice was right (None when there was none).
    """

    holds: bool
    text: str
    chosen: str | None = None
    right: bool = False


def outcome(lesson: Lesson, context: PageContext) -> Outcome:
    """The lesson's answer, from the live model."""
    context = _beside(lesson, context)
    begun = starting_history(lesson, context.world)
    start = ask(context.worlds, State(world=context.world.name, history=begun.history))
    before = replace(context, answer=start, session=Session(state=context.state.replace(compare=None)))
    numbers = measured(context) | {
        f"{name}_change": context.answer.gates[name] - start.gates[name] for name in BRANCHES
    }
    holds = lesson.check.holds(numbers[lesson.check.measure])
    words = values(context) | {f"{name}_before": text for name, text in values(before).items()}
    answer = (lesson.answer if holds else lesson.otherwise).format(**words)
    number = context.state.lesson_choice
    if number is None or number >= len(lesson.choices):
        return Outcome(holds, answer)
    choice = lesson.choices[number]
    return Outcome(holds, answer, choice.text, choice.check.holds(numbers[choice.check.measure]))


def _beside(lesson: Lesson, context: PageContext) -> PageContext:
    """The context with the list that the lesson compares with, whatever the visitor compares with now."""
    if not isinstance(lesson.do, Setting) or not lesson.do.compare:
        return context
    return replace(context, session=Session(state=context.state.replace(compare=lesson.do.compare)))


def is_its_own(lesson: Lesson, context: PageContext) -> bool:
    """Whether the history still is the lesson's, shuffled, shortened or with some items changed."""
    begun, now = Counter(starting_history(lesson, context.world).history), Counter(context.state.history)
    same_world = lesson.world in (None, context.world.name)
    return same_world and bool(now) and 2 * (begun & now).total() > now.total()


def starting_history(lesson: Lesson, world: World) -> Preset:
    """The lesson's preset, or its stand-in in a world that has not the first."""
    has_it = lesson.stand_in is None or any(one.key == lesson.preset for one in world.presets)
    return world.preset(lesson.preset if has_it else str(lesson.stand_in))


def measured(context: PageContext) -> dict[str, float]:
    """Every number a check may name."""
    spectrum = context.answer.spectrum
    other = compared(context)
    same = bool(other and other.rows and context.answer.items and other.rows[0].title == context.answer.items[0].title)
    return {
        **{str(name): weight for name, weight in context.answer.gates.items()},
        "peaks": float(len(spectrum.significant)) if spectrum else 0.0,
        "same_first": float(same),
        "shared": float(sum(row.shared for row in other.rows)) if other else 0.0,
        "leader": float(max(range(len(BRANCHES)), key=lambda at: context.answer.gates[BRANCHES[at]])),
        "strongest": spectrum.significant[0] if spectrum and spectrum.significant else 0.0,
    }


def values(context: PageContext) -> dict[str, str]:
    """What a lesson's text may name in braces, each as words."""
    answer, other = context.answer, compared(context)
    leader = max(BRANCHES, key=lambda name: answer.gates[name])
    rows = other.rows if other else []
    return {
        **{name: percent(answer.gates[name]) for name in BRANCHES},
        **_spectrum_words(answer.spectrum),
        "leader": EVIDENCE[leader].name,
        "leading": percent(answer.gates[leader]),
        "length": str(len(answer.history)),
        "shared": str(sum(row.shared for row in rows)),
        "shown": str(len(rows)),
        "first": answer.items[0].title if answer.items else "nothing",
        "other_first": rows[0].title if rows else "nothing",
    }


def _spectrum_words(spectrum: Spectrum | None) -> dict[str, str]:
    if spectrum is None or not spectrum.period:
        return {"strongest": "no period", "power": "0", "chance": "0", "bins": "0", "peaks": "0"}
    at = max(range(len(spectrum.period)), key=lambda index: spectrum.power[index] - spectrum.threshold[index])
    return {
        "strongest": f"period {plain_period(spectrum.period[at])}",
        "power": f"{spectrum.power[at]:.1f}",
        "chance": f"{spectrum.threshold[at]:.1f}",
        "bins": str(len(spectrum.period)),
        "peaks": str(len(spectrum.significant)),
    }
