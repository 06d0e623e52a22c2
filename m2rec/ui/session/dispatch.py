"""Turns the action of a request into a change of the session."""

from m2rec.errors import InputError
from m2rec.text_safety import quoted
from m2rec.ui.lessons import LAST_STEP, lesson
from m2rec.ui.lessons.measures import starting_history
from m2rec.ui.session import actions
from m2rec.ui.session.requests import (
    Action,
    Add,
    AdvanceLesson,
    Choose,
    ChooseAnswer,
    FoldInto,
    Keep,
    Look,
    MarkPeriod,
    Move,
    Mute,
    OpenLesson,
    Override,
    Remove,
    Repeat,
    Replace,
    Setting,
    Simple,
    SketchGate,
    Unmute,
)
from m2rec.ui.session.state import Session, State, Theme
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds


def dispatch(worlds: Worlds, session: Session, action: Action) -> Session:
    """The session after the action; InputError when it cannot be done."""
    if isinstance(action, Simple) and action.type in ("undo", "redo"):
        return actions.undo(session) if action.type == "undo" else actions.redo(session)
    if isinstance(action, Choose) and action.type == "world":
        return actions.step(session, opening(worlds.get(action.value), theme=session.state.theme))
    if isinstance(action, OpenLesson):
        return actions.step(session, _opened(worlds, session.state, action.lesson))
    if isinstance(action, AdvanceLesson):
        return _advanced(worlds, session, action.type)
    state = _changed(worlds.get(session.state.world), session.state, action)
    a_look = state.theme != session.state.theme or isinstance(
        action, Look | FoldInto | ChooseAnswer | MarkPeriod | SketchGate
    )
    if a_look:  # which undo leaves as it is
        return session.model_copy(update={"state": state})
    return actions.step(session, state)


def opening(world: World, theme: Theme = "auto") -> State:
    """The state a world opens with: its first preset."""
    first = world.presets[0]
    return State(world=world.name, history=first.history, days=first.days, theme=theme)


def _opened(worlds: Worlds, state: State, lesson_id: str | None) -> State:
    """The first step of a lesson, on its own history; or the same state without a lesson and its comparison.

    One that names no world is given in the default one: the teacher's sheet was computed there, and the lesson before
    may have been in another.
    """
    if lesson_id is None:
        left = state.replace(lesson=None, lesson_step=0, lesson_choice=None, lesson_mark=None, lesson_sketch=None)
        did = lesson(state.lesson).do if state.lesson else None
        chosen_by_hand = not isinstance(did, Setting) or did.compare != state.compare
        return left if chosen_by_hand else left.replace(compare=None)
    chosen = lesson(lesson_id)
    world = worlds.get(chosen.world) if chosen.world else worlds.default
    begun = starting_history(chosen, world)
    start = actions.replace(State(world=world.name, k=state.k, theme=state.theme), begun.history, begun.days)
    return start.replace(lesson=chosen.id)


def _advanced(worlds: Worlds, session: Session, what: str) -> Session:
    state = session.state
    if state.lesson is None:
        raise InputError("No lesson is open: choose one from the list of lessons.")
    if what == "lesson_show" and (state.lesson_step > 0 or _acted(worlds, state)):
        return session.model_copy(update={"state": state.replace(lesson_step=LAST_STEP)})
    changed = _changed(
        worlds.get(state.world), state, lesson(state.lesson).do
    )  # its outcome exists only once it is done
    return actions.step(session, changed.replace(lesson_step=LAST_STEP if what == "lesson_show" else 1))


def _acted(worlds: Worlds, state: State) -> bool:
    """Whether the visitor has changed something since the lesson began."""
    begun = _opened(worlds, state, state.lesson)
    return any(getattr(state, name) != getattr(begun, name) for name in ("history", "gate_override", "band_mask"))


def _changed(world: World, state: State, action: Action) -> State:
    match action:
        case Simple(type="shuffle"):
            return actions.shuffle(state)
        case Simple(type="clear"):
            return actions.clear(state)
        case Simple(type="release"):
            return actions.release(state)
        case Add():
            return actions.add(state, _known(world, action.item_id), action.at)
        case Remove():
            return actions.remove(state, action.at)
        case Move():
            return actions.move(state, action.at, action.to)
        case Repeat():
            return actions.repeat(state, _known(world, action.item_id), action.every)
        case Replace():
            if not action.item_ids:
                raise InputError("Nothing in this list is an item of this world: the history stays as it is.")
            added = tuple(_known(world, item_id) for item_id in action.item_ids)
            return (actions.append if action.append else actions.replace)(state, added, action.days)
        case Keep():
            return actions.keep(state, action.newest)
        case Choose():
            chosen = world.preset(action.value)
            return actions.replace(state, chosen.history, chosen.days)
        case Override():
            return actions.override(state, action.current, action.branch, action.weight)
        case Mute():
            return actions.mute(state, action.low, action.high)
        case Unmute():
            return actions.unmute(state, action.index)
        case Look():
            return state.replace(period=action.period)
        case ChooseAnswer():
            return state.replace(lesson_choice=action.choice)
        case MarkPeriod():
            return state.replace(lesson_mark=action.period)
        case SketchGate():
            return state.replace(lesson_sketch=action.gate)
        case FoldInto():
            return state.replace(fold=action.every)
        case Setting():
            given = action.model_dump(exclude={"type"}, exclude_none=True)
            return state.replace(**{name: value if value != "" else None for name, value in given.items()})
    return state


def _known(world: World, item_id: str) -> str:
    if not world.knows(item_id):
        raise InputError(f"{quoted(item_id)} is not an item of {world.title}: search for one by its title.")
    return item_id
