"""The network shapes that are timed: those of the shipped worlds, with the sizes of their catalogues."""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from m2rec.errors import CheckpointError
from m2rec.model.config import ModelConfig, ModelSettings
from m2rec.world_names import FILMS
from m2rec.worlds.settings import load_world

FILM_COUNT = 3416  # items of MovieLens-1M after 5-core


@dataclass(frozen=True)
class Shape:
    """M2Rec's settings in a world, and the size of its catalogue, of which `warm_items` have an ID vector."""

    world: str
    settings: ModelSettings
    items: int
    warm_items: int

    @classmethod
    def of(cls, world: str, config: ModelConfig) -> "Shape":
        """The shape of a world's trained network."""
        given = config.model_dump()
        settings = ModelSettings(**{name: given[name] for name in ModelSettings.model_fields})
        return cls(world, settings, config.items, config.warm_items)


def film_shape() -> Shape:
    """The shape for MovieLens-1M, from its settings file alone: no data or checkpoint is needed."""
    return Shape(FILMS, load_world(FILMS).model, FILM_COUNT, FILM_COUNT)


def shipped_shapes(checkpoints: Path) -> list[Shape]:
    """The shape for MovieLens-1M, then those of the other checkpoints in this folder, in alphabetical order.

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
