"""How one item's probability was computed: the numbers of the answer, and the terms of each."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from m2rec.branches import BranchName
from m2rec.errors import InputError
from m2rec.inference.terms.item import ItemTerms, item_terms
from m2rec.recommend.catalogue import CatalogueItem
from m2rec.recommend.engine import Engine
from m2rec.recommend.history import GivenHistory
from m2rec.recommend.options import Band, Options, gate_weights
from m2rec.recommend.parts import PerBranch, per_branch
from m2rec.recommend.validation import checked

CALLED = 3  # items that are named as likely after the newest one


@dataclass(frozen=True)
class Computation:
    """One item after one history, L ≥ 1 items of which were read.

    `history` are their ids, oldest first. `gate` are the weights applied, `model_gate` the model's own, `branches` the
    item's probability under each branch alone, `contributions` gate × branches, `probability` their sum: all as in the
    `Answer` to the same question. `called` are the items that are most likely after the newest one alone, with their
    probabilities.
    """

    item: CatalogueItem
    history: list[str]
    seen: bool
    gate: PerBranch
    model_gate: PerBranch
    branches: PerBranch
    contributions: PerBranch
    probability: float
    called: list[tuple[CatalogueItem, float]]
    terms: ItemTerms


def computation(
    engine: Engine,
    history: GivenHistory,
    item: str | int,
    gate_override: Mapping[BranchName, float] | None = None,
    band_mask: Sequence[Band] | None = None,
) -> Computation:
    """Of an item (title or id) after a history, asked as `Engine.recommend` is. Raises InputError with one sentence."""
    options = checked(Options, {"gate_override": gate_override, "band_mask": band_mask})
    read, _ = engine.read(history)
    target = engine.catalogue.index(item)
    if not read.indices:
        raise InputError("Nothing has been chosen yet, so nothing was weighed: add an item to the history first.")
    seen = read.seen()
    terms = item_terms(engine.network(read), read.indices, target, seen, engine.band_keep(options.band_mask or []))
    gate = gate_weights(options.gate_override) if options.gate_override else terms.gate.weights
    parts = (terms.probabilities * gate.astype(np.float32)).tolist()
    return Computation(
        item=engine.catalogue[target],
        history=read.ids,
        seen=bool(seen[target - 1]),
        gate=per_branch(gate.tolist()),
        model_gate=per_branch(terms.gate.weights.tolist()),
        branches=per_branch(terms.probabilities.tolist()),
        contributions=per_branch(parts),
        probability=math.fsum(parts),
        called=_called(engine, terms),
        terms=terms,
    )


def _called(engine: Engine, terms: ItemTerms) -> list[tuple[CatalogueItem, float]]:
    if terms.temporal is None:
        return []
    called = terms.temporal.called
    best = np.argsort(-called, kind="stable")[:CALLED]
    return [(engine.catalogue[place + 1], float(called[place])) for place in best.tolist()]
