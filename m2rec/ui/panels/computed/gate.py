"""Gate and mixture: the gate's inputs, its weights, and the sum that is shown on the card."""

from dataclasses import dataclass

import numpy as np

from m2rec.branches import BRANCHES, ORDERED, BranchName
from m2rec.inference.terms.due import DueTerms
from m2rec.recommend.explain.computation import Computation
from m2rec.ui.panels.computed.columns import Part, Strip
from m2rec.ui.render.numbers import decimal
from m2rec.ui.render.words import percent


@dataclass(frozen=True)
class Product:
    """Weight × probability = share, for one branch. `width` is the share in per cent of the whole probability."""

    kind: BranchName
    name: str
    mark: str
    weight: str
    probability: str
    share: str
    width: float


@dataclass(frozen=True)
class Mixture:
    """The last step. `total` is the probability as on the card, `sum` the same with more digits."""

    saw: str
    otherwise: str
    by_hand: bool
    products: list[Product]
    sum: str
    total: str
    strip: Strip


def mixture(found: Computation, columns: int, by_hand: bool) -> Mixture:
    """The dialog's part on the gate. `by_hand` says that the visitor has set the gate."""
    products = [
        Product(
            kind.key,
            kind.name,
            kind.mark,
            decimal(found.gate[kind.key]),
            decimal(found.branches[kind.key]),
            decimal(found.contributions[kind.key]),
            100 * found.contributions[kind.key] / found.probability if found.probability else 0.0,
        )
        for kind in ORDERED
    ]
    favourite = max(ORDERED, key=lambda kind: found.model_gate[kind.key])
    strip = Strip(
        None,
        "the gate",
        f"{favourite.mark} {percent(found.model_gate[favourite.key])}",
        "The gate's weights after each item.",
        [
            [Part(branch, 100 * weight) for branch, weight in zip(BRANCHES, row, strict=True)]
            for row in found.terms.gates[-columns:].tolist()
        ],
        size="high",
    )
    return Mixture(
        _saw(found),
        _otherwise(found.terms.gate.nothing_due),
        by_hand,
        products,
        decimal(found.probability),
        percent(found.probability),
        strip,
    )


def _saw(found: Computation) -> str:
    """The gate's evidence in words. Its other inputs, the branches' outputs, are vectors."""
    evidence, frequency = found.terms.gate.evidence["frequency"], found.terms.frequency
    if isinstance(frequency, DueTerms):
        due, strongest = float(evidence[-3]), float(evidence[-1])
        if due < 0.005:
            return "It saw the branches' outputs, and that nothing is due."
        return (
            f"It saw the branches' outputs, and that {due:.2f} items are due in all, "
            f"the most likely with {percent(strongest)}."
        )
    bands = (len(evidence) - 1) // 2
    largest = int(np.argmax(evidence[:bands])) + 1 if bands else 0
    return (
        f"It saw the branches' outputs, and how the filter's {bands} bands respond "
        f"(largest in band {largest}: {float(evidence[:bands].max(initial=0.0)):.2f})."
    )


def _otherwise(nothing_due: np.ndarray | None) -> str:
    if nothing_due is None:
        return ""
    weights = ", ".join(
        f"{kind.mark} {percent(weight)}" for kind, weight in zip(ORDERED, nothing_due.tolist(), strict=True)
    )
    return f"If nothing were due, it would give {weights}."
