"""Prepares a world's data for training."""

from m2rec.data.dataset import Dataset
from m2rec.data.prepare import prepare
from m2rec.data.prepared import Prepared
from m2rec.data.sources.registry import load_dataset, split_needs, split_rule
from m2rec.data.text import Encoder, TextEncoder
from m2rec.worlds.settings import WorldSettings


def prepare_world(
    world: WorldSettings, text_encoder: Encoder | None = None, dataset: Dataset | None = None
) -> Prepared:
    """Read, filter, split and encode a world's data. Nothing is saved: see `Prepared.save` and `prepared_folder`.

    `dataset` is what `load_dataset` gave, where it was called already.
    """
    dataset = dataset or load_dataset(world.data, world.name)
    return prepare(dataset, split_rule(world.data), text_encoder or TextEncoder(), split_needs(world.data))
