"""From branch outputs to probabilities: a mixture of softmaxes whose parts add up to the whole.

    ℓ_m(i) = ⟨[b_m, κ_m], [v_i, β_i]⟩ + ρ_m·[i was in the history]        score of item i under branch m
    p(i) = Σ_m g_m · softmax_i ℓ_m(i)                                        gate on distributions (default)
    p(i) = softmax_i Σ_m g_m ℓ_m(i)                                          gate on features (the paper's reading)

v_i is the ID vector plus the projected text vector, β_i a popularity bias, κ_m its weight in branch m, ρ_m a learned
repeat bias: On MovieLens it learns to avoid seen items, on a shop to prefer them. It is a parameter like any other, and
no item is removed by hand.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import Function

from m2rec.model.config import ModelConfig
from m2rec.model.targets import Targets

SCORES_AT_ONCE = {"cpu": 1 << 20, "cuda": 1 << 26}  # what fits a CPU cache, and what keeps a GPU busy


class SoftmaxHead(nn.Module):
    """Scores of items from a branch's vector: norm and temperature, weight of popularity κ, repeat bias ρ."""

    def __init__(self, config: ModelConfig, normed: bool, popularity: float) -> None:
        """`normed` where the vector's length carries no information; `popularity` is κ at the start of training."""
        super().__init__()
        self.norm = nn.RMSNorm(config.width) if normed else nn.Identity()
        self.log_temperature = nn.Parameter(torch.zeros(()))
        self.popularity = nn.Parameter(torch.tensor(popularity))
        self.repeat_bias = nn.Parameter(torch.zeros(()), requires_grad=config.repeat_bias)
        self.repeats = config.repeat_bias  # otherwise ρ stays 0

    def forward(self, vector: Tensor) -> Tensor:
        """The factor of the scoring vectors, without dropout as in SASRec: a branch has its own. (…, d) → (…, d)."""
        normed: Tensor = self.norm(vector.float())
        return normed * self.log_temperature.exp()

    def log_probs(self, vector: Tensor, vectors: Tensor, bias: Tensor, seen: Tensor) -> Tensor:
        """log softmax_i over a catalogue. vector (N, d), vectors (V + 1, d), bias (V + 1, 1), seen (N, V) → (N, V)."""
        features = self._with_popularity(vector)[:, None]
        repeat_bias = self.repeat_bias.expand(len(vector), 1)
        return branch_log_probabilities(features, torch.cat([vectors, bias], dim=-1), repeat_bias, seen)[:, 0]

    def target_log_prob(self, vector: Tensor, vectors: Tensor, bias: Tensor, items: Tensor, targets: Targets) -> Tensor:
        """log softmax_i at the targets. vector (B, L, d), items (B, L) → (N,)."""
        features = self._with_popularity(vector)[..., None, :]
        repeat_bias = self.repeat_bias.expand(*items.shape, 1) if self.repeats else None
        scored = torch.cat([vectors, bias], dim=-1)
        return target_log_probability(features, scored, repeat_bias, items, targets)[:, 0]

    def _with_popularity(self, vector: Tensor) -> Tensor:
        return torch.cat([self(vector), self.popularity.expand(*vector.shape[:-1], 1)], dim=-1)


@dataclass(frozen=True)
class SeenItems:
    """What the history of each of N targets holds. at (N, L) its items, 0 where there is none; once bool (N, L) marks
    each item one time.
    """

    at: Tensor
    once: Tensor

    @classmethod
    def of(cls, items: Tensor, targets: Targets) -> "SeenItems":
        """items (B, L) that the targets come after."""
        upto = _causal(items)
        once = _first_time(items)[:, None, :] & upto  # (B, L, L): s ≤ t
        return cls(targets.pick(items[:, None, :] * upto), targets.pick(once))


class _ChunkedLogSumExp(Function):
    """log Σ_i exp(⟨f_n, v_i⟩ + ρ_n·[i was seen]) without all N × V scores: the backward pass computes them again.

    With `seen`, row 0 of the vectors is padding and is left out. It takes what is written for no item.
    """

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, vectors: Tensor, repeat_bias: Tensor | None, seen: SeenItems | None
    ) -> Tensor:
        ctx.low, ctx.seen = _low_precision(features), seen
        table = vectors.to(ctx.low).T
        parts = []
        for rows in _chunks(features, vectors):
            scores = features[rows].to(ctx.low) @ table
            if seen is not None and repeat_bias is not None:
                _lift(scores, seen.at[_targets_of(rows, features, seen)], repeat_bias[rows])
            # summed in float32: a log Z rounded to bfloat16 would be off by several per cent of Z
            parts.append(torch.logsumexp(scores.float(), dim=-1))
        result = torch.cat(parts)
        ctx.save_for_backward(features, vectors, repeat_bias, result)
        return result

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None]:
        features, vectors, repeat_bias, result = ctx.saved_tensors
        low, seen = ctx.low, ctx.seen
        table = vectors.to(low)
        to_features = torch.empty_like(features)
        to_vectors = torch.zeros_like(vectors, dtype=torch.float32)
        to_bias = None if repeat_bias is None else torch.empty_like(repeat_bias)
        for rows in _chunks(features, vectors):
            part = features[rows].to(low)
            log_z = result[rows, None].to(low)
            scores = torch.addmm(-log_z, part, table.T)
            if to_bias is not None:
                of = _targets_of(rows, features, seen)
                at = seen.at[of]
                _lift(scores, at, repeat_bias[rows])
            softmax = scores.exp_()
            weight = upstream[rows, None] * (log_z.float() - result[rows, None]).exp()  # undoes the rounding of log Z
            to_features[rows] = (softmax @ table).to(features.dtype) * weight
            to_vectors += (softmax.T @ (part * weight.to(low))).float()
            if to_bias is not None:
                on_seen = (softmax.gather(1, at).float() * seen.once[of]).sum(-1)
                to_bias[rows] = on_seen.to(to_bias.dtype) * weight[:, 0]
        return to_features, to_vectors.to(vectors.dtype), to_bias, None


def _lift(scores: Tensor, at: Tensor, repeat_bias: Tensor) -> None:
    """Add ρ to the scores of seen items, in place. scores (n, V + 1), at (n, L) items, repeat_bias (n,)."""
    # an item that was seen twice is written twice, with the same score
    scores.scatter_(1, at, scores.gather(1, at) + repeat_bias[:, None].to(scores.dtype))
    scores[:, 0] = float("-inf")


def _targets_of(rows: slice, features: Tensor, seen: SeenItems) -> Tensor:
    """The target that each row belongs to: as many rows in turn as there are branches."""
    branches = len(features) // max(1, len(seen.at))
    return torch.arange(rows.start, rows.stop, device=features.device) // branches


def _chunks(features: Tensor, vectors: Tensor) -> list[slice]:
    step = max(1, SCORES_AT_ONCE.get(features.device.type, 1 << 20) // len(vectors))
    return [slice(start, min(start + step, len(features))) for start in range(0, len(features), step)] or [slice(0, 0)]


def _low_precision(features: Tensor) -> torch.dtype:
    device = features.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else features.dtype


def logsumexp_scores(features: Tensor, vectors: Tensor) -> Tensor:
    """log Σ_i exp⟨f_n, v_i⟩, memory-saving. features (N, d), vectors (V, d) → (N,)."""
    result: Tensor = _ChunkedLogSumExp.apply(features, vectors, None, None)  # type: ignore[no-untyped-call]
    return result


def logsumexp_scores_plain(features: Tensor, vectors: Tensor) -> Tensor:
    """The plain twin of `logsumexp_scores`."""
    return torch.logsumexp(features @ vectors.T, dim=-1)


def target_log_probability(
    features: Tensor, vectors: Tensor, repeat_bias: Tensor | None, items: Tensor, targets: Targets
) -> Tensor:
    """log softmax_i ℓ_m(i) at the targets, for every branch, without an N × V table.

    features (B, L, M, c), vectors (V+1, c) with row 0 for padding, repeat_bias (B, L, M) or None for none, items (B, L)
    → (N, M).

    The repeat bias is part of the sum over items. It cannot be put right afterwards: where the history has nearly all
    of Z, the rest of it would be the difference of two rounded numbers.
    """
    picked = targets.pick(features)  # (N, M, c)
    score = torch.einsum("nmd,nd->nm", picked, F.embedding(targets.chosen, vectors)).float()
    if repeat_bias is None:
        log_z = logsumexp_scores(picked.flatten(0, 1), vectors[1:])
        return score - log_z.unflatten(0, score.shape)
    items = items.where(items < len(vectors), 0)  # a cold item may be in the history, but is not ranked in training
    bias, seen = targets.pick(repeat_bias), SeenItems.of(items, targets)
    log_z = _ChunkedLogSumExp.apply(  # type: ignore[no-untyped-call]
        picked.flatten(0, 1), vectors, bias.flatten(), seen
    )
    was_seen = (seen.at == targets.chosen[:, None]).any(-1)
    return score + bias * was_seen[:, None] - log_z.unflatten(0, score.shape)


def seen_items(items: Tensor, where: Tensor, catalogue: int) -> Tensor:
    """Which items the history up to each marked position holds. items, where (B, L) → bool (N, V)."""
    row, position = where.nonzero(as_tuple=True)
    upto = torch.arange(items.shape[1], device=items.device) <= position[:, None]
    seen = torch.zeros(len(row), catalogue + 1, dtype=torch.bool, device=items.device)
    seen.scatter_(1, items[row] * upto, True)  # later items go to the padding column
    return seen[:, 1:]


def branch_log_probabilities(features: Tensor, vectors: Tensor, repeat_bias: Tensor, seen: Tensor) -> Tensor:
    """log softmax_i ℓ_m(i) over the whole catalogue.

    features (N, M, c), vectors (V+1, c), repeat_bias (N, M),
    seen (N, V) → (N, M, V).
    """
    scores = features.float() @ vectors[1:].T.float()
    return F.log_softmax(scores + repeat_bias[..., None] * seen[:, None, :], dim=-1)


def _causal(items: Tensor) -> Tensor:
    length = items.shape[1]
    return torch.ones(length, length, dtype=torch.bool, device=items.device).tril()


def _first_time(items: Tensor) -> Tensor:
    """True where an item occurs for the first time in its row; False at padding. (B, L) → (B, L)."""
    same = (items[:, :, None] == items[:, None, :]) & _causal(items).tril(-1)
    return ~same.any(-1) & (items > 0)
