"""The input of the panels: the visitor's session, the model's answer to it, and the answer before."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from m2rec.branches import BranchName
from m2rec.recommend.answer import Answer
from m2rec.ui.render.words import Wording
from m2rec.ui.session.state import Session, State
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds

if TYPE_CHECKING:
    from m2rec.recommend.explain.calendar import CalendarSpectrum


@dataclass(frozen=True)
class PageContext:
    """One moment of the page. `before` are the item ids of the previous ranking, best first, to mark what moved."""

    worlds: Worlds
    world: World
    session: Session
    answer: Answer
    before: tuple[str, ...] = ()
    preset: str | None = None  # the one just chosen

    @property
    def state(self) -> State:
        """The session's present."""
        return self.session.state

    @cached_property
    def calendar(self) -> "CalendarSpectrum | None":
        """The spectrum in calendar time, where the history has dates enough."""
        if not self.state.days:
            return None
        return self.worlds.calendar(self.world.name, self.state.history, self.state.days)

    @property
    def gate_override(self) -> tuple[tuple[BranchName, float], ...] | None:
        """The gate that the visitor has set; see `gate_of`."""
        return gate_of(self.state)

    @cached_property
    def wording(self) -> Wording:
        """The world's words; interactions that have dates are not called days."""
        wording = self.world.wording
        return replace(wording, unit="interaction") if self.state.days and wording.unit == "day" else wording

    @cached_property
    def titles(self) -> dict[str, str]:
        """The titles of the history's entries."""
        return {entry: self.world.named(entry) for entry in self.state.history}


def ask(worlds: Worlds, state: State) -> Answer:
    """The answer to a state."""
    return worlds.answer(state.world, state.history, state.k, state.exclude_seen, gate_of(state), state.band_mask)


def gate_of(state: State) -> tuple[tuple[BranchName, float], ...] | None:
    """The gate that the visitor has set, as the caches of answers ask for it; None where it is the model's."""
    return tuple(sorted(state.gate_override.items())) if state.gate_override else None
