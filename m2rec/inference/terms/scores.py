"""What any branch's terms are worked out from, and the terms of a softmax over item vectors."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from m2rec.inference.branch import BranchInput, BranchOutput
from m2rec.inference.softmax import SoftmaxHead


@dataclass(frozen=True)
class Asked:
    """About item `target` (1 … V) after a history: what the branch was `given`, all L items of it; its output `out` at
    the end, over (1,), and its `state` there. seen bool (V,).
    """

    given: BranchInput
    out: BranchOutput
    state: Any
    target: int
    seen: np.ndarray


@dataclass(frozen=True)
class ScoreTerms:
    """score = match + popularity + seen + newest, p = e^(score − log_total); `log_total` is log Σ e^score over the
    catalogue.
    """

    match: float
    popularity: float
    seen: float
    newest: float
    log_total: float

    @property
    def score(self) -> float:
        """What meets the other items' scores in the softmax."""
        return self.match + self.popularity + self.seen + self.newest

    @property
    def probability(self) -> float:
        """p of the branch."""
        return float(np.exp(self.score - self.log_total))


def log_total(scores: np.ndarray) -> float:
    """log Σ e^score, (V,) → a number."""
    scores = scores.astype(np.float64)
    largest = float(scores.max())
    return largest + float(np.log(np.exp(scores - largest).sum()))


def score_terms(head: SoftmaxHead, asked: Asked, vector: np.ndarray | None = None) -> ScoreTerms:
    """Of the branch's output, or of a `vector` (d,) in its place."""
    vectors = asked.out.vectors if vector is None else vector[None]
    place, newest = asked.target - 1, asked.given.items[-1:]
    return ScoreTerms(
        match=float(head.features(vectors)[0] @ head.against[place]),
        popularity=float(head.popularity * head.bias[place]),
        seen=float(head.repeat_bias) if asked.seen[place] else 0.0,
        newest=float(head.newest_bias) if asked.target == newest[0] else 0.0,
        log_total=log_total(head.scores(vectors, asked.seen[None], newest)[0]),
    )
