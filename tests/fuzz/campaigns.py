"""Every campaign with the number of rounds that a test run affords. `M2REC_FUZZ` multiplies it."""

import os
import random
from collections.abc import Callable

from tests.fuzz import command_line, http, page, tables, titles, verdict

Campaign = Callable[[int, int], verdict.Tally]

IN_PROCESS: dict[str, tuple[Campaign, int]] = {
    "links, mutated": (page.links, 1000),
    "links, well packed with spoilt content": (page.reopened, 400),
    "calls of the page": (page.calls, 800),
    "titles on the page": (titles.rendered, 8),
    "titles in the exports": (titles.exported, 30),
    "titles in a checkpoint": (titles.saved, 10),
    "tables": (tables.read, 100),
    "pasted lists": (tables.pasted, 200),
    "command lines": (command_line.commands, 60),
}
OVER_HTTP = {
    "endpoints, by name and by number": (http.endpoints, 150),
    "calls of the page over HTTP": (http.page_calls, 300),
    "addresses and posts to them": (http.addresses, 300),
}


def times() -> int:
    """How many times the usual number of inputs to try."""
    return int(os.environ.get("M2REC_FUZZ", "1"))


def seed() -> int:
    """The same inputs every time in a test run; others in a larger one, and said when something fails."""
    return 0 if times() == 1 else random.SystemRandom().randrange(10**6)
