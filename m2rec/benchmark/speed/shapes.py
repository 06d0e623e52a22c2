"""The network shapes that are timed: those of the worlds that ship, each over as many items as its catalogue has."""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from m2rec.errors import CheckpointError
from m2rec.model.config import ModelConfig, ModelSettings
from m2rec.worlds.settings import load_world

FILMS = "ml-1m"  # the world that is shown for M2Rec where there is room for one
FILM_COUNT = 3416  # items of MovieLens-1M after 5-core


@dataclass(frozen=True)
class Shape:
    """M2Rec's settings in a world, and the size of the world's catalogue; `warm_items` of them have an ID vector."""

    world: str
    settings: ModelSettings
    items: int
    warm_items: int

    @classmethod
    def of(cls, world: str, config: ModelConfig) -> "Shape":
        """That of a world's trained network."""
        given = config.model_dump()
        settings = ModelSettings(**{name: given[name] for name in ModelSettings.model_fields})
        return cls(world, settings, config.items, config.warm_items)


def film_shape() -> Shape:
    """MovieLens-1M's, by its settings file: it need not be prepared or trained."""
    return Shape(FILMS, load_world(FILMS).model, FILM_COUNT, FILM_COUNT)


def shipped_shapes(checkpoints: Path) -> list[Shape]:
    """The films' shape first, then those of the other checkpoints in this folder, in alphabetical order.

    Raises CheckpointError for a configuration that cannot be read.
    """
    others = sorted(path for path in checkpoints.glob("*/config.json") if path.parent.name != FILMS)
    return [film_shape(), *map(_shape, others)]


def _shape(path: Path) -> Shape:
    try:
        config = ModelConfig.model_validate(json.loads(path.read_text(encoding="utf-8"))["model"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise CheckpointError(f"{path} is not a readable configuration; train or fetch it again.") from error
    return Shape.of(path.parent.name, config)
