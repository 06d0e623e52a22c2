"""From branch outputs to probabilities: a mixture of softmaxes whose parts add up to the whole.

    ℓ_m(i) = ⟨[b_m, κ_m], [v_i, β_i]⟩ + ρ_m·[i was in the history] + ν_m·[i is the newest item]
    p(i) = Σ_m g_m · softmax_i ℓ_m(i)                                        gate on distributions (default)
    p(i) = softmax_i Σ_m g_m ℓ_m(i)                                          gate on features (the paper's reading)

ℓ_m(i) is the score of item i under branch m, v_i the ID vector plus the projected text vector, β_i a popularity bias,
κ_m its weight in branch m, ρ_m a learned repeat bias: On MovieLens it learns to avoid seen items, on a shop to prefer
them. ν_m is more of it for the newest item alone, where a branch's vector is near that item's own and would rank it
first: a shop's customers buy things again, but not twice in a row. Both are parameters like any other, and no item is
removed by hand.
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
    """Scores of items from a branch's vector: norm and temperature, weight of popularity κ, repeat biases ρ and ν."""

    def __init__(self, config: ModelConfig, normed: bool, popularity: float, newest: bool = False) -> None:
        """`normed` where the vector's length carries no information; `popularity` is κ at the start of training.

        With `newest` there is a ν in models with a repeat bias; otherwise it is 0.
        """
        super().__init__()
        self.norm = nn.RMSNorm(config.width) if normed else nn.Identity()
        self.log_temperature = nn.Parameter(torch.zeros(()))
        self.popularity = nn.Parameter(torch.tensor(popularity))
        self.repeat_bias = nn.Parameter(torch.zeros(()), requires_grad=config.repeat_bias)
        self.repeats = config.repeat_bias  # otherwise ρ stays 0
        self.newest_bias = nn.Parameter(torch.zeros(())) if newest and config.repeat_bias else None

    def forward(self, vector: Tensor) -> Tensor:
        """The factor of the scoring vectors, without dropout as in SASRec: a branch has its own. (…, d) → (…, d)."""
        normed: Tensor = self.norm(vector.float())
        return normed * self.log_temperature.exp()

    def log_probs(self, vector: Tensor, vectors: Tensor, bias: Tensor, seen: Tensor, newest: Tensor | None) -> Tensor:
        """log softmax_i over a catalogue. vector (N, d), vectors (V + 1, d), bias (V + 1, 1), seen (N, V) → (N, V).

        newest (N,) is the newest item of each history, which a head with ν needs.
        """
        features = self._with_popularity(vector)[:, None]
        biases = self.biases().expand(len(vector), 1, 2)
        newest = None if self.newest_bias is None else newest
        return branch_log_probabilities(features, torch.cat([vectors, bias], dim=-1), biases, seen, newest)[:, 0]

    def target_log_prob(self, vector: Tensor, vectors: Tensor, bias: Tensor, items: Tensor, targets: Targets) -> Tensor:
        """log softmax_i at the targets. vector (B, L, d), items (B, L) → (N,)."""
        features = self._with_popularity(vector)[..., None, :]
        biases = self.biases().expand(*items.shape, 1, 2) if self.repeats else None
        scored = torch.cat([vectors, bias], dim=-1)
        return target_log_probability(features, scored, biases, items, targets)[:, 0]

    def biases(self) -> Tensor:
        """(ρ, ν), (2,)."""
        return repeat_biases(self.repeat_bias, self.newest_bias)

    def _with_popularity(self, vector: Tensor) -> Tensor:
        return torch.cat([self(vector), self.popularity.expand(*vector.shape[:-1], 1)], dim=-1)


def repeat_biases(repeat_bias: Tensor, newest_bias: Tensor | None) -> Tensor:
    """ρ and ν, which is 0 if it is None. () each → (2,)."""
    return torch.stack([repeat_bias, torch.zeros_like(repeat_bias) if newest_bias is None else newest_bias])


@dataclass(frozen=True)
class SeenItems:
    """What the history of each of N targets holds. at (N, L) its items, 0 where there is none; once bool (N, L) marks
    each item one time; newest (N,) is the last item.
    """

    at: Tensor
    once: Tensor
    newest: Tensor

    @classmethod
    def of(cls, items: Tensor, targets: Targets) -> "SeenItems":
        """items (B, L) that the targets come after."""
        upto = _causal(items)
        once = _first_time(items)[:, None, :] & upto  # (B, L, L): s ≤ t
        return cls(targets.pick(items[:, None, :] * upto), targets.pick(once), targets.pick(items))


class _ChunkedLogSumExp(Function):
    """log Σ_i exp(⟨f_n, v_i⟩ + ρ_n·[i was seen] + ν_n·[i is the newest]) without all N × V scores: the backward pass
    computes them again. biases (N, 2) are ρ and ν.

    With `seen`, row 0 of the vectors is padding and is left out. It takes what is written for no item.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, vectors: Tensor, biases: Tensor | None, seen: SeenItems | None) -> Tensor:
        ctx.low, ctx.seen = _low_precision(features), seen
        table = vectors.to(ctx.low).T
        parts = []
        for rows in _chunks(features, vectors):
            scores = features[rows].to(ctx.low) @ table
            if seen is not None and biases is not None:
                of = _targets_of(rows, features, seen)
                _lift(scores, seen.at[of], seen.newest[of], biases[rows])
            # summed in float32: a log Z rounded to bfloat16 would be off by several per cent of Z
            parts.append(torch.logsumexp(scores.float(), dim=-1))
        result = torch.cat(parts)
        ctx.save_for_backward(features, vectors, biases, result)
        return result

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None]:
        features, vectors, biases, result = ctx.saved_tensors
        low, seen = ctx.low, ctx.seen
        table = vectors.to(low)
        to_features = torch.empty_like(features)
        to_vectors = torch.zeros_like(vectors, dtype=torch.float32)
        to_biases = None if biases is None else torch.empty_like(biases)
        for rows in _chunks(features, vectors):
            part = features[rows].to(low)
            log_z = result[rows, None].to(low)
            scores = torch.addmm(-log_z, part, table.T)
            if to_biases is not None:
                of = _targets_of(rows, features, seen)
                at, newest = seen.at[of], seen.newest[of]
                _lift(scores, at, newest, biases[rows])
            softmax = scores.exp_()
            weight = upstream[rows, None] * (log_z.float() - result[rows, None]).exp()  # undoes the rounding of log Z
            to_features[rows] = (softmax @ table).to(features.dtype) * weight
            to_vectors += (softmax.T @ (part * weight.to(low))).float()
            if to_biases is not None:
                on_seen = (softmax.gather(1, at).float() * seen.once[of]).sum(-1)
                on_newest = softmax.gather(1, newest[:, None])[:, 0].float()
                to_biases[rows] = torch.stack([on_seen, on_newest], dim=-1).to(to_biases.dtype) * weight
        return to_features, to_vectors.to(vectors.dtype), to_biases, None


def _lift(scores: Tensor, at: Tensor, newest: Tensor, biases: Tensor) -> None:
    """Add ρ to the scores of seen items and ν to that of the newest, in place.

    scores (n, V + 1), at (n, L) items, newest (n,), biases (n, 2).
    """
    repeat, more = biases.to(scores.dtype).split(1, dim=-1)
    # an item that was seen twice is written twice, with the same score
    scores.scatter_(1, at, scores.gather(1, at) + repeat)
    scores.scatter_add_(1, newest[:, None], more)
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
    features: Tensor, vectors: Tensor, biases: Tensor | None, items: Tensor, targets: Targets
) -> Tensor:
    """log softmax_i ℓ_m(i) at the targets, for every branch, without an N × V table.

    features (B, L, M, c), vectors (V+1, c) with row 0 for padding, biases (B, L, M, 2) with ρ and ν or None for none,
    items (B, L) → (N, M).

    The biases are part of the sum over items. It cannot be put right afterwards: where the history has nearly all of Z,
    the rest of it would be the difference of two rounded numbers.
    """
    picked = targets.pick(features)  # (N, M, c)
    score = torch.einsum("nmd,nd->nm", picked, F.embedding(targets.chosen, vectors)).float()
    if biases is None:
        log_z = logsumexp_scores(picked.flatten(0, 1), vectors[1:])
        return score - log_z.unflatten(0, score.shape)
    items = items.where(items < len(vectors), 0)  # a cold item may be in the history, but is not ranked in training
    bias, seen = targets.pick(biases), SeenItems.of(items, targets)  # (N, M, 2)
    log_z = _ChunkedLogSumExp.apply(  # type: ignore[no-untyped-call]
        picked.flatten(0, 1), vectors, bias.flatten(0, 1), seen
    )
    was_seen, is_newest = (seen.at == targets.chosen[:, None]).any(-1), seen.newest == targets.chosen
    score = score + (bias * torch.stack([was_seen, is_newest], dim=-1)[:, None]).sum(-1)
    return score - log_z.unflatten(0, score.shape)


def seen_items(items: Tensor, where: Tensor, catalogue: int) -> Tensor:
    """Which items the history up to each marked position holds. items, where (B, L) → bool (N, V)."""
    row, position = where.nonzero(as_tuple=True)
    upto = torch.arange(items.shape[1], device=items.device) <= position[:, None]
    seen = torch.zeros(len(row), catalogue + 1, dtype=torch.bool, device=items.device)
    seen.scatter_(1, items[row] * upto, True)  # later items go to the padding column
    return seen[:, 1:]


def newest_items(items: Tensor, lengths: Tensor) -> Tensor:
    """The last item of each history. items (B, L), right-padded with 0, lengths (B,) ≥ 1 → (B,)."""
    return items.gather(1, lengths[:, None] - 1)[:, 0]


def branch_log_probabilities(
    features: Tensor, vectors: Tensor, biases: Tensor, seen: Tensor, newest: Tensor | None = None
) -> Tensor:
    """log softmax_i ℓ_m(i) over the whole catalogue.

    features (N, M, c), vectors (V+1, c), biases (N, M, 2) with ρ and ν, seen (N, V), newest (N,) or None where ν = 0
    → (N, M, V).
    """
    scores = features.float() @ vectors[1:].T.float() + biases[..., :1] * seen[:, None, :]
    if newest is not None:
        scores = scores + biases[..., 1:] * is_item(newest, seen.shape[-1])[:, None, :]
    return F.log_softmax(scores, dim=-1)


def is_item(items: Tensor, catalogue: int) -> Tensor:
    """Which item of the catalogue each is. items (N,), 1 … V, others are none → bool (N, V)."""
    return items[:, None] == torch.arange(1, catalogue + 1, device=items.device)


def _causal(items: Tensor) -> Tensor:
    length = items.shape[1]
    return torch.ones(length, length, dtype=torch.bool, device=items.device).tril()


def _first_time(items: Tensor) -> Tensor:
    """True where an item occurs for the first time in its row; False at padding. (B, L) → (B, L)."""
    same = (items[:, :, None] == items[:, None, :]) & _causal(items).tril(-1)
    return ~same.any(-1) & (items > 0)
