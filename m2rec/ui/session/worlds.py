"""The worlds a visitor can choose, in the order of the list, and what is asked of their models, cached."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from m2rec.errors import CheckpointError, InputError
from m2rec.recommend.answer import Answer, PerBranch
from m2rec.text_safety import quoted
from m2rec.ui.session.cache import Cache
from m2rec.ui.session.world import World, world_in
from m2rec.world_names import MARKET

if TYPE_CHECKING:
    from m2rec.recommend.candidates import Candidate
    from m2rec.recommend.explain.calendar import CalendarSpectrum
    from m2rec.recommend.explain.computation import Computation
    from m2rec.recommend.explain.days import DayGuess

CACHED_ANSWERS = 512  # the last two clicks of as many visitors as a server can answer at a time
CACHED_SERIES = 16  # histories played, of up to thousands of days each


class Worlds:
    """Every world on offer, in the order of the list."""

    def __init__(self, worlds: Mapping[str, World]) -> None:
        if not worlds:
            raise CheckpointError("No world was found: train one, or run from the folder that holds checkpoints/.")
        self._worlds = dict(sorted(worlds.items(), key=lambda entry: (entry[0] != MARKET, entry[0])))
        self._answer = Cache(self._compute, CACHED_ANSWERS)
        self.candidates = Cache(self._candidates, CACHED_ANSWERS)
        self.probability = Cache(self._probability, CACHED_ANSWERS)
        self.influence = Cache(self._influence, CACHED_ANSWERS)
        self.guesses = Cache(self._guesses, CACHED_SERIES)
        self.calendar = Cache(self._calendar, CACHED_ANSWERS)

    @classmethod
    def find(cls, folder: Path) -> "Worlds":
        """One world for each folder in `folder` that looks like a checkpoint, whole or not."""
        worlds = map(world_in, sorted(folder.glob("*/")) if folder.is_dir() else [])
        return cls({world.name: world for world in worlds if world})

    def __iter__(self) -> Iterator[World]:
        return iter(self._worlds.values())

    @property
    def default(self) -> World:
        """The first world that loads; CheckpointError when none does."""
        for world in self:
            try:
                _ = world.recommender
            except CheckpointError:
                continue
            return world
        raise CheckpointError(f"No world can be loaded. The first says: {next(iter(self)).error}")

    def load(self) -> None:
        """Loads every world, so that the broken ones are known."""
        for world in self:
            with suppress(CheckpointError):
                _ = world.recommender

    def get(self, name: str) -> World:
        """The world of that name; InputError names those there are."""
        if name not in self._worlds:
            raise InputError(f"There is no world called {quoted(name)}; there are {', '.join(self._worlds)}.")
        return self._worlds[name]

    def describe(self) -> list[dict[str, Any]]:
        """Each world as {name, title, about, error}, all of them loaded; error is null where there is none."""
        self.load()
        return [
            {"name": world.name, "title": world.title, "about": world.about, "error": world.error} for world in self
        ]

    def answer(
        self,
        name: str,
        history: tuple[str, ...],
        k: int = 10,
        exclude_seen: bool = False,
        gate_override: tuple[tuple[str, float], ...] | None = None,
        band_mask: tuple[tuple[float, float], ...] = (),
    ) -> Answer:
        """The answer of the world's model; cached."""
        return self._answer(name, history, k, exclude_seen, gate_override, band_mask)

    def _compute(
        self, name: str, history: tuple[str, ...], k: int, exclude_seen: bool, gate: Any, bands: Any
    ) -> Answer:
        return self.get(name).recommender.recommend(
            list(history),
            k=k,
            exclude_seen=exclude_seen,
            gate_override=dict(gate) if gate else None,
            band_mask=list(bands) or None,
        )

    def _candidates(
        self, name: str, history: tuple[str, ...], k: int, exclude_seen: bool, bands: Any
    ) -> "list[Candidate]":
        """The items that can be among the first k whatever the gate; cached like answers."""
        return self.get(name).recommender.candidates(list(history), k, exclude_seen, list(bands) or None)

    def _probability(
        self, name: str, history: tuple[str, ...], item_id: str, gate: Any, bands: Any, exclude_seen: bool
    ) -> float | None:
        """How likely an item is after a history, or None where it is not among the first fifty; cached like answers."""
        return self.get(name).recommender.probability(
            list(history), item_id, exclude_seen, dict(gate) if gate else None, list(bands) or None
        )

    def computation(
        self,
        name: str,
        history: Sequence[str],
        item_id: str,
        gate_override: PerBranch | None = None,
        band_mask: Sequence[tuple[float, float]] = (),
    ) -> "Computation":
        """How an item's probability after a history was computed. Raises InputError for an empty history."""
        from m2rec.recommend.explain.computation import computation

        return computation(self.get(name).recommender, list(history), item_id, gate_override, list(band_mask) or None)

    def _guesses(
        self, name: str, history: tuple[str, ...], exclude_seen: bool, gate: Any, bands: Any
    ) -> "list[DayGuess]":
        """What was guessed after each item of a history; kept like answers."""
        from m2rec.recommend.explain.days import guesses

        return guesses(
            self.get(name).recommender, list(history), exclude_seen, dict(gate) if gate else None, list(bands) or None
        )

    def _influence(self, name: str, history: tuple[str, ...], item_id: str, gate: Any, bands: Any) -> list[float]:
        """The effect of each history item on an item's log-probability; cached like answers."""
        return self.get(name).recommender.influence(
            list(history), item_id, dict(gate) if gate else None, list(bands) or None
        )

    def _calendar(self, name: str, history: tuple[str, ...], days: tuple[int | None, ...]) -> "CalendarSpectrum | None":
        """The spectrum in calendar time, where the history has dates enough; cached like answers."""
        if not any(day is not None for day in days):
            return None
        from m2rec.recommend.explain.calendar import calendar_of

        return calendar_of(self.get(name).recommender, list(history), days)
