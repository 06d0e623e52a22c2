"""Campaigns against the page's own calls and its links, in this process."""

import random
from typing import Any

from m2rec.ui.session.link import to_link
from m2rec.ui.session.state import State
from m2rec.ui.web.service import Service
from tests.fuzz import inputs, shop, verdict

ACTIONS: tuple[dict[str, Any], ...] = (
    *({"type": name} for name in ("undo", "redo", "shuffle", "clear", "release", "show", "lesson_do", "lesson_show")),
    {"type": "add", "item_id": "i03", "at": 2},
    {"type": "add", "item_id": "~a lamp that hums"},
    {"type": "remove", "at": 1},
    {"type": "move", "at": 0, "to": 3},
    {"type": "repeat", "item_id": "7", "every": 3},
    {"type": "replace", "item_ids": ["i01", "i02", "i01"], "append": True},
    {"type": "keep", "newest": 5},
    {"type": "preset", "value": "noise"},
    {"type": "world", "value": "tiny-shop"},
    {"type": "override", "branch": "frequency", "weight": 0.4, "current": {"temporal": 0.2, "frequency": 0.8}},
    {"type": "mute", "low": 2.5, "high": 8},
    {"type": "unmute", "index": 0},
    {"type": "look", "period": 7.0},
    {"type": "lesson", "lesson": "two-cycles"},
    {"type": "set", "k": 20, "exclude_seen": True, "compare": "shuffled", "theme": "dark"},
    {"type": "set", "compare": "popularity"},
)
ASKED = ("details", "computed", "days", "repeat", "paste", "match", "section", "json", "csv", "python")
TEXTS = ("i00", "lessons", "results", "own", "about", "title\nGround coffee\nOat mlik", "Honey\nnothing of the kind")


def states(chance: random.Random) -> dict[str, Any]:
    """A state of the tiny shop that is valid."""
    ids = [f"i{place:02d}" for place in range(29)] + ["7", "~a lamp that hums"]
    return {
        "world": chance.choice(("tiny-shop", "rhythm-market")),
        "history": [chance.choice(ids) for _ in range(chance.randrange(14))],
        "k": chance.choice((1, 10, 50)),
        "exclude_seen": chance.random() < 0.3,
        "gate_override": chance.choice((None, {"temporal": 0.2, "frequency": 0.5, "semantic": 0.3})),
        "band_mask": chance.choice(([], [[2.0, 3.5]], [[6, 8], [13, 15]])),
        "period": chance.choice((None, 7)),
        "compare": chance.choice((None, "temporal", "shuffled", "popularity")),
        "lesson": chance.choice((None, None, "two-cycles", "gate", "meaning")),
        "theme": "auto",
    }


def links(count: int, seed: int = 0) -> verdict.Tally:
    """Mutated links, opened as the page opens them."""
    chance, tally, page = random.Random(seed), verdict.Tally(), shop.service()
    for _ in range(count):
        link = inputs.mutated(chance, to_link(State.model_validate(states(chance))))
        tally[verdict.reply(page.open(link))] += 1
    return tally


def reopened(count: int, seed: int = 0) -> verdict.Tally:
    """Links whose packing is sound and whose content is spoilt: what gets past the checksum of the compression."""
    import base64
    import json
    import zlib

    chance, tally, page = random.Random(seed), verdict.Tally(), shop.service()
    for _ in range(count):
        content = json.dumps(inputs.spoilt(chance, states(chance))).encode()
        packed = base64.urlsafe_b64encode(zlib.compress(content)).decode().rstrip("=")
        tally[verdict.reply(page.open(f"1.{packed}"))] += 1
    return tally


def requests(chance: random.Random) -> tuple[str, Any]:
    """One of the page's calls by name, its payload valid."""
    session = {"state": states(chance), "undo": [to_link(State(world="tiny-shop", history=("i00",)))], "redo": []}
    match chance.randrange(6):
        case 0 | 1 | 2:
            return "act", {"session": session, "action": chance.choice(ACTIONS), "before": ["i00", "i04"]}
        case 3:
            return "ask", {"session": session, "what": chance.choice(ASKED), "text": chance.choice(TEXTS)}
        case 4:
            return "search", {"world": "tiny-shop", "query": "coffee"}
        case _:
            return "open", to_link(State.model_validate(states(chance)))


def payload(chance: random.Random) -> tuple[str, Any]:
    """One of the page's calls, its payload spoilt, random, or now and then valid."""
    name, valid = requests(chance)
    dice = chance.random()
    return name, valid if dice < 0.05 else inputs.value(chance) if dice < 0.2 else inputs.spoilt(chance, valid)


def calls(count: int, seed: int = 0, page: Service | None = None) -> verdict.Tally:
    """Spoilt and random payloads to everything that the page's JavaScript may call."""
    chance, tally, page = random.Random(seed), verdict.Tally(), page or shop.service()
    for _ in range(count):
        name, given = payload(chance)
        try:
            tally[verdict.reply(getattr(page, name)(given))] += 1
        except Exception as error:
            raise AssertionError(f"{name} does not survive {ascii(given)[:2000]}") from error
    return tally
