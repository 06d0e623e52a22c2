"""M2Rec: three kinds of evidence, one gate (arXiv 2505.04445).

Glossary (the paper's names; shapes are batch B, length L, width d, branches M = 3, catalogue V)
    s_1 … s_L   history of item ids, oldest first, padded with 0 on the right
    e_i, z_i    ID vector (learned) and text vector (frozen, from a language model) of item i
    v_i         e_i + P z_i, the item's scoring vector; an item without an ID vector is ranked by its text alone
    b_m         output of branch m: temporal reads e, semantic reads P z, frequency reads who was chosen when
    s_i         how much is to be said for item i coming back now: what frequency gives in place of ⟨b_m, v_i⟩
    π, E        weights of the themes that a person is after, and the items of each: what semantic gives in its place
    g           gate, softmax over the branches
    p(i)        Σ_m g_m softmax_i⟨b_m, v_i⟩: the answer, and its three shares

With `frequency = "spectral"`, for worlds where nothing is chosen twice, frequency reads v/|v| and scores by
⟨b_m, v_i⟩ as the others do; with `semantic = "means"` so does semantic, by ⟨b_m, P z_i⟩.

Three ways to run the same weights give one answer: `encode` (all positions, for training and for the gate's history),
`encode_last` (the newest position only) and `step` (one more item on a cached state).
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.model.config import BRANCHES, ModelConfig
from m2rec.model.explanations import unexplained
from m2rec.model.frequency.periodic import ReturnBranch, ReturnState
from m2rec.model.frequency.recurrence import Due, FrequencyOut, due_log_probabilities, due_log_probability
from m2rec.model.frequency.spectral import FrequencyBranch, FrequencyState
from m2rec.model.fusion import FeatureFusion
from m2rec.model.gate import Gate
from m2rec.model.items import ItemTable
from m2rec.model.semantic.means import SemanticBranch, SemanticState
from m2rec.model.semantic.themes import (
    InterestBranch,
    InterestOut,
    InterestState,
    theme_log_probabilities,
    theme_probability,
)
from m2rec.model.softmax import SoftmaxHead, branch_log_probabilities, seen_items, target_log_probability
from m2rec.model.temporal.mamba import MambaState, TemporalBranch


@dataclass
class Encoded:
    """What the branches and the gate say, at one position or at many.

    `features` (…, M, c) what meets an item's scoring vector, the popularity weight last; `log_gate` (…, M); `gains`
    (…, b), the frequency branch's gain of each band; `due`, which items may come back, where that branch knows items;
    `themes` (…, K), how much each theme is looked for, where the semantic branch knows themes.
    """

    features: Tensor
    log_gate: Tensor
    gains: Tensor
    due: Due | None = None
    themes: Tensor | None = None

    def at(self, where: Tensor) -> "Encoded":
        """The marked positions alone. Over (B, L), where bool (B, L) → over (N,), row-major."""
        due = self.due.at(where) if self.due else None
        themes = None if self.themes is None else self.themes[where]
        return Encoded(self.features[where], self.log_gate[where], self.gains[where], due, themes)

    def newest(self) -> "Encoded":
        """The last position alone, of rows without padding. Over (B, L) → over (B,)."""
        due = self.due.newest() if self.due else None
        themes = None if self.themes is None else self.themes[:, -1]
        return Encoded(self.features[:, -1], self.log_gate[:, -1], self.gains[:, -1], due, themes)

    def copied(self) -> "Encoded":
        """The same in memory of its own, so that all other positions can be forgotten."""
        due = Due(self.due.items.clone(), self.due.scores.clone()) if self.due else None
        themes = None if self.themes is None else self.themes.clone()
        return Encoded(self.features.clone(), self.log_gate.clone(), self.gains.clone(), due, themes)


@dataclass
class State:
    """Everything `step` carries; its size does not depend on how long the history is."""

    temporal: list[MambaState]
    frequency: FrequencyState | ReturnState
    semantic: SemanticState | InterestState


class M2Rec(nn.Module):
    """The network. Knows item indices and vectors, no titles and no data set."""

    text: Tensor

    def __init__(self, config: ModelConfig, text_vectors: Tensor | None = None, repeat_bias: float = 0.0) -> None:
        """`text_vectors` (V+1, text_width), row 0 for padding; zeros until a checkpoint is loaded when None.

        `repeat_bias` is where every ρ starts, of models that have one: `m2rec.data.repeats.repeat_log_odds`.
        """
        super().__init__()
        self.config = config
        if text_vectors is None:
            text_vectors = torch.zeros(config.items + 1, config.text_width)
        if text_vectors.shape != (config.items + 1, config.text_width):
            raise ValueError(
                f"text_vectors must be {(config.items + 1, config.text_width)}, not {tuple(text_vectors.shape)}"
            )
        self.register_buffer("text", text_vectors.float().clone())
        self.ids = nn.Parameter(torch.randn(config.warm_items, config.width) / math.sqrt(config.width))
        self.bias = nn.Parameter(torch.zeros(config.warm_items))
        self.project = nn.Linear(config.text_width, config.width, bias=False)
        nn.init.normal_(self.project.weight, std=1 / math.sqrt(config.width))
        self.dropout = nn.Dropout(config.dropout)
        self.temporal = TemporalBranch(config)
        self.by_item = config.frequency == "periodic"
        self.frequency: FrequencyBranch | ReturnBranch
        self.frequency = ReturnBranch(config) if self.by_item else FrequencyBranch(config)
        self.semantic: SemanticBranch | InterestBranch
        self.by_theme = config.semantic == "themes"
        self.semantic = InterestBranch(config) if self.by_theme else SemanticBranch(config)
        self.gate = Gate(config, self.frequency.evidence_width)
        self.fusion = FeatureFusion(config) if config.gate == "features" else None
        if self.fusion is not None:  # its heads score in place of the branches' own, which are not trained then
            for branch in (self.temporal, self.frequency, self.semantic):
                if isinstance(own := getattr(branch, "softmax", None), SoftmaxHead):
                    own.requires_grad_(False)
        if config.repeat_bias:
            for name, parameter in self.named_parameters():
                if name.endswith("repeat_bias"):
                    nn.init.constant_(parameter, repeat_bias)

    # ── item vectors ────────────────────────────────────────────────────────────────────────────────────────

    def text_part(self) -> Tensor:
        """P z for every item: (V+1, d), row 0 zero."""
        return self.project(self.text)

    def id_part(self) -> Tensor:
        """e with its popularity bias β appended: (V+1, d+1). Row 0 is zero. Cold items have e = 0 and are held to sell
        as often as the mean item does where the semantic branch ranks it: exp κβ = mean exp κβ.

        In training a random share of items is treated as cold, so that text learns to stand alone.
        """
        bias = self.bias[:, None]
        ids: Tensor = self.ids
        weight = self.semantic.popularity_weight().detach().clamp(min=0.01)  # κ
        usual = ((weight * bias).logsumexp(0, keepdim=True) - math.log(len(bias))) / weight  # (1, 1)
        if self.training and self.config.id_dropout:
            keep = torch.rand(len(ids), 1, device=ids.device) >= self.config.id_dropout
            ids = ids * keep
            bias = torch.where(keep, bias, usual)
        warm = torch.cat([ids, bias], dim=-1)
        cold = self.config.items - self.config.warm_items
        average = torch.cat([ids.new_zeros(1, self.config.width), usual], dim=-1)
        return torch.cat([torch.zeros_like(average), warm, average.expand(cold, -1)])

    def item_table(self) -> ItemTable:
        """Every per-item vector, computed once and shared by the branches and the head."""
        text, ids = self.text_part(), self.id_part()
        vectors = text + ids[:, :-1]
        parts = [vectors, text, ids[:, -1:]] if self.config.semantic_by_text else [vectors, ids[:, -1:]]
        temporal = vectors if self.config.temporal_input == "vectors" else self._read_as(ids[:, :-1])
        unit, scoring = F.normalize(vectors, dim=-1), torch.cat(parts, dim=-1)
        calls = self.frequency.called_for(temporal) if isinstance(self.frequency, ReturnBranch) else None
        return ItemTable(temporal, unit, text, scoring, self._emissions(text, ids[:, -1]), calls)

    def extend(self, table: ItemTable, texts: Tensor) -> ItemTable:
        """`table` with n more items that are known by their text vectors (n, text_width) alone."""
        text = self.project(texts)
        popularity = torch.cat([table.bias[:, 0], table.bias[-1:, 0].expand(len(text))])
        emissions = self._emissions(torch.cat([table.text, text]), popularity)
        if emissions is not None:
            emissions = emissions[len(table.text) :]
        temporal = text if self.config.temporal_input == "vectors" else self.ids.mean(0).expand(len(text), -1)
        calls = self.frequency.called_for(temporal) if isinstance(self.frequency, ReturnBranch) else None
        return table.extended(text, temporal, emissions, calls)

    def _read_as(self, ids: Tensor) -> Tensor:
        """What the temporal branch reads of items: e (V+1, d), and the mean of all where an item has none of its own.

        Nothing at all would be a vector that no sequence ever held, and be taken for a strong call.
        """
        known = (ids != 0).any(-1, keepdim=True)
        known[0] = True  # padding
        return torch.where(known, ids, self.ids.mean(0))

    def _emissions(self, text: Tensor, bias: Tensor) -> Tensor | None:
        """E with a row of zeros for padding: text (n + 1, d), β (n + 1,) → (n + 1, K), where there are themes."""
        if not isinstance(self.semantic, InterestBranch):
            return None
        emissions = self.semantic.emissions(text[1:], self.semantic.popularity * bias[1:])
        return F.pad(emissions, (0, 0, 1, 0))

    # ── three ways to run ───────────────────────────────────────────────────────────────────────────────────

    def encode(self, items: Tensor, table: ItemTable | None = None, keep: Tensor | None = None) -> Encoded:
        """All positions. items (B, L), right-padded with 0; keep (b,) mutes frequency bands → Encoded over (B, L)."""
        table = table or self.item_table()
        own, unit, text = table.inputs(items)
        temporal = self.temporal(self.dropout(own))
        frequency = (
            self.frequency(items, table, keep)
            if isinstance(self.frequency, ReturnBranch)
            else self.frequency(unit, keep)
        )
        semantic = (
            self.semantic(F.embedding(items, _known(table.emissions)), frequency.explained or unexplained(items))
            if isinstance(self.semantic, InterestBranch)
            else self.semantic(self.dropout(text))
        )
        return self._encoded(temporal, frequency, semantic)

    def encode_last(self, items: Tensor, table: ItemTable | None = None, keep: Tensor | None = None) -> Encoded:
        """The last real position of each row only. items (B, L) → Encoded over (B,)."""
        table = table or self.item_table()
        lengths = (items > 0).sum(-1)
        own, unit, text = table.inputs(items)
        temporal = self.temporal.last(self.dropout(own), lengths)
        if isinstance(self.frequency, ReturnBranch):
            frequency = self.frequency.last(items, table, lengths, keep)
        else:
            frequency = self.frequency.last(unit, lengths, keep)
        semantic: Tensor | InterestOut
        if isinstance(self.semantic, InterestBranch):
            emitted = F.embedding(items, _known(table.emissions))
            semantic = self.semantic.last(emitted, frequency.explained or unexplained(items), lengths)
        else:
            semantic = self.semantic.last(self.dropout(text), lengths)
        return self._encoded(temporal, frequency, semantic)

    def step(
        self, item: Tensor, state: State, table: ItemTable | None = None, keep: Tensor | None = None
    ) -> tuple[Encoded, State]:
        """One more item. item (B,) → Encoded over (B,) and the new state."""
        table = table or self.item_table()
        own, unit, text = table.inputs(item)
        temporal, temporal_state = self.temporal.step(self.dropout(own), state.temporal)
        frequency_state: FrequencyState | ReturnState
        if isinstance(self.frequency, ReturnBranch):
            assert isinstance(state.frequency, ReturnState)
            frequency, frequency_state = self.frequency.step(item, table, state.frequency, keep)
        else:
            assert isinstance(state.frequency, FrequencyState)
            frequency, frequency_state = self.frequency.step(unit, state.frequency, keep)
        semantic: Tensor | InterestOut
        semantic_state: SemanticState | InterestState
        if isinstance(self.semantic, InterestBranch):
            assert isinstance(state.semantic, InterestState)
            explained = frequency.explained or unexplained(item)
            emitted = F.embedding(item, _known(table.emissions))
            semantic, semantic_state = self.semantic.step(emitted, explained, state.semantic)
        else:
            assert isinstance(state.semantic, SemanticState)
            semantic, semantic_state = self.semantic.step(self.dropout(text), state.semantic)
        encoded = self._encoded(temporal, frequency, semantic)
        return encoded, State(temporal_state, frequency_state, semantic_state)

    def start(self, batch: int = 1) -> State:
        """The state before the first item."""
        return State(self.temporal.start(batch), self.frequency.start(batch), self.semantic.start(batch))

    def _encoded(self, temporal: Tensor, frequency: FrequencyOut, semantic: Tensor | InterestOut) -> Encoded:
        y = frequency.y
        meant, themes = (semantic.y, semantic.themes) if isinstance(semantic, InterestOut) else (semantic, None)
        log_gate = self.gate((temporal, y, meant), frequency.evidence)
        heads = self._heads()
        scored = [
            vector if head is None else head(vector) for head, vector in zip(heads, (temporal, y, meant), strict=True)
        ]
        stacked = torch.stack([branch.float() for branch in scored], dim=-2)
        popularity = self.per_branch("popularity")[:, None].expand(*stacked.shape[:-1], 1)
        parts = [stacked, popularity]
        if self.config.semantic_by_text:  # the scoring vector is [v, P z, β]: each branch meets one half of it
            text_half = torch.tensor([[0.0], [0.0], [1.0]], device=stacked.device)
            parts = [stacked * (1 - text_half), stacked * text_half, popularity]
        return Encoded(torch.cat(parts, dim=-1), log_gate, frequency.gains, frequency.due, themes)

    def _heads(self) -> list[SoftmaxHead | None]:
        """What scores items by each branch's vector; None where a branch has a distribution of its own."""
        if self.fusion is not None:
            return self.fusion.in_order()
        return [getattr(branch, "softmax", None) for branch in (self.temporal, self.frequency, self.semantic)]

    def per_branch(self, name: str) -> Tensor:
        """One scalar of every branch's softmax, 0 where it has none: (M,)."""
        nothing = self.bias.new_zeros(())
        return torch.stack([nothing if head is None else getattr(head, name) for head in self._heads()])

    # ── answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def branch_log_probabilities(self, encoded: Encoded, seen: Tensor, table: ItemTable | None = None) -> Tensor:
        """log of each branch's own distribution. Encoded over (N,), seen (N, V) → (N, M, V).

        With the gate on features there is one distribution only; it stands in all three places.
        """
        table = table or self.item_table()
        scoring = table.scoring
        features, repeat_bias, _, due, themes = self._mixture(encoded)
        parts = branch_log_probabilities(features, scoring, repeat_bias, seen)
        if due:
            returning = due_log_probabilities(due, len(scoring) - 1)[:, None]
            parts = torch.cat([parts[:, :1], returning, parts[:, 1:]], dim=1)
        if themes is not None:
            wanted = theme_log_probabilities(themes, _known(table.emissions)[1:])[:, None]
            parts = torch.cat([parts, wanted], dim=1)
        return parts.expand(-1, len(BRANCHES), -1)

    def shares(self, encoded: Encoded, seen: Tensor, table: ItemTable | None = None) -> Tensor:
        """g_m · softmax_i: what each branch adds to each item's probability. → (N, M, V), summing to 1 over M and V."""
        return (self.branch_log_probabilities(encoded, seen, table) + encoded.log_gate[..., None]).exp()

    def log_scores(self, items: Tensor, where: Tensor, seen: Tensor | None = None) -> Tensor:
        """log p(next item) after each marked position. items (B, L), where bool (B, L) → (N, V), row-major.

        seen bool (N, V) marks the items of the whole history, where that is longer than `items`; None means those in
        `items` up to the marked position.
        """
        lengths = (items > 0).sum(-1)
        if where.sum() == len(items) and bool(where.gather(1, lengths[:, None] - 1).all()):
            at = self.encode_last(items)
        else:
            at = self.encode(items).at(where)
        if seen is None:
            seen = seen_items(items, where, self.config.items)
        parts = self.branch_log_probabilities(at, seen)
        return torch.logsumexp(parts + at.log_gate[..., None], dim=1)

    def loss(self, items: Tensor, targets: Tensor, branch_loss: float = 0.0) -> Tensor:
        """Mean −log p(target). items, targets (B, L), target 0 = none. Only warm items compete: cold ones are unknown.

        `branch_loss` adds that much of each branch's own cross-entropy, so that a branch whose gate is nearly shut
        still learns.
        """
        table = self.item_table()
        features, repeat_bias, log_weight, due, themes = self._mixture(self.encode(items, table))
        scoring = table.scoring[: self.config.warm_items + 1]
        own = target_log_probability(features, scoring, repeat_bias, items, targets)  # (N, M)
        marked = targets > 0
        if due:
            returning = due_log_probability(due.at(marked), targets[marked], self.config.warm_items)[:, None]
            own = torch.cat([own[:, :1], returning, own[:, 1:]], dim=1)
        if themes is not None:
            emitted = F.embedding(targets[marked], _known(table.emissions))
            own = torch.cat([own, theme_probability(themes[marked], emitted)[:, None]], dim=1)
        mixture = -torch.logsumexp(log_weight[marked] + own, dim=-1).mean()
        if not branch_loss or own.shape[-1] == 1:
            return mixture
        on = torch.isfinite(self.gate.switched_off)
        return mixture - branch_loss * own[:, on].sum(-1).mean()

    def forward(self, items: Tensor, targets: Tensor, branch_loss: float = 0.0) -> Tensor:
        """The loss: what a data-parallel wrapper has to call to see the gradients."""
        return self.loss(items, targets, branch_loss)

    def _mixture(self, encoded: Encoded) -> tuple[Tensor, Tensor, Tensor, Due | None, Tensor | None]:
        """The softmaxes to take: features (…, M', c), repeat bias (…, M'), log weight (…, M), who is due, and themes.

        M' = 3 with the gate on distributions, less one where who is due or themes stand for a branch, and 1 with
        the gate on features, where the branches are averaged first.
        """
        branch_bias = self.per_branch("repeat_bias")
        if self.config.gate == "features":
            gate = encoded.log_gate.exp()
            features = (gate[..., None] * encoded.features).sum(-2, keepdim=True)
            repeat_bias = (gate * branch_bias).sum(-1, keepdim=True)
            return features, repeat_bias, torch.zeros_like(repeat_bias), None, None
        repeat_bias = branch_bias.expand(encoded.log_gate.shape)
        answered = (False, encoded.due is not None, encoded.themes is not None)  # by who is due, or by themes
        scored = [place for place, otherwise in enumerate(answered) if not otherwise]
        features, repeat_bias = encoded.features[..., scored, :], repeat_bias[..., scored]
        return features, repeat_bias, encoded.log_gate, encoded.due, encoded.themes


def _known(emissions: Tensor | None) -> Tensor:
    assert emissions is not None  # the item table of a model that knows themes has them
    return emissions
