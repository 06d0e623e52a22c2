"""What the page may ask for, as typed requests, and the one place that turns each into a change of the session."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from m2rec.errors import InputError
from m2rec.recommend.answer import Modality, Shares
from m2rec.ui import actions
from m2rec.ui.matching import LONGEST_TEXT
from m2rec.ui.presets import presets
from m2rec.ui.state import Comparison, ItemId, Session, State, Theme
from m2rec.ui.worlds import World, Worlds

Position = Annotated[int, Field(ge=0)]
Period = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Simple(_Action):
    """An action without arguments."""

    type: Literal["undo", "redo", "shuffle", "clear", "release", "show"]


class Add(_Action):
    """Add an item, at the end or at a position."""

    type: Literal["add"]
    item_id: ItemId
    at: Position | None = None


class Remove(_Action):
    """Remove the item at a position."""

    type: Literal["remove"]
    at: Position


class Move(_Action):
    """Move an item within the history."""

    type: Literal["move"]
    at: Position
    to: Position


class Repeat(_Action):
    """Put an item at every n-th position."""

    type: Literal["repeat"]
    item_id: ItemId
    every: Annotated[int, Field(ge=2)]


class Replace(_Action):
    """Take a whole list as the history, or add it to the end."""

    type: Literal["replace"]
    item_ids: tuple[ItemId, ...]
    append: bool = False


class Choose(_Action):
    """Choose a world or a preset."""

    type: Literal["world", "preset"]
    value: Annotated[str, Field(max_length=100)]


class Override(_Action):
    """Set one gate weight by hand; `current` are the three weights on the screen."""

    type: Literal["override"]
    modality: Modality
    weight: Annotated[float, Field(ge=0, le=1)]
    current: Shares


class Mute(_Action):
    """Mute a band of periods."""

    type: Literal["mute"]
    low: Period
    high: Period


class Unmute(_Action):
    """Hear a muted band again."""

    type: Literal["unmute"]
    index: Position


class Look(_Action):
    """Look at one period, or at none."""

    type: Literal["look"]
    period: Period | None


class Setting(_Action):
    """How many items, whether seen ones, what to compare with, which theme."""

    type: Literal["set"]
    k: int | None = None
    exclude_seen: bool | None = None
    compare: Comparison | Literal[""] | None = None
    theme: Theme | None = None


Action = Annotated[
    Simple | Add | Remove | Move | Repeat | Replace | Choose | Override | Mute | Unmute | Look | Setting,
    Field(discriminator="type"),
]


class Request(BaseModel):
    """A session, what to do to it, and the ranking the visitor sees now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: Session
    action: Action
    before: Annotated[tuple[ItemId, ...], Field(max_length=50)] = ()


class Ask(BaseModel):
    """Something to read that changes nothing: a dialog, the matches of a pasted list, or a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: Session
    what: Literal["details", "repeat", "paste", "match", "json", "csv", "python"]
    text: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""  # an item id or a pasted list


def perform(worlds: Worlds, session: Session, action: Action) -> Session:
    """The session after the action; InputError when it cannot be done."""
    if isinstance(action, Simple) and action.type in ("undo", "redo"):
        return actions.undo(session) if action.type == "undo" else actions.redo(session)
    if isinstance(action, Choose) and action.type == "world":
        return actions.step(session, opening(worlds.get(action.value), theme=session.state.theme))
    state = _changed(worlds.get(session.state.world), session.state, action)
    if isinstance(action, Look | Setting):
        return session.model_copy(update={"state": state})
    return actions.step(session, state)


def opening(world: World, theme: Theme = "auto") -> State:
    """The state a world opens with: its first preset."""
    return State(world=world.name, history=presets(world)[0].history, theme=theme)


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
            added = tuple(_known(world, item_id) for item_id in action.item_ids)
            return actions.replace(state, (*state.history, *added) if action.append else added)
        case Choose():
            return actions.replace(state, _preset(world, action.value))
        case Override():
            return actions.override(state, action.current, action.modality, action.weight)
        case Mute():
            return actions.mute(state, action.low, action.high)
        case Unmute():
            return actions.unmute(state, action.index)
        case Look():
            return state.but(period=action.period)
        case Setting():
            given = action.model_dump(exclude={"type"}, exclude_none=True)
            return state.but(**{name: value if value != "" else None for name, value in given.items()})
    return state


def _known(world: World, item_id: str) -> str:
    if item_id not in world.titles:
        raise InputError(f"“{item_id[:60]}” is not an item of {world.title}: search for one by its title.")
    return item_id


def _preset(world: World, key: str) -> tuple[str, ...]:
    for preset in presets(world):
        if preset.key == key:
            return preset.history
    raise InputError(
        f"There is no preset “{key[:60]}”; there are {', '.join(preset.key for preset in presets(world))}."
    )
