"""M2Rec: three kinds of evidence, one gate (arXiv 2505.04445).

Glossary (the paper's names; shapes are batch B, length L, width d, branches M = 3, catalogue V)
    s_1 … s_L   history of item ids, oldest first, padded with 0 on the right
    e_i, z_i    ID vector (learned) and text vector (frozen, from a language model) of item i
    v_i         e_i + P z_i, the item's scoring vector; an item without an ID vector is ranked by its text alone
    b_m vector of branch m, which the gate reads
    p_m(i)      distribution of branch m over the catalogue: softmax_i⟨b_m, v_i⟩, or what the branch has in its place
                (log-odds that item i recurs next; weights π of themes and the items of each)
    g           gate, softmax over the branches
    p(i)        Σ_m g_m p_m(i): the answer, and its three contributions

`m2rec/model/__init__.py` lists the branches; this file relies on `branch.Branch` alone.

Three ways to run the same weights give one answer: `encode` (all positions, for training and for the gate's history),
`encode_last` (the newest position only) and `step` (one more item on a cached state).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from m2rec.branches import BRANCHES, BranchName, import_name
from m2rec.model.branch import Branch, BranchInput, BranchOutput
from m2rec.model.config import ModelConfig
from m2rec.model.constants import LEAST_POPULARITY_WEIGHT
from m2rec.model.explanations import Explanations
from m2rec.model.fusion import FeatureFusion
from m2rec.model.gate import Gate
from m2rec.model.items import INITIAL_SCALE, ItemTable, known_or_mean, usual_popularity
from m2rec.model.softmax import seen_items
from m2rec.model.targets import Targets

if TYPE_CHECKING:
    from m2rec.model.frequency.periodic import PeriodicBranch
    from m2rec.model.frequency.spectral import SpectralBranch
    from m2rec.model.semantic.means import MeansBranch
    from m2rec.model.semantic.themes import ThemesBranch
    from m2rec.model.temporal.mamba import TemporalBranch

State = dict[str, Any]  # state of each branch, by its key; its size does not depend on the length of the history


@dataclass
class Encoded:
    """The gate `log_gate` (…, M) and each branch's output, at one position or at many."""

    branches: dict[str, BranchOutput]
    log_gate: Tensor

    @property
    def gains(self) -> Tensor:
        """The frequency branch's gain of each band: (…, b)."""
        return self.branches["frequency"].detail["gains"]

    @property
    def themes(self) -> Tensor | None:
        """The weight of each theme, (…, K), where the semantic branch has themes."""
        return self.branches["semantic"].detail.get("themes")

    def at(self, where: Tensor) -> "Encoded":
        """The marked positions alone. Over (B, L), where bool (B, L) → over (N,), row-major."""
        return Encoded({name: out.at(where) for name, out in self.branches.items()}, self.log_gate[where])

    def newest(self) -> "Encoded":
        """The last position alone, of rows without padding. Over (B, L) → over (B,)."""
        return Encoded({name: out.newest() for name, out in self.branches.items()}, self.log_gate[:, -1])

    def copied(self) -> "Encoded":
        """A copy, so that the memory of all other positions can be freed."""
        return Encoded({name: out.copied() for name, out in self.branches.items()}, self.log_gate.clone())


class M2Rec(nn.Module):
    """The network. Knows item indices and vectors, no titles and no data set."""

    text: Tensor
    temporal: "TemporalBranch"
    frequency: "PeriodicBranch | SpectralBranch"
    semantic: "MeansBranch | ThemesBranch"

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
        self.ids = nn.Parameter(torch.randn(config.warm_items, config.width) * INITIAL_SCALE)
        self.bias = nn.Parameter(torch.zeros(config.warm_items))
        self.project = nn.Linear(config.text_width, config.width, bias=False)
        nn.init.normal_(self.project.weight, std=INITIAL_SCALE)
        for key in BRANCHES:
            self.add_module(key, _branch_class(config, key)(config))
        self.gate = Gate(config, sum(branch.evidence_width for _, branch in self.each_branch()))
        self.fusion = FeatureFusion(config, dict(self.each_branch())) if config.gate == "features" else None
        if self.fusion is not None:  # its heads score in place of the branches' own, which are not trained then
            for name, parameter in self.named_parameters():
                if ".softmax." in name:
                    parameter.requires_grad_(False)
        if config.repeat_bias:
            for name, parameter in self.named_parameters():
                if name.endswith("repeat_bias"):
                    nn.init.constant_(parameter, repeat_bias)

    # ── item vectors ────────────────────────────────────────────────────────────────────────────────────────

    def text_part(self) -> Tensor:
        """P z for every item: (V+1, d), row 0 zero."""
        return self.project(self.text)

    def id_part(self) -> Tensor:
        """e with its popularity bias β appended: (V+1, d+1). Row 0 is zero. Cold items have e = 0 and are taken to sell
        as often as the mean item does where the semantic branch ranks it: exp κβ = mean exp κβ.

        In training a random share of items is treated as cold, so that text alone learns to suffice.
        """
        bias = self.bias[:, None]
        ids: Tensor = self.ids
        usual = self._usual_bias()
        if self.training and self.config.id_dropout:
            keep = torch.rand(len(ids), 1, device=ids.device) >= self.config.id_dropout
            ids = ids * keep
            bias = torch.where(keep, bias, usual)
        warm = torch.cat([ids, bias], dim=-1)
        cold = self.config.items - self.config.warm_items
        average = torch.cat([ids.new_zeros(1, self.config.width), usual], dim=-1)
        return torch.cat([torch.zeros_like(average), warm, average.expand(cold, -1)])

    def _usual_bias(self) -> Tensor:
        weight = self.semantic.popularity_weight().detach().clamp(min=LEAST_POPULARITY_WEIGHT)
        return usual_popularity(self.bias[:, None], weight)

    def item_table(self) -> ItemTable:
        """Every per-item vector, computed once and shared by the branches."""
        text, ids = self.text_part(), self.id_part()
        vectors = text + ids[:, :-1]
        by_vectors = self.config.temporal_input == "vectors"
        inputs = vectors if by_vectors else known_or_mean(ids[:, :-1], self.ids.mean(0))
        return self._derived(ItemTable(inputs, F.normalize(vectors, dim=-1), text, vectors, ids[:, -1:]))

    def extend(self, table: ItemTable, texts: Tensor, ids: Tensor | None = None) -> ItemTable:
        """`table` with n more items that are known by their text vectors (n, text_width).

        ids (n, d): used for their ID vectors, zero for an item of which nothing else is known; None for none.
        """
        text = self.project(texts)
        own = torch.zeros_like(text) if ids is None else ids
        vectors = text + own
        known = (own != 0).any(-1, keepdim=True)
        by_vectors = self.config.temporal_input == "vectors"
        inputs = vectors if by_vectors else torch.where(known, own, self.ids.mean(0))
        return self._derived(table.extended(text, vectors, inputs, self._usual_bias()))

    def _derived(self, table: ItemTable) -> ItemTable:
        for name, branch in self.each_branch():
            derived = branch.derive(table)
            if derived is not None:
                table.derived[name] = derived
        return table

    # ── three ways to run ───────────────────────────────────────────────────────────────────────────────────

    def each_branch(self) -> Iterator[tuple[str, Branch]]:
        """The branches by their keys, in the order of `BRANCHES`."""
        for name in BRANCHES:
            yield name, cast(Branch, getattr(self, name))

    def encode(self, items: Tensor, table: ItemTable | None = None, keep: Tensor | None = None) -> Encoded:
        """All positions. items (B, L), right-padded with 0; keep (b,) mutes frequency bands → Encoded over (B, L)."""
        given, outputs = BranchInput(items, table or self.item_table(), keep), {}
        for name, branch in self.each_branch():
            outputs[name] = branch.read(given)
            given = _explained(given, outputs[name])
        return self._gated(outputs)

    def encode_last(self, items: Tensor, table: ItemTable | None = None, keep: Tensor | None = None) -> Encoded:
        """The last real position of each row only. items (B, L) → Encoded over (B,)."""
        lengths = (items > 0).sum(-1)
        given, outputs = BranchInput(items, table or self.item_table(), keep), {}
        for name, branch in self.each_branch():
            outputs[name] = branch.read_last(given, lengths)
            given = _explained(given, outputs[name])
        return self._gated(outputs)

    def step(
        self, item: Tensor, state: State, table: ItemTable | None = None, keep: Tensor | None = None
    ) -> tuple[Encoded, State]:
        """One more item. item (B,) → Encoded over (B,) and the new state."""
        given, outputs, after = BranchInput(item, table or self.item_table(), keep), {}, {}
        for name, branch in self.each_branch():
            outputs[name], after[name] = branch.read_step(given, state[name])
            given = _explained(given, outputs[name])
        return self._gated(outputs), after

    def start(self, batch: int = 1) -> State:
        """The state before the first item."""
        return {name: branch.start(batch) for name, branch in self.each_branch()}

    def _gated(self, outputs: dict[str, BranchOutput]) -> Encoded:
        evidence = [out.evidence for out in outputs.values() if out.evidence is not None]
        log_gate = self.gate(tuple(out.vector for out in outputs.values()), torch.cat(evidence, dim=-1))
        return Encoded(outputs, log_gate)

    # ── answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def branch_log_probabilities(self, encoded: Encoded, seen: Tensor, table: ItemTable | None = None) -> Tensor:
        """log of each branch's own distribution. Encoded over (N,), seen (N, V) → (N, M, V).

        With the gate on features there is one distribution only, given for every branch.
        """
        table = table or self.item_table()
        if self.fusion is not None:
            whole = self.fusion.log_probs(encoded.branches, encoded.log_gate, table, seen)
            return whole[:, None].expand(-1, len(BRANCHES), -1)
        each = [branch.log_probs(encoded.branches[name], table, seen) for name, branch in self.each_branch()]
        return torch.stack(each, dim=1)

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

        `branch_loss` adds that much of each branch's own cross-entropy, so that a branch whose gate weight is near 0
        still learns.
        """
        table, marked = self.item_table(), Targets.of(targets)
        encoded = self.encode(items, table)
        outputs, log_gate = encoded.branches, encoded.log_gate
        if self.fusion is not None:
            return -marked.mean(self.fusion.target_log_prob(outputs, log_gate, table, items, marked))
        each = [branch.target_log_prob(outputs[name], table, items, marked) for name, branch in self.each_branch()]
        own = torch.stack(each, dim=-1)  # (N, M)
        mixture = -marked.mean(torch.logsumexp(marked.pick(log_gate) + own, dim=-1))
        if not branch_loss:
            return mixture
        on = torch.isfinite(self.gate.switched_off)
        return mixture - branch_loss * marked.mean(own.where(on, 0.0).sum(-1))

    def forward(self, items: Tensor, targets: Tensor, branch_loss: float = 0.0) -> Tensor:
        """The loss: what a data-parallel wrapper has to call to see the gradients."""
        return self.loss(items, targets, branch_loss)


def _branch_class(config: ModelConfig, branch: BranchName) -> type[nn.Module]:
    found: type[nn.Module] = import_name(config.variant(branch).network)
    return found


def _explained(given: BranchInput, out: BranchOutput) -> BranchInput:
    """The input of the next branch, with the explanations of this one if it has any."""
    explanations: Explanations | None = out.explanations
    return given if explanations is None else replace(given, explanations=explanations)
