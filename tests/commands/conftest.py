"""A shop small enough to prepare and train within a test run, with the real commands."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from m2rec.commands.app import main
from m2rec.data import text

GOODS = ["tea", "milk", "rice", "soap", "bread", "honey", "cheese", "apples", "pasta", "olives", "candles", "vinegar"]
SETTINGS = """
description = "A corner shop"

[data]
source = "tables"
interactions = "log.csv"
items = "items.csv"
min_count = 0

[model]
width = 16
heads_per_scale = 1
head_width = 8
state_width = 8
filter_length = 16
periods = [2, 3, 7]
identity_width = 8
max_length = 10

[training]
epochs = 2
batch_size = 8
warmup_steps = 2
precision = "fp32"
"""


class LetterEncoder:
    """A stand-in for the language model, which takes seconds to import: texts that share letters are close."""

    def encode(self, texts: Sequence[str], **_: object) -> np.ndarray:
        rows = np.zeros((len(texts), text.TEXT_WIDTH), dtype=np.float32)
        for row, words in zip(rows, texts, strict=True):
            for letter in words.lower():
                row[ord(letter) % text.TEXT_WIDTH] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@dataclass(frozen=True)
class Result:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass(frozen=True)
class Shop:
    """Tables, settings file, cache and trained checkpoint of the corner shop."""

    folder: Path

    @property
    def settings(self) -> str:
        return str(self.folder / "corner-shop.toml")

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"


def write_tables(folder: Path) -> None:
    rng = np.random.default_rng(5)
    rows = ["user,item,position"]
    for user in range(24):
        first, count = rng.integers(len(GOODS)), rng.integers(6, 14)
        rows += [f"u{user},g{(first + step * (1 + user % 3)) % len(GOODS)},{step}" for step in range(count)]
    (folder / "log.csv").write_text("\n".join(rows) + "\n")
    goods = [f"g{number},{name.capitalize()},{name} for the kitchen,food" for number, name in enumerate(GOODS)]
    (folder / "items.csv").write_text("\n".join(["item,title,text,group", *goods]) + "\n")


@pytest.fixture(scope="session")
def made_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The shop, prepared and trained once. Tests that change one of its files work on a copy."""
    shop = Shop(tmp_path_factory.mktemp("shop"))
    write_tables(shop.folder)
    Path(shop.settings).write_text(SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("M2REC_CACHE", str(shop.folder / "cache"))
        patch.setattr(text, "load_minilm", LetterEncoder)
        assert main(["prepare", shop.settings]) == 0
        assert main(["train", shop.settings, "--out", str(shop.checkpoint), "--cpu"]) == 0
    return shop


@pytest.fixture
def shop(made_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("M2REC_CACHE", str(made_shop.folder / "cache"))
    monkeypatch.setattr(text, "load_minilm", LetterEncoder)
    return made_shop


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]):
    """Run a command as `python -m m2rec` does and return its exit code and what it printed."""

    def start(*arguments: object) -> Result:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return start
