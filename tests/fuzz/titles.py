"""Campaigns with hostile catalogues: what the page, the exports and a saved checkpoint make of them."""

import ast
import csv
import io
import json
import random
import tempfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from m2rec.checkpoint import Checkpoint, Item
from m2rec.recommend.catalogue import Catalogue
from m2rec.recommend.recommender import Recommender
from m2rec.text_safety import printable
from m2rec.ui.render.view import page
from m2rec.ui.session.world import World
from m2rec.ui.session.worlds import Worlds
from m2rec.ui.web.service import Service
from tests.fuzz import inputs, shop, verdict
from tests.tiny_world import tiny_checkpoint, tiny_items

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
LARGE = "<b>" + "A" * 1_000_000


class Structure(HTMLParser):
    """The tags of a page with the names of their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes the tag."""
        self.found |= {(tag, ""), *((tag, name) for name, _ in attrs)}
        for name, value in attrs:
            assert name not in ("href", "src", "action") or not (value or "").strip().lower().startswith("javascript:")


def catalogue(chance: random.Random) -> list[Item]:
    """The tiny shop's items under hostile titles and groups; now and then one of a megabyte."""

    def words() -> str:
        if chance.random() < 0.005:
            return LARGE
        return inputs.text(chance).encode("utf-8", "ignore").decode()

    return [replace(item, title=words(), text=words()[:1000], group=words()) for item in tiny_items()]


def _served(made: Recommender, items: list[Item]) -> Service:
    made.catalogue = Catalogue(items)
    return Service(Worlds({"tiny-shop": World("tiny-shop", lambda: made)}))


def _pages(service: Service) -> str:
    """Everything that shows a title, as one HTML text."""
    first = service.first()
    session = {"state": {"world": "tiny-shop", "history": ["i00", "i03", "i00", "i05", "i00", "~<i>own</i>"], "k": 30}}
    compared = {"type": "set", "compare": "shuffled"}
    views = [first, service.act({"session": session, "action": compared, "before": first["ranking"]})]
    asked = [
        service.ask({"session": session, "what": what, "text": "i00\n<b>"}) for what in ("repeat", "paste", "match")
    ]
    for reply in (*views, *asked):
        assert verdict.reply(reply) == "answered", reply
    parts = [page(first), *(html for view in views for html in view["html"].values()), *(one["html"] for one in asked)]
    return "\n".join(parts)


def rendered(count: int, seed: int = 0) -> verdict.Tally:
    """Hostile titles on the page: no tag and no attribute that harmless titles would not have."""
    chance, tally, made = random.Random(seed), verdict.Tally(), shop.recommender()
    plain = Structure(_pages(_served(made, tiny_items()))).found
    for _ in range(count):
        html = _pages(_served(made, catalogue(chance)))
        strange = Structure(html).found - plain
        assert not strange, strange
        assert printable(html) == " ".join(html.split()), "something in the page hides or reorders its text"
        tally["titles"] += 2 * len(tiny_items())
    return tally


def exported(count: int, seed: int = 0) -> verdict.Tally:
    """Hostile titles in the three exports: JSON that is JSON, cells that compute nothing, Python that is only data."""
    chance, tally, made = random.Random(seed), verdict.Tally(), shop.recommender()
    for _ in range(count):
        service = _served(made, catalogue(chance))
        history = ["i00", "7", f"~{inputs.text(chance)[:50]}x".encode("utf-8", "ignore").decode()]
        session = {"state": {"world": "tiny-shop", "history": history, "k": 30}}
        files = {}
        for kind in ("json", "csv", "python"):
            reply = service.ask({"session": session, "what": kind})
            if verdict.reply(reply) == "answered":
                files[kind] = reply["file"]["text"]
        if not files:  # the invention was nothing that can be read
            tally["refused"] += 1
            continue
        assert len(json.loads(files["json"])["items"]) == 30
        rows = list(csv.reader(io.StringIO(files["csv"])))
        assert [len(row) for row in rows] == [8] * 31
        assert not [cell for row in rows for cell in row if cell.startswith(FORMULA)]
        assert files["python"].isascii() or printable(files["python"]) == " ".join(files["python"].split())
        tree = ast.parse(files["python"])
        (named,) = [
            node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "history"
        ]
        assert ast.literal_eval(named) == history
        tally["titles"] += 2 * len(tiny_items())
    return tally


def saved(count: int, seed: int = 0) -> verdict.Tally:
    """Hostile titles in a checkpoint's items.csv: read back as they were."""
    chance, tally, whole = random.Random(seed), verdict.Tally(), tiny_checkpoint()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(count):
            items = [replace(item, title=item.title[:100_000], group=item.group[:1000]) for item in catalogue(chance)]
            Checkpoint(whole.config, whole.weights, items).save(Path(folder) / "world")
            assert Checkpoint.load(Path(folder) / "world").items == items
            tally["titles"] += 3 * len(items)
    return tally
