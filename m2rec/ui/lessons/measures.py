"""What lessons measure on the live answer: numbers for their checks, and words for their texts."""

from collections import Counter
from dataclasses import dataclass, replace
from math import inf

from m2rec.branches import BRANCHES, EVIDENCE, BranchName
from m2rec.recommend.answer import PerBranch, Spectrum
from m2rec.ui.lessons import Lesson, lesson
from m2rec.ui.render.comparison import compared
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.render.words import percent, plain_period
from m2rec.ui.session.presets import Preset
from m2rec.ui.session.requests import Setting
from m2rec.ui.session.state import Session, State
from m2rec.ui.session.world import World


@dataclass(frozen=True)
class Outcome:
    """The result of a lesson.

    `holds` says whether this model behaves as the lesson expects; `text` is the lesson's answer. `said` is the reply to
    the visitor's own answer (empty if there was none), and `right` says whether that answer was right.
    """

    holds: bool
    text: str
    said: str = ""
    right: bool = False


def outcome(lesson: Lesson, context: PageContext) -> Outcome:
    """The result of a lesson, from the live model's answer."""
    context = _with_comparison(lesson, context)
    begun = starting_history(lesson, context.world)
    start = ask(context.worlds, State(world=context.world.name, history=begun.history))
    before = replace(context, answer=start, session=Session(state=context.state.replace(compare=None)))
    numbers = measured(context) | {
        f"{name}_change": context.answer.gates[name] - start.gates[name] for name in BRANCHES
    }
    holds = lesson.check.holds(numbers[lesson.check.measure])
    words = values(context) | {f"{name}_before": text for name, text in values(before).items()}
    answer = (lesson.answer if holds else lesson.otherwise).format(**words)
    said, right = _reply(lesson, context.state, numbers, words)
    return Outcome(holds, answer, said, right)


def _reply(lesson: Lesson, state: State, numbers: dict[str, float], words: dict[str, str]) -> tuple[str, bool]:
    """The reply to the visitor's answer (empty if there was none), and whether that answer was right."""
    number = state.lesson_choice
    if lesson.choices and number is not None and number < len(lesson.choices):
        choice = lesson.choices[number]
        right = choice.check.holds(numbers[choice.check.measure])
        return f"You expected “{choice.text}”{', and so it is.' if right else ': it is otherwise here.'}", right
    guess = lesson.mark if state.lesson_mark is not None else None
    guess = lesson.sketch if state.lesson_sketch is not None and lesson.sketch else guess
    if guess is None:
        return "", False
    right = guess.check.holds(numbers[guess.check.measure])
    return (guess.right if right else guess.wrong).format(**words), right


def _with_comparison(lesson: Lesson, context: PageContext) -> PageContext:
    """The context with the lesson's own comparison, which the visitor may have changed."""
    if not isinstance(lesson.do, Setting) or not lesson.do.compare:
        return context
    return replace(context, session=Session(state=context.state.replace(compare=lesson.do.compare)))


def is_its_own(lesson: Lesson, context: PageContext) -> bool:
    """Whether the history is still the lesson's, perhaps shuffled, shortened or with some items changed."""
    begun, now = Counter(starting_history(lesson, context.world).history), Counter(context.state.history)
    same_world = lesson.world in (None, context.world.name)
    return same_world and bool(now) and 2 * (begun & now).total() > now.total()


def asks_for_a_mark(context: PageContext) -> bool:
    """Whether a lesson waits for the marker, and the spectrum is hidden until it is set."""
    state = context.state
    if state.lesson is None or state.lesson_step > 0:
        return False
    one = lesson(state.lesson)
    return one.mark is not None and is_its_own(one, context)


def starting_history(lesson: Lesson, world: World) -> Preset:
    """The preset that the lesson starts from."""
    return world.preset(lesson.preset)


def measured(context: PageContext) -> dict[str, float]:
    """All numbers that a check may use, by name."""
    spectrum = context.answer.spectrum
    other = compared(context)
    same = bool(other and other.rows and context.answer.items and other.rows[0].title == context.answer.items[0].title)
    return {
        **{str(name): weight for name, weight in context.answer.gates.items()},
        "peaks": float(len(spectrum.significant)) if spectrum else 0.0,
        "same_first": float(same),
        "shared": float(sum(row.shared for row in other.rows)) if other else 0.0,
        "strongest": spectrum.significant[0] if spectrum and spectrum.significant else 0.0,
        **_guess_numbers(context),
    }


def _guess_numbers(context: PageContext) -> dict[str, float]:
    """The marker's distance from the strongest period, and whether sketch and gate have the same leader."""
    state, spectrum, gates = context.state, context.answer.spectrum, context.answer.gates
    off = inf
    if state.lesson_mark is not None and spectrum and spectrum.significant:
        off = abs(state.lesson_mark - spectrum.significant[0])
    sketch = state.lesson_sketch
    return {"mark_off": off, "same_leader": float(sketch is not None and _leader(sketch) == _leader(gates))}


def _leader(gates: PerBranch) -> BranchName:
    return max(BRANCHES, key=lambda name: gates[name])


def values(context: PageContext) -> dict[str, str]:
    """All values that a lesson's text may use in braces, as words."""
    answer, other = context.answer, compared(context)
    leader = _leader(answer.gates)
    rows = other.rows if other else []
    shared = sum(row.shared for row in rows)
    return {
        **{name: percent(answer.gates[name]) for name in BRANCHES},
        **_spectrum_words(answer.spectrum),
        **_guess_words(context),
        "leader": EVIDENCE[leader].name,
        "leading": percent(answer.gates[leader]),
        "length": str(len(answer.history)),
        "shared": str(shared),
        "stay": "stays" if shared == 1 else "stay",
        "shown": str(len(rows)),
        "first": answer.items[0].title if answer.items else "nothing",
        "first_probability": percent(answer.items[0].probability) if answer.items else "0 %",
        "other_first": rows[0].title if rows else "nothing",
        "other_probability": percent(rows[0].probability or 0.0) if rows else "0 %",
    }


def _spectrum_words(spectrum: Spectrum | None) -> dict[str, str]:
    if spectrum is None or not spectrum.period:
        return {"strongest": "no period", "power": "0", "chance": "0", "bins": "0", "peaks": "0"}
    at = max(range(len(spectrum.period)), key=lambda index: spectrum.power[index] / spectrum.threshold[index])
    return {
        "strongest": f"period {plain_period(spectrum.period[at])}",
        "power": f"{spectrum.power[at]:.1f}",
        "chance": f"{spectrum.threshold[at]:.1f}",
        "bins": str(len(spectrum.period)),
        "peaks": str(len(spectrum.significant)),
    }


def _guess_words(context: PageContext) -> dict[str, str]:
    """Words on the marker and the power there, and on the sketch's largest weight and the gate's weight for it."""
    state, spectrum, gates = context.state, context.answer.spectrum, context.answer.gates
    words = {"mark": "nowhere", "mark_power": "0", "mark_chance": "0"}
    words |= {"sketch_leader": "nothing", "sketch_leading": "0 %", "sketch_leader_gate": "0 %", "sketch_off": "0"}
    if (mark := state.lesson_mark) is not None and spectrum and spectrum.period:
        at = min(range(len(spectrum.period)), key=lambda index: abs(spectrum.period[index] - mark))
        words["mark"] = plain_period(mark)
        words["mark_power"], words["mark_chance"] = f"{spectrum.power[at]:.1f}", f"{spectrum.threshold[at]:.1f}"
    if sketch := state.lesson_sketch:
        leader = _leader(sketch)
        words["sketch_leader"], words["sketch_leading"] = EVIDENCE[leader].name, percent(sketch[leader])
        words["sketch_leader_gate"] = percent(gates[leader])
        words["sketch_off"] = f"{50 * sum(abs(sketch[name] - gates[name]) for name in BRANCHES):.0f}"
    return words
