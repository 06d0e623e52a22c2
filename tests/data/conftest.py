"""A data set small enough to check by hand, and an encoder that needs no weights."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from m2rec.data.dataset import Dataset


class HashEncoder:
    """Four numbers drawn from the text's hash, of unit length; zeros for an empty text."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.zeros((len(texts), 4), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            if text:
                row[:] = np.frombuffer(hashlib.sha256(text.encode()).digest()[:4], dtype=np.uint8) + 1.0
                row /= np.linalg.norm(row)
        return rows


@pytest.fixture
def encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
def toy() -> Dataset:
    """Three users, five items; "e" is never chosen, "d" only as ann's last event."""
    rows = [
        ("ann", "b", 0, 100),
        ("bob", "c", 0, 50),
        ("ann", "a", 1, 110),
        ("ann", "b", 2, 120),
        ("ann", "c", 3, 130),
        ("ann", "d", 4, 140),
        ("bob", "b", 1, 60),
        ("cay", "c", 0, 70),
    ]
    items = [(item, item.upper(), f"text of {item}" if item != "a" else "", "letters") for item in "edcba"]
    return Dataset(
        "toy",
        pd.DataFrame(rows, columns=["user", "item", "position", "timestamp"]),
        pd.DataFrame(items, columns=["item", "title", "text", "group"]),
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file into the test's own folder and return its path."""

    def put(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    return put
