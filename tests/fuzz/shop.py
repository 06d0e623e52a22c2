"""The tiny shop as the page serves it: the real recommender over random weights, beside a world that is broken."""

from collections.abc import Sequence

import numpy as np

from m2rec.checkpoint import Checkpoint, Item
from m2rec.recommend.recommender import Recommender
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.service import Service
from tests.tiny_world import tiny_checkpoint, tiny_items


class LetterEncoder:
    """Stands in for the language model, which takes seconds to import."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Letters counted, float32 (n, 384)."""
        rows = np.zeros((len(texts), 384), dtype=np.float32)
        for row, words in zip(rows, texts, strict=True):
            for letter in words:
                row[ord(letter) % 384] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def recommender(items: list[Item] | None = None) -> Recommender:
    """The tiny shop, with other items in its catalogue if given."""
    whole = tiny_checkpoint()
    made = Recommender(Checkpoint(whole.config, whole.weights, items or tiny_items()))
    made.inventions.encoder = LetterEncoder()
    return made


def worlds(items: list[Item] | None = None) -> Worlds:
    """The tiny shop, once more under the name of the world that lessons ask for, and a broken one."""
    made = recommender(items)
    broken = World("broken", lambda: made, error="The checkpoint broken lacks items.csv: fetch or train it again.")
    return Worlds({name: World(name, lambda: made) for name in ("tiny-shop", "rhythm-market")} | {"broken": broken})


def service(items: list[Item] | None = None) -> Service:
    """The page's server side over them."""
    return Service(worlds(items))
