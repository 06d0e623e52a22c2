"""How likely every item of a history is to be due, summed over bands and over items: the arithmetic at all positions.

`recurrence_sums_plain` holds a dozen arrays over (row, item, band, position), which is most of the time and memory of a
training step. `recurrence_sums` works row by row, so that its arrays stay in the processor's cache, and recomputes them
in the backward pass instead of storing them. Symbols are those of `periodic.py`; T is L + 1 columns, one more than
positions, for items that are due a step early. An item's signal is zero but where it was chosen, and most items of a
history were chosen once: F is a sum over choices, where the plain twin multiplies by zeros.

    h_b,i(τ) = σ(F_b,i(τ) + A_b(τ) + π_i − ε·R_b,i(τ))                        belief, at every column τ
    d_b,i(t) = h_b,i(t) + late_b·h_b,i(t − 1) + early_b·h_b,i(t + 1)
    Σ_b d_b,i(t) and Σ_i d_b,i(t)                                             over items that may be due at t

R is read at the last time that the item was chosen before column τ. Where the item is chosen at τ itself, only position
τ − 1 uses h(τ), as due a step early, so one array of beliefs serves all three terms.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import Function

from m2rec.model.frequency.filters import toeplitz


class Recurrence(NamedTuple):
    """The terms of the sums. No gradient goes to `other_bands` and what follows it."""

    weight: Tensor  # w of every interaction: (B, L)
    kernels: Tensor  # k: (b, W)
    offset: Tensor  # A, what is added for every item: (b, T)
    prior: Tensor  # π: (B, X)
    explaining_away: Tensor  # ε: ()
    late: Tensor  # a probability: (b,)
    early: Tensor  # (b,)
    slot: Tensor  # the item of each interaction, int64 (B, L), any one where there is padding
    other_bands: Tensor  # R at every choice: (B, L, b + 1), the last for bands that the item's phase rules out
    last: Tensor  # where each item was last chosen before a column, int64 (B, X, T)
    same_phase: Tensor  # whether two choices so far apart can be of one phase of a band, bool (gaps, b)
    may_be_due: Tensor  # bool (B, X, L)
    may_be_late: Tensor  # bool (B, X, L)
    band_keep: Tensor  # 0 for a band that is muted, else 1: (b,)

    @property
    def ways(self) -> Tensor:
        """How much belief counts at its own column, a position later and a position earlier: (b, 3)."""
        return torch.stack([torch.ones_like(self.late), self.late, self.early], dim=1) * self.band_keep[:, None]

    @property
    def signal(self) -> Tensor:
        """x of every item: (B, X, L)."""
        slots = torch.arange(self.prior.shape[1], device=self.slot.device)
        return (self.slot[:, None] == slots[:, None]) * self.weight[:, None]

    @property
    def bank(self) -> Tensor:
        """The kernels as one matrix, (L, T·b): [s, (τ, b)] is k_b(τ − s), and zero where s lies ahead."""
        length = self.weight.shape[1]
        kernels = self.kernels[:, : length + 1]
        padded = F.pad(kernels, (length, length + 1 - kernels.shape[1]))  # index L + lag
        lag = torch.arange(length + 1, device=kernels.device) - torch.arange(length, device=kernels.device)[:, None]
        return padded.T[length + lag].reshape(length, -1)

    def rows(self) -> list[slice]:
        """One row at a time on a CPU, whose cache holds no more; all at once on a GPU."""
        size = len(self.weight) if self.weight.is_cuda else 1
        return [slice(start, start + size) for start in range(0, len(self.weight), size)]

    def place(self, rows: slice) -> Tensor:
        """Where the item of each interaction stands when the slots of n rows stand below each other: (n · L,)."""
        slot = self.slot[rows]
        return (slot + self.prior.shape[1] * torch.arange(len(slot), device=slot.device)[:, None]).flatten()


def recurrence_sums(inputs: Recurrence) -> tuple[Tensor, Tensor]:
    """Σ_b d (B, X, L) and Σ_i d (B, L, b)."""
    found: tuple[Tensor, Tensor] = _RecurrenceSums.apply(*inputs)  # type: ignore[no-untyped-call]
    return found


def recurrence_sums_plain(inputs: Recurrence, adaptive: bool = True) -> tuple[Tensor, Tensor]:
    """The plain twin. `adaptive` false is the ablation without content: all bands weigh alike."""
    signal = inputs.signal
    batch, slots, length = signal.shape
    bank = toeplitz(inputs.kernels, length + 1)[..., :length]  # (b, T, L)
    response = torch.einsum("nxs,bts->nxtb", signal, bank)  # F
    gap = _gap(inputs.last)
    at_last = inputs.other_bands.gather(
        1, inputs.last.flatten(1)[..., None].expand(-1, -1, inputs.other_bands.shape[-1])
    ).view(batch, slots, length + 1, -1)
    same_phase = inputs.same_phase[gap.clamp(max=len(inputs.same_phase) - 1)]
    excluded = torch.where(same_phase, at_last[..., :-1], at_last[..., -1:])
    log_odds = response + inputs.offset.T + inputs.prior[..., None, None] - inputs.explaining_away * excluded
    if not adaptive:
        log_odds = log_odds.mean(-1, keepdim=True).expand_as(log_odds)
    belief = log_odds.sigmoid() * inputs.band_keep
    now, after = belief[:, :, :-1], belief[:, :, 1:]
    before = F.pad(belief[:, :, :-2], (0, 0, 1, 0)) * inputs.may_be_late[..., None]
    due = (now + inputs.late * before + inputs.early * after) * inputs.may_be_due[..., None]  # d: (B, X, L, b)
    return due.sum(-1), due.sum(1)


class _RecurrenceSums(Function):
    """The sums and their gradients."""

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(*tensors)
        inputs = Recurrence(*tensors)
        bank, ways = inputs.bank, inputs.ways
        by_item, by_band = [], []
        for rows in inputs.rows():
            belief, _ = _belief(inputs, bank, rows)
            may_be_late = inputs.may_be_late[rows]
            used = _unshifted(inputs.may_be_due[rows].to(ways.dtype), may_be_late)  # (n, X, T, 3)
            by_item.append(_shifted(belief @ ways, may_be_late) * inputs.may_be_due[rows])
            sums = _over_items(used, belief) * ways.T  # (n, T, 3, b)
            by_band.append(_shifted(sums.permute(0, 3, 1, 2)).transpose(1, 2))
        return torch.cat(by_item), torch.cat(by_band)

    @staticmethod
    def backward(ctx: Any, to_items: Tensor, to_bands: Tensor) -> tuple[Tensor | None, ...]:
        inputs = Recurrence(*ctx.saved_tensors)
        bank, ways = inputs.bank, inputs.ways
        to_weight, to_prior = torch.empty_like(inputs.weight), torch.empty_like(inputs.prior)
        to_bank, to_offset = torch.zeros_like(bank), torch.zeros_like(inputs.offset)
        to_explaining_away = torch.zeros_like(inputs.explaining_away)
        to_ways = torch.zeros_like(ways)
        for rows in inputs.rows():
            belief, excluded = _belief(inputs, bank, rows)
            may_be_due, may_be_late = inputs.may_be_due[rows], inputs.may_be_late[rows]
            used = _unshifted(may_be_due.to(ways.dtype), may_be_late)
            by_item = _unshifted(to_items[rows] * may_be_due, may_be_late)  # (n, X, T, 3)
            by_band = _unshifted(to_bands[rows].transpose(1, 2)).permute(0, 2, 3, 1)  # (n, T, 3, b)
            to_ways += (by_item.flatten(0, 2).T @ belief.flatten(0, 2)).T  # thrice as quick as the other way round
            to_ways += (_over_items(used, belief) * by_band).sum((0, 1)).T
            upstream = by_item @ ways.T
            upstream += torch.einsum("nxtk,ntkb->nxtb", used, by_band * ways.T)
            upstream.mul_(belief).mul_(belief.neg_().add_(1))  # through σ
            to_explaining_away -= torch.dot(upstream.flatten(), excluded.flatten())
            to_prior[rows] = upstream.sum((2, 3))
            to_offset += upstream.sum((0, 1)).T
            flat = upstream.flatten(2).flatten(0, 1)  # (n · X, T·b)
            at_item = flat.index_select(0, inputs.place(rows)).unflatten(0, (-1, len(bank)))  # (n, L, T·b)
            to_weight[rows] = (at_item * bank).sum(-1)
            to_bank += at_item.mul_(inputs.weight[rows, :, None]).sum(0)
        to_ways *= inputs.band_keep[:, None]
        to_kernels = _from_bank(to_bank, inputs.kernels)
        of_bands = (to_ways[:, 1], to_ways[:, 2])
        gradients = (to_weight, to_kernels, to_offset, to_prior, to_explaining_away, *of_bands)
        return *gradients, *(None for _ in range(len(inputs) - len(gradients)))


def _belief(inputs: Recurrence, bank: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
    """h and R of n rows: (n, X, T, b) each."""
    weight, last, other_bands = inputs.weight[rows], inputs.last[rows], inputs.other_bands[rows]
    (count, length), slots = weight.shape, last.shape[1]
    at_last = last + length * torch.arange(count, device=last.device)[:, None, None]
    in_phase = F.embedding(at_last, other_bands[..., :-1].flatten(0, 1))  # quicker than indexing
    out_of_phase = other_bands[..., -1].flatten()[at_last]
    gap = _gap(last).clamp(max=len(inputs.same_phase) - 1)
    same_phase = F.embedding(gap, inputs.same_phase.to(weight.dtype))
    excluded = torch.lerp(out_of_phase[..., None], in_phase, same_phase)  # one of the two; quicker than `where`
    place, order = inputs.place(rows).sort(stable=True)
    first = torch.searchsorted(place, torch.arange(count * slots, device=place.device))  # of each item
    log_odds = F.embedding_bag(  # F: a sum over the few interactions with an item, not over all L
        order % length, bank, first, mode="sum", per_sample_weights=weight.flatten()[order]
    ).view(count, slots, length + 1, -1)
    log_odds.add_(inputs.offset.T).add_(inputs.prior[rows, :, None, None])
    log_odds.addcmul_(excluded, inputs.explaining_away, value=-1)
    return log_odds.sigmoid_(), excluded


def _over_items(used: Tensor, belief: Tensor) -> Tensor:
    """Σ_i, used (n, X, T, 3) and belief (n, X, T, b) → (n, T, 3, b)."""
    return used.permute(0, 2, 3, 1) @ belief.transpose(1, 2)


def _gap(last: Tensor) -> Tensor:
    """Interactions from each item's last choice to what comes after column τ, int64 (…, T)."""
    return torch.arange(1, last.shape[-1] + 1, device=last.device) - last


def _shifted(columns: Tensor, may_be_late: Tensor | None = None) -> Tensor:
    """Adds the three uses of every column to the positions that use them. (…, T, 3) → (…, L)."""
    total = columns[..., :-1, 0].clone()
    late = columns[..., :-2, 1]
    total[..., 1:] += late if may_be_late is None else late * may_be_late[..., 1:]
    return total.add_(columns[..., 1:, 2])


def _unshifted(positions: Tensor, may_be_late: Tensor | None = None) -> Tensor:
    """The transpose of `_shifted`: (…, L) → (…, T, 3)."""
    late = positions if may_be_late is None else positions * may_be_late
    return torch.stack([F.pad(positions, (0, 1)), F.pad(late[..., 1:], (0, 2)), F.pad(positions, (1, 0))], dim=-1)


def _from_bank(to_bank: Tensor, kernels: Tensor) -> Tensor:
    """The transpose of `Recurrence.bank`: (L, T·b) → (b, W), the sum along each lag."""
    length, (bands, taps) = len(to_bank), kernels.shape
    columns = length + 1
    # in rows that are one place shorter than the padded ones, row s is moved by s: lags come to stand in columns
    padded = F.pad(to_bank.view(length, columns, bands).flip(0), (0, 0, 0, length))
    moved = padded.reshape(-1, bands)[:-length].view(length, columns + length - 1, bands)
    by_lag = moved.sum(0)[length - 1 :].T  # (b, T)
    return F.pad(by_lag[:, :taps], (0, max(0, taps - columns)))
