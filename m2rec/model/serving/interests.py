"""`InterestBranch`, the belief over themes, for one history at a time."""

from dataclasses import dataclass

import numpy as np

from m2rec.model.items import ItemTable
from m2rec.model.semantic.themes import SURE, InterestBranch, next_belief, theme_shares
from m2rec.model.serving.arrays import weights_of


@dataclass(frozen=True)
class Meaning:
    """What a semantic branch says at one position: y (d,), and the weights of the themes (K,) where it knows any."""

    y: np.ndarray
    themes: np.ndarray | None = None


class ServedInterests:
    """`InterestBranch`."""

    def __init__(self, branch: InterestBranch, table: ItemTable) -> None:
        assert table.emissions is not None
        self.likelihood = weights_of(branch.items * table.emissions)  # (V + 1, K)
        self.first, self.shift = float(branch.first_weight.sigmoid()), float(branch.shift_rate.sigmoid())
        self.by_nothing, self.by_call, self.by_rhythm = weights_of(branch.explanation_bias.exp())
        self.queries = weights_of(branch.queries.T)  # (d, K)
        self.before = weights_of(branch.start(1).pairs)  # (1, K, K)

    def start(self) -> np.ndarray:
        """Belief before the first choice, (1, K, K)."""
        return self.before

    def last(self, items: np.ndarray, called: np.ndarray, due: np.ndarray) -> Meaning:
        """items (L,), and how well each was explained: called (L,), due (L,) → over ()."""
        return self._read(items, called, due, self.before)[0]

    def step(self, item: int, called: np.ndarray, due: np.ndarray, belief: np.ndarray) -> tuple[Meaning, np.ndarray]:
        """One more choice. called (1,), due (1,), belief (1, K, K) → over (), and the new belief."""
        return self._read(np.array([item]), called, due, belief)

    def _read(
        self, items: np.ndarray, called: np.ndarray, due: np.ndarray, belief: np.ndarray
    ) -> tuple[Meaning, np.ndarray]:
        otherwise = (
            self.by_nothing
            + self.by_call * np.exp(np.minimum(called, SURE))
            + self.by_rhythm * np.exp(np.minimum(due, SURE))
        ).astype(np.float32)
        likelihood = self.likelihood[items]
        as_first = (self.first * likelihood + otherwise[:, None])[:, None, :, None]
        as_second = ((1 - self.first) * likelihood)[:, None, None]
        for one, other in zip(as_first, as_second, strict=True):
            belief, by_first, by_second = next_belief(belief, one, other, self.shift)
        themes = theme_shares(by_first[0], by_second[0], self.first, self.shift)
        return Meaning(self.queries @ themes, themes), belief
