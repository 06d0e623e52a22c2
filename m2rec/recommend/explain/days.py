"""A history played item by item: the model's guess each time, and the item that came next. One pass over all of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from m2rec.branches import BranchName
from m2rec.errors import InputError
from m2rec.inference.along import along, distributions
from m2rec.recommend.engine import Engine
from m2rec.recommend.history import GivenHistory
from m2rec.recommend.options import Band, Options, gate_weights
from m2rec.recommend.parts import PerBranch, per_branch
from m2rec.recommend.ranking import best_places, rank_in, weighed
from m2rec.recommend.validation import checked

GUESSES = 3


@dataclass(frozen=True)
class Guess:
    """An item, its probability and the three contributions that add up to it, as on a recommendation."""

    item_id: str
    probability: float
    contributions: PerBranch


@dataclass(frozen=True)
class DayGuess:
    """After `read` items: the `gate` applied, the `guesses`, best first, and the `actual` next item, by id, where there
    is one. Its `rank` (1 is best) and `probability` are None where it cannot be ranked: it was invented, or is left out
    of the list for having been seen.
    """

    read: int
    gate: PerBranch
    guesses: list[Guess]
    actual: str | None
    rank: int | None
    probability: float | None


def guesses(
    engine: Engine,
    history: GivenHistory,
    exclude_seen: bool = False,
    gate_override: Mapping[BranchName, float] | None = None,
    band_mask: Sequence[Band] | None = None,
) -> list[DayGuess]:
    """One entry after each item that the model reads, oldest first, asked as `Engine.recommend` is.

    Where the history is longer than the model reads, it begins with the oldest item that is read; older items count as
    seen. Raises InputError with one sentence.
    """
    given = {"exclude_seen": exclude_seen, "gate_override": gate_override, "band_mask": band_mask}
    options = checked(Options, given)
    read, _ = engine.read(history)
    if not read.indices:
        raise InputError("Nothing has been chosen yet, so there is nothing to play: add items to the history first.")
    network = engine.network(read)
    outputs = along(network, read.indices, engine.band_keep(options.band_mask or []))
    seen = _seen_by_then(read.older, read.indices, read.items)
    gates = outputs.gates
    if options.gate_override:
        gates = np.broadcast_to(gate_weights(options.gate_override), gates.shape)
    found = []
    for part, each in distributions(network, outputs, seen):
        shares, ranking = weighed(each, gates[part], seen[part] if exclude_seen else None)  # (n, M, V), (n, V)
        for row, at in enumerate(range(part.start, part.stop)):
            actual = read.indices[at + 1] if at + 1 < len(read.indices) else None
            place = None if actual is None or actual > read.items else actual - 1  # an invention has no place
            rank = None if place is None else rank_in(ranking[row], place, each[row])
            best = best_places(ranking[row], GUESSES, each[row]).tolist()
            found.append(
                DayGuess(
                    read=at + 1,
                    gate=per_branch(gates[at].tolist()),
                    guesses=[_guess(engine, place, shares[row, :, place].tolist()) for place in best],
                    actual=None if actual is None else read.ids[at + 1],
                    rank=rank,
                    probability=None if rank is None else math.fsum(shares[row, :, place].tolist()),
                )
            )
    return found


def _guess(engine: Engine, place: int, parts: list[float]) -> Guess:
    return Guess(engine.catalogue[place + 1].item_id, math.fsum(parts), per_branch(parts))


def _seen_by_then(older: Sequence[int], indices: Sequence[int], items: int) -> np.ndarray:
    """The items chosen up to each of these, itself included: bool (L, V)."""
    seen = np.zeros((len(indices), items + 1), dtype=bool)
    for at, index in enumerate(indices):
        if index <= items:
            seen[at:, index] = True
    seen[:, [index for index in older if index <= items]] = True
    return seen[:, 1:]
