"""A random shop of thirty items as a checkpoint folder, small and quick to load.

Its weights are random, so its answers mean nothing, but no parameter has its initial zero, so all of them have an
effect. The shop has unusual items on purpose: two with the same title, a title with markup, one with a comma and
quotes, a numeric id, and two items without training events.
"""

from pathlib import Path

import torch

from m2rec.checkpoint import Checkpoint, CheckpointConfig, DataRecord, Item, TrainingRecord
from m2rec.model.config import ModelConfig
from m2rec.model.m2rec import M2Rec

NAME = "tiny-shop"
TITLES = {
    "Coffee & tea": ("Ground coffee", "Oat milk", "Green tea", "Espresso beans", "Chai mix", "Cocoa"),
    "Bread & grain": ("Sourdough loaf", "Rye crackers", "Basmati rice", "Spaghetti", "Rolled oats", "Bagels"),
    "Fruit & vegetables": ("Bananas", "Tomatoes", "Spinach", "Lemons", "Carrots", "Crème fraîche"),
    "Household": ("Dish soap", "Laundry liquid", "Sponges", "Bin bags", "Candles", "Oat milk"),
    "Treats": ("Dark chocolate", "Salted crisps", '<b>Bold</b> & "loud" nuts', 'Olives, "large"', "Popcorn", "Honey"),
}
COLD = 2
MAX_HISTORY = 40


def tiny_items() -> list[Item]:
    """Thirty items, most popular first; ids i00 … i28 and, for the last, the number 7."""
    rows = [(title, group) for group, titles in TITLES.items() for title in titles]
    ids = [f"i{place:02d}" for place in range(len(rows) - 1)] + ["7"]
    return [
        Item(item_id, title, f"{title}, from {group}", group) for item_id, (title, group) in zip(ids, rows, strict=True)
    ]


def tiny_config(**changes: object) -> ModelConfig:
    """The tiny shop's model settings, with changes."""
    items = len(tiny_items())
    settings: dict[str, object] = {
        "items": items,
        "warm_items": items - COLD,
        "text_width": 384,  # that of the real text encoder
        "width": 16,
        "max_length": MAX_HISTORY,
        "time_scales": (2.0, 8.0, 64.0),
        "heads_per_scale": 1,
        "head_width": 8,
        "state_width": 8,
        "filter_length": 24,
        "periods": (2, 3, 7, 14),
        "trend_scales": (4.0, 16.0),
        "identity_width": 8,
        "taste_scales": (4.0, 16.0),
    }
    return ModelConfig.model_validate(settings | changes)


def random_model(config: ModelConfig, seed: int = 0) -> M2Rec:
    """A model in evaluation mode with all parameters changed from their initial values: zeros could hide mistakes."""
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(config.items + 1, config.text_width, generator=generator)
    vectors = torch.nn.functional.normalize(vectors, dim=-1)
    vectors[0] = 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = M2Rec(config, vectors)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.25 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


def tiny_checkpoint(**changes: object) -> Checkpoint:
    """The shop in memory; `changes` go to the model's settings."""
    config = CheckpointConfig(
        world=NAME,
        trained_on="nothing: the weights are random",
        model=tiny_config(**changes),
        data=DataRecord(source="made up", split="none", fingerprint="0" * 64, users=0, events=0),
        training=TrainingRecord(
            settings={},
            command="none",
            epochs=0,
            best_epoch=0,
            seconds=0.0,
            peak_memory_mib=0.0,
            git_revision="none",
            date="2025-05-04",
        ),
    )
    weights = {name: tensor.numpy() for name, tensor in random_model(config.model).state_dict().items()}
    return Checkpoint(config, weights, tiny_items(), "# M2Rec: tiny-shop\n")


def save_tiny_world(folder: Path) -> Path:
    """Write the shop's checkpoint into `folder` and return it."""
    tiny_checkpoint().save(folder)
    return folder
