"""Campaigns with hostile files: tables that are to become a world, and lists pasted or read from a CSV file."""

import random
import tempfile
from pathlib import Path

from m2rec.data.tables.interactions import read_tables
from m2rec.errors import DataError, InputError
from m2rec.ui.session.paste import match
from m2rec.ui.session.paste import pasted as pasted_list
from tests.fuzz import inputs, shop, verdict

INTERACTIONS = "user,item,timestamp,rating\n" + "".join(
    f"u{row % 5},i{row % 7},{1_600_000_000 + row},{row % 5}\n" for row in range(40)
)
ITEMS = "item,title,text,group\n" + "".join(f'i{row},"Title, {row}",text {row},g\n' for row in range(7))
ENCODINGS = ("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "utf-7", "cp037")
PIECES = (
    '"',
    '""',
    ",",
    "\n",
    "\r",
    ";",
    "\t",
    '",\n"',
    "=1+1",
    "\x00",
    "\ufeff",
    "'",
    "#",
    "NaN",
    "1e999",
    "item",
    "-1",
)
BYTES = (b"\xff", b"\xfe\xff", b"\x00\x00", b"\xc3", b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"\x80\x04", b"%PDF")


def spoilt(chance: random.Random, text: str) -> bytes:
    """A table as bytes, with pieces put in, cut out or doubled, in an encoding that may be wrong."""
    for _ in range(chance.choice((0, 1, 1, 2, 6))):
        place = chance.randrange(len(text) + 1)
        match chance.randrange(5):
            case 0 | 1:
                text = text[:place] + chance.choice((*PIECES, inputs.text(chance))) + text[place:]
            case 2:
                text = text[:place] + text[place + chance.choice((1, 3, 40)) :]
            case 3:
                text = text[:place] + text[: chance.randrange(60)] + text[place:]
            case _:
                text = text[:place]
    content = text.encode(chance.choice(ENCODINGS), "replace")
    if chance.random() < 0.15:
        place = chance.randrange(len(content) + 1)
        content = content[:place] + chance.choice(BYTES) + content[place:]
    return content


def read(count: int, seed: int = 0) -> verdict.Tally:
    """Two tables, one of them or both spoilt: a data set, or a sentence that names the file."""
    chance, tally = random.Random(seed), verdict.Tally()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(count):
            kind = chance.choice((".csv", ".csv", ".csv", ".parquet"))
            log, items = Path(folder) / f"log{kind}", Path(folder) / "items.csv"
            which = chance.randrange(3)
            log.write_bytes(spoilt(chance, INTERACTIONS) if which else INTERACTIONS.encode())
            items.write_bytes(spoilt(chance, ITEMS) if which != 1 else ITEMS.encode())
            try:
                data = read_tables(log, items, "fuzz")
            except DataError as refusal:
                message = str(refusal)
                verdict.sentence(message)
                assert str(log) in message or str(items) in message, message
                tally["refused"] += 1
                continue
            assert len(data.interactions)
            assert set(data.interactions["item"]) <= set(data.items["item"])
            tally["answered"] += 1
    return tally


def pasted(count: int, seed: int = 0) -> verdict.Tally:
    """Lists as the page sends them, read as whatever the browser took them for: every line is there, or a sentence."""
    chance, tally, items = random.Random(seed), verdict.Tally(), shop.recommender().items
    listed = "title,when\n" + "".join(f'"{item.title}",{row}\n' for row, item in enumerate(items))
    for _ in range(count):
        text = spoilt(chance, chance.choice((listed, "\n".join(item.title for item in items)))).decode(
            "utf-8", "replace"
        )
        try:
            lines = pasted_list(text).entries
            found = match(lines, items)
            assert len(found) == len(lines) > 0
            tally["answered"] += 1
        except InputError as error:
            verdict.sentence(str(error))
            tally["refused"] += 1
    return tally
