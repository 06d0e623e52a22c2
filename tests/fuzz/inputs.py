"""Hostile inputs: texts, random JSON, and valid requests with something wrong in them."""

import copy
import math
import random
from typing import Any

HOSTILE = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\u202eevil\u202c",
    "\u2066x\u2069",
    "\u2028\u2029",
    "\ufeff",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE items; --",
    "${7*7}{{7*7}}#{7*7}<%= 7*7 %>",
    "{{ ''.__class__ }}",
    "javascript:alert(1)",
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "＝1+1",
    "../../../../etc/passwd",
    "..\\..\\windows",
    "/etc/passwd",
    "file:///etc/passwd",
    "http://127.0.0.1/",
    "con",
    "__class__",
    "__proto__",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "مرحبا بالعالم",
    "שלום",
    "Z̸̢̛a̷̧l̵g̶o̷",
    "%00%0a%n%s",
    "~",
    "~ ",
    "~\u202e",
    "~~",
    "~" + "a" * 198,
    "9" * 5000,
    "x" * 5000,
    "\n\r\n",
    "\\",
    "`",
    "null",
    "NaN",
)
NUMBERS = (0, -1, 1, 50, 51, 2**31, 2**63, -(2**63), 10**30, 10**400, 0.0, -0.0, 0.5, 1e308, 5e-324, math.nan, math.inf)
OTHERS = (None, True, False, [], {}, [[]], [{}], {"": None}, [None], -math.inf)


def text(chance: random.Random) -> str:
    """A hostile text, or characters from anywhere in Unicode."""
    if chance.random() < 0.6:
        return chance.choice(HOSTILE)
    pool = (0x80, 0x250, 0x3000, 0x110000)
    return "".join(chr(chance.randrange(chance.choice(pool))) for _ in range(chance.randrange(12)))


def value(chance: random.Random, depth: int = 3) -> Any:
    """Random JSON, as far as Python's reader takes it: infinities and lone surrogates included."""
    kind = chance.randrange(6 if depth else 4)
    match kind:
        case 0:
            return text(chance)
        case 1:
            return chance.choice(NUMBERS)
        case 2:
            return chance.choice((chance.randrange(-5, 60), chance.uniform(-3, 80), text(chance)))
        case 3:
            return copy.deepcopy(chance.choice(OTHERS))
        case 4:
            return [value(chance, depth - 1) for _ in range(chance.randrange(4))]
        case _:
            return {text(chance): value(chance, depth - 1) for _ in range(chance.randrange(4))}


def spoilt(chance: random.Random, request: Any) -> Any:
    """A copy of a valid request with one to three of its values replaced, removed, doubled or added."""
    request = copy.deepcopy(request)
    for _ in range(chance.choice((1, 1, 2, 3))):
        request = _spoil(chance, request)
    return request


def _spoil(chance: random.Random, node: Any) -> Any:
    if isinstance(node, dict) and node and chance.random() < 0.9:
        key = chance.choice(list(node))
        action = chance.random()
        if action < 0.08:
            del node[key]
        elif action < 0.16:
            node[text(chance)] = value(chance)
        else:
            node[key] = _spoil(chance, node[key])
        return node
    if isinstance(node, list) and node and chance.random() < 0.8:
        place = chance.randrange(len(node))
        action = chance.random()
        if action < 0.15:
            del node[place]
        elif action < 0.3:
            node.insert(place, value(chance))
        else:
            node[place] = _spoil(chance, node[place])
        return node
    return value(chance)


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def mutated(chance: random.Random, link: str) -> str:
    """A link with characters changed, lost, doubled, swapped, cut off or put before it."""
    characters = list(link)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        place = chance.randrange(len(characters)) if characters else 0
        match chance.randrange(8):
            case 0 | 1:
                characters[place : place + 1] = chance.choice(ALPHABET)
            case 2:
                del characters[place : place + chance.choice((1, 2, 30))]
            case 3:
                characters[place:place] = characters[place : place + chance.randrange(1, 9)]
            case 4:
                characters[place:place] = text(chance)[:40]
            case 5:
                del characters[place:]
            case 6:
                other = chance.randrange(len(characters)) if characters else 0
                if characters:
                    characters[place], characters[other] = characters[other], characters[place]
            case _:
                characters[0:0] = chance.choice(("1.", "2.", "9" * 5000 + ".", ".", "-1.", "١.", "1..", " "))
    return "".join(characters)
