"""The README's "Make your own world", as a new user would try it, on data of another kind."""

import random
import re
import shlex
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from m2rec import paths
from m2rec.data import text
from m2rec.ui.panels.cards import cards
from m2rec.ui.render.context import PageContext, ask
from m2rec.ui.session.dispatch import opening
from m2rec.ui.session.state import Session
from m2rec.ui.session.worlds import Worlds
from tests.commands.conftest import LetterEncoder
from tests.places import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.split("## Make your own world")[1].split("\n## ")[0]
BOOKS = [
    f"{kind} {matter}" for kind in ("Essays on", "Letters about") for matter in ["hedges", "ponds", "trains", "stars"]
]


def library(folder: Path) -> None:
    """The README's two tables, with readers who each borrow one book at every fourth loan."""
    loans_header, books_header = (block.split("\n")[0] for block in re.findall(r"```csv\n(.*?)```", SECTION, re.S))
    chance = random.Random(1)
    loans = []
    for reader in range(30):
        day = date(2025, 1, 6)
        for step in range(12):
            day += timedelta(days=chance.randint(1, 3))
            book = reader % len(BOOKS) if step % 4 == 0 else chance.randrange(len(BOOKS))
            loans.append(f"reader{reader},b{book},{day.isoformat()}")
    (folder / "loans.csv").write_text("\n".join([loans_header, *loans]))
    books = [f'b{number},{title},"{title}, for quiet evenings",Books' for number, title in enumerate(BOOKS)]
    (folder / "books.csv").write_text("\n".join([books_header, *books]))


def test_the_readmes_three_commands_lead_from_two_tables_to_a_page(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("M2REC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(text, "load_minilm", LetterEncoder)
    monkeypatch.setattr(paths, "checkpoints", lambda: tmp_path / "checkpoints")
    (block,) = re.findall(r"```bash\n(.*?)```", SECTION, re.S)
    prepare, training, start = block.strip().split("\n")
    assert start == "python app.py"
    assert run(*shlex.split(prepare.removeprefix("python -m m2rec "))).code == 0
    assert run(*shlex.split(training.removeprefix("python -m m2rec ")), "--cpu", "--epochs", 1).code == 0

    worlds = Worlds.find(tmp_path / "checkpoints")
    (world,) = worlds
    assert (world.title, world.error, world.missing_titles) == ("My library", None, None)
    for preset in world.presets:
        state = opening(world).replace(history=preset.history, days=preset.days)
        html = cards(PageContext(worlds, world, Session(state=state), ask(worlds, state)))
        assert any(title in html for title in BOOKS)


def test_an_unknown_world_names_your_own_too_and_columns_of_no_table_are_refused(run, shop, tmp_path):
    assert run("prepare", "my-shop", "--interactions", shop.folder / "log.csv", "--min-count", 0).code == 0
    wrong = run("train", "my-shp")
    assert wrong.code == 2
    assert "my-shop)" in wrong.err
    assert "did you mean my-shop?" in wrong.err
    lost = run("prepare", "other", "--interactions", shop.folder / "log.csv", "--item-columns", "title=name")
    assert lost.code == 2
    assert "give that table with --items" in lost.err


def test_a_column_of_lists_is_no_column_of_ids(run, tmp_path):
    pd.DataFrame({"user": ["a", "b"], "item": [["x", "y"], ["z"]]}).to_parquet(tmp_path / "log.parquet")
    wrong = run("prepare", "lists", "--interactions", tmp_path / "log.parquet")
    assert wrong.code == 2
    assert "there are lists or structures; give one row an event with one item" in wrong.err
