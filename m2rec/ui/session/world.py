"""A world: one data set with its trained model, which is loaded when first needed, and how the page speaks of it."""

import logging
import threading
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from m2rec.data.settings import Source
from m2rec.data.sources.customers import people_of
from m2rec.data.sources.person import Person
from m2rec.data.sources.registry import how_to_get
from m2rec.errors import CheckpointError, InputError, M2RecError
from m2rec.item_ids import INVENTED
from m2rec.text_safety import printable, quoted
from m2rec.ui.render.words import Wording
from m2rec.ui.session.presets import Preset, make

if TYPE_CHECKING:
    from m2rec.recommend.catalogue import CatalogueItem
    from m2rec.recommend.recommender import Recommender

NEEDED = ("config.json", "model.safetensors", "items.csv")

log = logging.getLogger(__name__)

Load = Callable[[], "Recommender"]


@lru_cache(maxsize=1)
def _descriptions() -> dict[str, dict[str, Any]]:
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
        known = _descriptions().get(self.name, {})
        self.title = known.get("title", self.name.replace("-", " ").capitalize())
        self.about = known.get("about", "")
        self.opens = known.get("opens", [])
        self.staple = known.get("staple")
        self.wording = Wording(**{name: known[name] for name in ("verb", "unit", "who") if name in known})

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
        how = how_to_get(source)
        return f"The titles of this world may not be shipped, so it shows numbers: {how}, then start the page again."

    @cached_property
    def presets(self) -> tuple[Preset, ...]:
        """Histories to start from, the default first."""
        made = make(self.recommender, self.staple, self.people(self))
        self.recommender.forget()  # hundreds of histories were tried, which nobody will ask about
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


def world_in(folder: Path) -> World | None:
    """The world of a checkpoint folder, with its error if a file is missing; None if none of the files is there."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if len(missing) == len(NEEDED):
        return None
    error = f"The checkpoint {folder.name} lacks {', '.join(missing)}: fetch or train it again." if missing else None
    return World(folder.name, _loader(folder), folder, error, _people)


def _people(world: World) -> tuple[Person, ...]:
    recommender = world.recommender
    try:
        return people_of(cast(Source, recommender.config.data.source), set(world.items), recommender.max_history)
    except M2RecError:  # the world is shown even if its data cannot be read
        return ()


def _loader(path: Path) -> Load:
    def load() -> "Recommender":
        from m2rec.recommend.recommender import Recommender  # imported late: only a model needs it

        return Recommender.from_pretrained(path).with_titles()

    return load
