"""The actions on a state, as pure functions; those made by `step` can be undone. Dates belong to places, not to items:
a moved item has another date, and a new place has none.
"""

import random
from collections.abc import Sequence

from m2rec.branches import BRANCHES, BranchName
from m2rec.errors import InputError
from m2rec.recommend.answer import PerBranch
from m2rec.ui.session.link import from_link, to_link
from m2rec.ui.session.state import HISTORY_LIMIT, LONGEST_LINK, LONGEST_UNDO, UNDO_LIMIT, Session, State

SHUFFLE_SEED = 505
LOOKS = ("theme", "fold", "period")  # no undo for these
LESSON = ("lesson", "lesson_step", "lesson_choice", "lesson_mark", "lesson_sketch")  # nor for these in the same lesson


def add(state: State, item_id: str, at: int | None = None) -> State:
    """The item becomes the newest of the history, or takes position `at`."""
    if len(state.history) >= HISTORY_LIMIT:
        raise InputError(f"The history already holds {HISTORY_LIMIT} items: remove some before adding more.")
    place = len(state.history) if at is None else at
    if not 0 <= place <= len(state.history):
        raise InputError(f"Position {place} is outside the history, which has places 0 to {len(state.history)}.")
    days = (*state.days[:place], None, *state.days[place:]) if state.days else ()
    return state.replace(history=(*state.history[:place], item_id, *state.history[place:]), days=days)


def remove(state: State, at: int) -> State:
    """The history without the item at position `at` (0 is the oldest)."""
    _inside(state, at)
    return _arranged(state, state.history[:at] + state.history[at + 1 :], state.days[:at] + state.days[at + 1 :])


def move(state: State, at: int, to: int) -> State:
    """The item at position `at` goes to position `to`; the others keep their order."""
    _inside(state, at)
    _inside(state, to)
    rest = [*state.history[:at], *state.history[at + 1 :]]
    rest.insert(to, state.history[at])
    return _arranged(state, tuple(rest), state.days)


def repeat(state: State, item_id: str, every: int) -> State:
    """Puts the item at every n-th position, counted back from the place that is due next, replacing what was there."""
    if every < 2:
        raise InputError("An item can be repeated every 2nd place or less often: choose a number from 2 up.")
    if every > len(state.history):
        raise InputError(
            f"A repeat every {every} places does not fit a history of {len(state.history)}: choose a smaller number."
        )
    history = list(state.history)
    for place in range(len(history) - every, -1, -every):
        history[place] = item_id
    return state.replace(history=tuple(history))


def shuffle(state: State, seed: int = SHUFFLE_SEED) -> State:
    """The same items in another order. The same history and seed always give the same order."""
    history = list(state.history)
    random.Random(f"{seed}:{state.history}").shuffle(history)
    return state.replace(history=tuple(history))


def clear(state: State) -> State:
    """An empty history, without muted bands and gate weights of the old one."""
    return replace(state, ())


def replace(state: State, item_ids: Sequence[str], days: Sequence[int | None] = ()) -> State:
    """Another history: a preset, a pasted list. Keeps the newest when there are too many."""
    return state.replace(
        history=tuple(item_ids)[-HISTORY_LIMIT:],
        days=tuple(days)[-HISTORY_LIMIT:],
        gate_override=None,
        band_mask=(),
        period=None,
    )


def append(state: State, item_ids: Sequence[str], days: Sequence[int | None] = ()) -> State:
    """A list at the end of the history. Where only one of the two has dates, the other's places have none."""
    if len(state.history) + len(item_ids) > HISTORY_LIMIT:
        raise InputError(
            f"History and list are more than {HISTORY_LIMIT} items together: remove some, or replace the history."
        )
    both: tuple[int | None, ...] = ()
    if any(day is not None for day in (*state.days, *days)):
        both = (*(state.days or (None,) * len(state.history)), *(days or (None,) * len(item_ids)))
    return state.replace(history=(*state.history, *item_ids), days=both)


def keep(state: State, newest: int) -> State:
    """Only the newest few interactions."""
    return state.replace(history=state.history[-newest:] if newest else (), days=state.days[-newest:] if newest else ())


def override(state: State, current: PerBranch, branch: BranchName, weight: float) -> State:
    """Sets one gate weight (0…1); the other two share the rest as they did before."""
    if not 0 <= weight <= 1:
        raise InputError(f"A gate weight lies between 0 and 1; {weight:g} does not.")
    others = [name for name in BRANCHES if name != branch]
    before = sum(current[name] for name in others)
    parts = {name: current[name] / before if before > 0 else 1 / len(others) for name in others}
    return state.replace(gate_override={branch: weight, **{name: (1 - weight) * parts[name] for name in others}})


def release(state: State) -> State:
    """The model's own gate again, with no band muted."""
    return state.replace(gate_override=None, band_mask=())


def mute(state: State, low: float, high: float) -> State:
    """Mutes the periods from `low` to `high` interactions; bands that overlap become one."""
    low, high = round(low, 3), round(high, 3)
    apart = []
    for start, stop in state.band_mask:
        if stop < low or start > high:
            apart.append((start, stop))
        else:
            low, high = min(low, start), max(high, stop)
    return state.replace(band_mask=(*apart, (low, high)))


def unmute(state: State, index: int) -> State:
    """Unmutes the band number `index`."""
    if not 0 <= index < len(state.band_mask):
        raise InputError(f"There is no muted band number {index + 1}.")
    return state.replace(band_mask=state.band_mask[:index] + state.band_mask[index + 1 :])


def _arranged(state: State, history: tuple[str, ...], days: tuple[int | None, ...]) -> State:
    """With some of the same items in another order: they have been checked, which takes longer than the change."""
    return state.model_copy(update={"history": history, "days": days})


def step(session: Session, state: State) -> Session:
    """The session after a change that can be undone. Nothing is recorded when nothing changed.

    Raises InputError when the new state is too long for a link.
    """
    if state == session.state:
        return session
    before = to_link(session.state)
    if len(to_link(state)) > max(LONGEST_LINK, len(before)):  # an item can always be removed
        raise InputError(
            "This history is too long for a link, in which the page keeps it: remove items, or shorten your own words."
        )
    return Session(state=state, undo=_recorded(session.undo, before))


def undo(session: Session) -> Session:
    """One change back; the session itself when there is none."""
    if not session.undo:
        return session
    state = _with_looks_of(from_link(session.undo[-1]), session.state)
    return Session(state=state, undo=session.undo[:-1], redo=_recorded(session.redo, to_link(session.state)))


def redo(session: Session) -> Session:
    """One undone change forward; the session itself when there is none."""
    if not session.redo:
        return session
    state = _with_looks_of(from_link(session.redo[-1]), session.state)
    return Session(state=state, undo=_recorded(session.undo, to_link(session.state)), redo=session.redo[:-1])


def _recorded(links: tuple[str, ...], link: str) -> tuple[str, ...]:
    """The links with one more, or without it if it could not be read again; the oldest go where there are too many."""
    if len(link) > LONGEST_LINK:
        return links
    recorded = (*links, link)[-UNDO_LIMIT:]
    while sum(map(len, recorded)) > LONGEST_UNDO:
        recorded = recorded[1:]
    return recorded


def _with_looks_of(state: State, now: State) -> State:
    """Undo concerns what the model is asked; how the page looks, and how far a lesson is, stays as it is. A lesson that
    was opened in between is left, as its history and its world are.
    """
    kept = LOOKS + LESSON * (state.lesson == now.lesson)
    return state.replace(**{name: getattr(now, name) for name in kept})


def _inside(state: State, at: int) -> None:
    if not 0 <= at < len(state.history):
        raise InputError(f"There is no item at position {at + 1}: the history has {len(state.history)}.")
