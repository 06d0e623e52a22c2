"""A printable page for teachers on each lesson: aim, steps, question, and answers computed by the model."""

from collections.abc import Sequence
from dataclasses import dataclass

from m2rec.branches import BRANCHES, EVIDENCE
from m2rec.recommend.answer import RankedItem
from m2rec.ui.lessons import LAST_STEP, Lesson, lessons
from m2rec.ui.lessons.measures import measured, outcome, starting_history
from m2rec.ui.render.comparison import Row as Compared
from m2rec.ui.render.comparison import compared
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.render.templating import render
from m2rec.ui.render.words import percent, plain_period
from m2rec.ui.session.dispatch import dispatch
from m2rec.ui.session.requests import AdvanceLesson, OpenLesson
from m2rec.ui.session.state import Session, State
from m2rec.ui.session.worlds import Worlds

WAYS = {
    "mark": "Each puts the marker on the empty spectrum where it should be highest.",
    "sketch": "Each sketches the three weights with the sliders of the lesson.",
}


@dataclass(frozen=True)
class Answer:
    """One possible answer to the lesson's question, and whether it is right."""

    text: str
    right: bool


@dataclass(frozen=True)
class Row:
    """One figure, before and after the lesson's action."""

    name: str
    before: str
    after: str


def sheet(worlds: Worlds, one: Lesson) -> str:
    """A lesson's sheet as a self-contained HTML document. Raises InputError or CheckpointError without its world."""
    begun, shown = _played(worlds, one)
    found = outcome(one, shown)
    return render(
        "sheet.html.j2",
        lesson=one,
        number=[other.id for other in lessons()].index(one.id) + 1,
        count=len(lessons()),
        world=shown.world,
        preset=starting_history(one, shown.world),
        asked_in=WAYS["mark" if one.mark else "sketch"] if not one.choices else "",
        answers=_answers(one, shown),
        text=found.text[:1].upper() + found.text[1:],
        rows=_rows(begun, shown),
        trained=shown.world.recommender.config.training.date,
    )


def _played(worlds: Worlds, one: Lesson) -> tuple[PageContext, PageContext]:
    """The lesson at its start, and with its answer after its action."""
    world = worlds.get(one.world) if one.world else worlds.default
    empty = Session(state=State(world=world.name))
    begun = dispatch(worlds, empty, OpenLesson(type="lesson", lesson=one.id))
    shown = dispatch(worlds, begun, AdvanceLesson(type="lesson_show"))
    assert shown.state.lesson_step == LAST_STEP
    first, last = (PageContext(worlds, world, session, ask(worlds, session.state)) for session in (begun, shown))
    return first, last


def _answers(one: Lesson, shown: PageContext) -> list[Answer]:
    """All choices, or the right marker or sketch."""
    numbers = measured(shown)
    if one.choices:
        return [Answer(choice.text, choice.check.holds(numbers[choice.check.measure])) for choice in one.choices]
    if one.mark:
        return [Answer(f"period {plain_period(numbers['strongest'])}", True)]
    weights = ", ".join(f"{EVIDENCE[name].name.lower()} {percent(shown.answer.gates[name])}" for name in BRANCHES)
    return [Answer(f"a sketch that gives most to what the gate gives most to: {weights}", True)]


def _rows(begun: PageContext, shown: PageContext) -> list[Row]:
    """Figures that the class sees on the page, before and after the lesson's action."""
    rows = [
        Row(
            f"{EVIDENCE[name].name} weight",
            percent(begun.answer.gates[name]),
            percent(shown.answer.gates[name]),
        )
        for name in BRANCHES
    ]
    rows.append(Row("Periods that stand out", _peaks(begun), _peaks(shown)))
    rows.append(Row("First recommendation", _first(begun.answer.items), _first(shown.answer.items)))
    if other := compared(shown):
        rows.append(Row(f"First: {other.title.lower()}", "", _first(other.rows)))
        rows.append(Row("In both lists", "", f"{sum(row.shared for row in other.rows)} of {len(other.rows)}"))
    return rows


def _peaks(context: PageContext) -> str:
    spectrum = context.answer.spectrum
    return ", ".join(map(plain_period, spectrum.significant)) if spectrum and spectrum.significant else "none"


def _first(listed: Sequence[RankedItem | Compared]) -> str:
    return f"{listed[0].title}, {percent(listed[0].probability or 0)}" if listed else "nothing"
