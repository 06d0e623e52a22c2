"""The tiny shop, loaded once, with a text encoder that needs no weights."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from m2rec.recommend.recommender import Recommender


class HashEncoder:
    """384 numbers drawn from the text's hash, of unit length."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.calls.append(list(texts))
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) for text in texts]
        rows = np.stack([np.random.default_rng(seed).normal(size=384) for seed in seeds]).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="session")
def shop(tiny_world: Path) -> Recommender:
    """The tiny shop. Nothing in it changes after loading, so the tests share it."""
    return Recommender.from_pretrained(tiny_world)


@pytest.fixture
def encoder(shop: Recommender, monkeypatch: pytest.MonkeyPatch) -> HashEncoder:
    """In the place of the real text encoder, which takes seconds to load."""
    stand_in = HashEncoder()
    monkeypatch.setattr(shop.inventions, "encoder", stand_in)
    shop.inventions.cached.cache_clear()
    return stand_in
