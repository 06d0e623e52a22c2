"""Random histories for the model tests: drawn by hypothesis, or many at once from a seed."""

import torch
from hypothesis import strategies as st
from torch import Tensor

from m2rec.model.branch import BranchOutput
from m2rec.model.m2rec import Encoded
from tests.tiny_world import COLD, tiny_items

CATALOGUE = len(tiny_items())  # V
WARM = CATALOGUE - COLD

items = st.integers(1, CATALOGUE)


def histories(shortest: int = 1, longest: int = 40) -> st.SearchStrategy[list[int]]:
    """One history of item indices; repeats are likely, as they are in a shop."""
    few = st.lists(items, min_size=1, max_size=4).flatmap(
        lambda pool: st.lists(st.sampled_from(pool), min_size=shortest, max_size=longest)
    )
    return st.one_of(st.lists(items, min_size=shortest, max_size=longest), few)


def padded(rows: list[list[int]], extra: int = 0) -> Tensor:
    """Rows as the model takes them: (B, L + extra), right-padded with 0."""
    width = max(map(len, rows)) + extra
    return torch.tensor([row + [0] * (width - len(row)) for row in rows])


def random_histories(batch: int, length: int, seed: int = 0, highest: int = CATALOGUE) -> Tensor:
    """(B, L) item indices 1 … highest, without padding."""
    return torch.randint(1, highest + 1, (batch, length), generator=torch.Generator().manual_seed(seed))


def vectors_of(encoded: Encoded) -> Tensor:
    """What all branches found, side by side: (…, M, d)."""
    return torch.stack([out.vector for out in encoded.branches.values()], dim=-2)


def parts_of(out: BranchOutput) -> dict[str, Tensor]:
    """What a frequency branch says, by name."""
    assert out.evidence is not None
    return {"vector": out.vector, "evidence": out.evidence, "gains": out.detail["gains"]}


def marks(rows: list[list[int]], width: int) -> Tensor:
    """True at every real position: (B, L)."""
    return torch.tensor([[position < len(row) for position in range(width)] for row in rows])
