"""The worlds a visitor can choose: found on disk, loaded when first needed. A broken one is listed with its error."""

import logging
import threading
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from m2rec.checkpoint import Item
from m2rec.data.settings import Source
from m2rec.data.sources.customers import people_of
from m2rec.data.sources.person import Person
from m2rec.data.sources.registry import HOW_TO_GET, titles_for
from m2rec.errors import CheckpointError, InputError, M2RecError
from m2rec.recommend.answer import Answer, Shares
from m2rec.recommend.history import INVENTED
from m2rec.text_safety import printable, quoted
from m2rec.ui.render.words import Wording
from m2rec.ui.session.cache import Cache
from m2rec.ui.session.presets import Preset, make

if TYPE_CHECKING:
    from m2rec.recommend.candidates import Candidate
    from m2rec.recommend.catalogue import CatalogueItem
    from m2rec.recommend.explain.calendar import CalendarSpectrum
    from m2rec.recommend.explain.computation import Computation
    from m2rec.recommend.explain.days import DayGuess
    from m2rec.recommend.recommender import Recommender

FIRST = "rhythm-market"
CACHED_ANSWERS = 256
CACHED_SERIES = 16  # histories played, of up to thousands of days each
NEEDED = ("config.json", "model.safetensors", "items.csv")

log = logging.getLogger(__name__)

Load = Callable[[], "Recommender"]


@lru_cache(maxsize=1)
def _known() -> dict[str, dict[str, Any]]:
    return tomllib.loads((files("m2rec.ui.session") / "worlds.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _theme_names() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((files("m2rec.ui.session") / "themes.toml").read_text(encoding="utf-8"))


@dataclass
class World:
    """One data set with its trained model; `folder` is where its metrics and model card lie."""

    name: str
    load: Load
    folder: Path | None = None
    error: str | None = None
    people: Callable[["World"], tuple[Person, ...]] = lambda world: ()  # real histories, where there are any
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _loaded: "Recommender | None" = field(default=None, repr=False)

    def __post_init__(self) -> None:
        known = _known().get(self.name, {})
        self.title = known.get("title", self.name.replace("-", " ").capitalize())
        self.about = known.get("about", "")
        self.opens = known.get("opens", [])
        self.staple = known.get("staple")
        self.wording = Wording(known.get("verb", "choose"), known.get("unit", "interaction"))

    @property
    def recommender(self) -> "Recommender":
        """The model, loaded on first use; CheckpointError with the reason, every time, when it cannot be."""
        with self._lock:
            if self.error is None and self._loaded is None:
                try:
                    self._loaded = self.load()
                except M2RecError as error:
                    self.error = str(error)
                except Exception as error:  # one broken world must not affect the others
                    log.exception("The world %s cannot be loaded.", self.name)
                    self.error = (
                        f"The world {self.name} cannot be loaded ({quoted(str(error))}): fetch or train it again."
                    )
            if self._loaded is None:
                raise CheckpointError(self.error)
            return self._loaded

    @cached_property
    def items(self) -> "dict[str, CatalogueItem]":
        """The catalogue by item id, in the model's order: most popular first."""
        return {item.item_id: item for item in self.recommender.items}

    def named(self, entry: str) -> str:
        """The title of a history's entry: an item's, or the visitor's text of an invented one."""
        return self.items[entry].title if entry in self.items else printable(entry.removeprefix(INVENTED))

    def knows(self, entry: str) -> bool:
        """Whether an entry is valid in a history: an item id, or an invention."""
        return entry in self.items or (entry.startswith(INVENTED) and bool(printable(entry.removeprefix(INVENTED))))

    @property
    def ships_titles(self) -> bool:
        """Whether the checkpoint itself holds the titles, so that they are known wherever it is loaded."""
        return bool(self.recommender.config.titles == "shipped")

    @property
    def missing_titles(self) -> str | None:
        """How to get the titles, where they could not be shipped and this machine has none; else None."""
        if any(item.title != f"Item {item.item_id}" for item in self.recommender.items[:20]):
            return None
        source = self.recommender.config.data.source
        how = HOW_TO_GET.get(cast(Source, source), f"set M2REC_DATA to a folder that holds {source}")
        return f"The titles of this world may not be shipped, so it shows numbers: {how}, then start the page again."

    @cached_property
    def presets(self) -> tuple[Preset, ...]:
        """Histories to start from, the default first."""
        made = make(self.recommender, self.staple, self.people(self))
        first = next((key for key in self.opens if any(one.key == key for one in made)), None)
        return tuple(sorted(made, key=lambda one: one.key != first)) if first else made

    def preset(self, key: str) -> Preset:
        """The preset of that key; InputError names those there are."""
        for one in self.presets:
            if one.key == key:
                return one
        raise InputError(f"There is no preset {quoted(key)}; there are {', '.join(one.key for one in self.presets)}.")

    def theme_name(self, items: Sequence[str]) -> str:
        """The name of a theme, found by its typical titles, or those titles where it has none."""
        for name, titles in _theme_names().get(self.name, {}).items():
            if 2 * len({*items} & {*titles}) > len(items):
                return name
        return f"things like {', '.join(items)}"


class Worlds:
    """Every world on offer, in the order of the list."""

    def __init__(self, worlds: Mapping[str, World]) -> None:
        if not worlds:
            raise CheckpointError("No world was found: train one, or run from the folder that holds checkpoints/.")
        self._worlds = dict(sorted(worlds.items(), key=lambda entry: (entry[0] != FIRST, entry[0])))
        self._answer = Cache(self._compute, CACHED_ANSWERS)
        self.candidates = Cache(self._candidates, CACHED_ANSWERS)
        self.probability = Cache(self._probability, CACHED_ANSWERS)
        self.influence = Cache(self._influence, CACHED_ANSWERS)
        self.guesses = Cache(self._guesses, CACHED_SERIES)
        self.calendar = Cache(self._calendar, CACHED_ANSWERS)

    @classmethod
    def find(cls, folder: Path) -> "Worlds":
        """One world for each folder in `folder` that looks like a checkpoint, whole or not."""
        found: dict[str, World] = {}
        for path in sorted(folder.glob("*/")) if folder.is_dir() else []:
            missing = [name for name in NEEDED if not (path / name).is_file()]
            if len(missing) == len(NEEDED):
                continue
            error = (
                f"The checkpoint {path.name} lacks {', '.join(missing)}: fetch or train it again." if missing else None
            )
            found[path.name] = World(path.name, _loader(path), path, error, _people)
        return cls(found)

    def __iter__(self) -> Any:
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
        gate_override: Shares | None = None,
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

    def _influence(self, name: str, history: tuple[str, ...], item_id: str) -> list[float]:
        """The effect of each history item on an item's log-probability; cached like answers."""
        return self.get(name).recommender.influence(list(history), item_id)

    def _calendar(self, name: str, history: tuple[str, ...], days: tuple[int | None, ...]) -> "CalendarSpectrum | None":
        """The spectrum in calendar time, where the history has dates enough; cached like answers."""
        if not any(day is not None for day in days):
            return None
        from m2rec.recommend.explain.calendar import calendar_of

        return calendar_of(self.get(name).recommender, list(history), days)


def _people(world: World) -> tuple[Person, ...]:
    recommender = world.recommender
    try:
        return people_of(cast(Source, recommender.config.data.source), set(world.items), recommender.max_history)
    except M2RecError:  # the world is shown even if its data cannot be read
        return ()


def _loader(path: Path) -> Load:
    def load() -> "Recommender":
        from m2rec.recommend.recommender import (
            Recommender,
        )  # imported late: only a model needs it

        shipped = Recommender.from_pretrained(path)
        if shipped.config.titles == "shipped":
            return shipped
        table = titles_for(cast(Source, shipped.config.data.source), [item.item_id for item in shipped.items])
        if table is None:
            return shipped
        found = zip(table["item"], table["title"], table["text"], table["group"], strict=True)
        return Recommender(shipped.checkpoint, [Item(*row) for row in found])

    return load
