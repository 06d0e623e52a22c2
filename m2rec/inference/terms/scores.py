"""The terms of a softmax over item vectors for one item: match, popularity, repeat bias."""

from dataclasses import dataclass

import numpy as np

from m2rec.inference.engine import InferenceEngine


@dataclass(frozen=True)
class ScoreTerms:
    """score = match + popularity + seen, p = e^(score − log_total); `log_total` is log Σ e^score over the catalogue."""

    match: float
    popularity: float
    seen: float
    log_total: float

    @property
    def score(self) -> float:
        """What meets the other items' scores in the softmax."""
        return self.match + self.popularity + self.seen

    @property
    def probability(self) -> float:
        """p of the branch."""
        return float(np.exp(self.score - self.log_total))


def log_total(scores: np.ndarray) -> float:
    """log Σ e^score, (V,) → a number."""
    scores = scores.astype(np.float64)
    largest = float(scores.max())
    return largest + float(np.log(np.exp(scores - largest).sum()))


def score_terms(engine: InferenceEngine, branch: str, vector: np.ndarray, target: int, seen: np.ndarray) -> ScoreTerms:
    """Of item `target` by the branch's output `vector` (d,); seen bool (V,)."""
    head = engine.heads[branch]
    return ScoreTerms(
        match=float(engine.against[branch][target - 1] @ head.features(vector)),
        popularity=float(head.popularity * engine.items.bias[target]),
        seen=float(head.repeat_bias) if seen[target - 1] else 0.0,
        log_total=log_total(engine.scores(branch, vector, seen)),
    )
