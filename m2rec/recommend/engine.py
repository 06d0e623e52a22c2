"""One world's answers: history in, ranked items with their contributions, gate and spectrum out.

`Engine` holds the model, the catalogue and a cache of encoded histories. `Recommender` adds loading and saving to it,
`Live` reads a history item by item.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from m2rec.checkpoint import Checkpoint, Item
from m2rec.data.text import TextEncoder
from m2rec.errors import CheckpointError, InputError
from m2rec.model.items import ItemTable
from m2rec.model.m2rec import Encoded
from m2rec.model.serving.serving import Serving
from m2rec.recommend.answer import MODALITIES, Answer, RankedItem, Shares, Spectrum, Theme
from m2rec.recommend.candidates import Candidate, skyband
from m2rec.recommend.catalogue import Catalogue, CatalogueItem
from m2rec.recommend.history import GivenHistory, History, as_list, look_up
from m2rec.recommend.options import LONGEST_HISTORY, Band, Options, gate_weights
from m2rec.recommend.spectrum import LONGEST_PERIOD, gain_at, item_periodogram, periodogram
from m2rec.recommend.themes import strongest, typical_items
from m2rec.recommend.validation import checked

CACHED_HISTORIES = 256
ROWS_AT_ONCE = 64  # shortened histories asked about together
NOTHING_CHOSEN = "Nothing has been chosen yet: this is what is chosen most often, and no evidence has been weighed."


@dataclass
class EncodedHistory:
    """A history before anything is ranked: the branches' output at its end, over (1,), and the gate after each item."""

    last: Encoded
    gates: list[list[float]]
    spectrum: Spectrum | None = None  # once somebody asked for it


class Engine:
    """One loaded checkpoint. Safe to share between threads: after loading, nothing in it changes but its cache."""

    def __init__(self, checkpoint: Checkpoint, catalogue: Sequence[Item] | None = None) -> None:
        """`catalogue` replaces the checkpoint's items where titles live on the user's machine; same ids, same order."""
        items = checkpoint.items if catalogue is None else list(catalogue)
        if [item.item_id for item in items] != [item.item_id for item in checkpoint.items]:
            raise CheckpointError(f"The titles given for {checkpoint.config.world} are not those of its items.")
        self.config = checkpoint.config
        self.checkpoint = checkpoint
        self.catalogue = Catalogue(items)
        self.model = checkpoint.model().requires_grad_(False)
        self.table = self.model.item_table()
        self.serving = Serving(self.model, self.table) if self.config.model.temporal_layers == 1 else None
        self._typical = [] if self.table.emissions is None else typical_items(self.table.emissions)
        self._encoder = TextEncoder(cached=False)  # loads nothing until somebody invents an item
        # dragging the gate, another length of the list, a comparison: many questions in a row are about one history
        self._cached = lru_cache(maxsize=CACHED_HISTORIES)(self._encode)
        self._order = torch.tensor(_id_ranks([item.item_id for item in items]))  # ties are broken by item id
        self._check_answers()

    def _check_answers(self) -> None:
        """Finite weights can be so large that their answers are not finite: said when loading, not on the page."""
        answer = self.recommend([self.items[0].item_id] * 4, k=1, spectrum=False)
        found = [*answer.gates.values(), *(item.probability for item in answer.items)]
        if not answer.items or not all(map(math.isfinite, found)):
            raise CheckpointError(
                f"The weights of {self.name} give answers that are no numbers; train or fetch it again."
            )

    # ── what it is ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def name(self) -> str:
        """The world's name."""
        return self.config.world

    @property
    def items(self) -> list[CatalogueItem]:
        """The catalogue, most popular first."""
        return self.catalogue.items

    @property
    def max_history(self) -> int:
        """Longest history the model reads, in interactions."""
        return self.config.model.max_length

    @property
    def period_limit(self) -> int:
        """Longest period the spectrum shows, in interactions."""
        return min(LONGEST_PERIOD, self.max_history // 2)

    def search(self, query: str, limit: int = 50) -> list[CatalogueItem]:
        """Items whose titles match, best first; an empty query gives the most popular."""
        return self.catalogue.search(query, limit)

    # ── answers ─────────────────────────────────────────────────────────────────────────────────────────────

    @torch.inference_mode()
    def recommend(
        self,
        history: GivenHistory,
        k: int = 10,
        exclude_seen: bool = False,
        gate_override: Mapping[str, float] | None = None,
        band_mask: Sequence[Band] | None = None,
        spectrum: bool = True,
    ) -> Answer:
        """What comes after `history` (titles or ids, oldest first), and why.

        An entry that starts with “~” is an item of one's own words, such as "~Jam of wild strawberries": it is read by
        its meaning alone. The text encoder takes some seconds to load when the first one comes.

        `gate_override` replaces the gate by other weights (they are normalised); `band_mask` mutes the filter's bands
        whose period, in interactions, lies in any (low, high). Raises InputError with one sentence.
        """
        given = {"k": k, "exclude_seen": exclude_seen, "gate_override": gate_override, "band_mask": band_mask}
        options = checked(Options, given)
        keep = self._band_keep(options.band_mask or [])
        read, notes = self.read(history)
        if not read.indices:
            return self._empty(k)
        encoded = self._encoded(read, keep)
        if spectrum and encoded.spectrum is None:
            encoded.spectrum = self.spectrum(read, encoded.last.gains[0])
        last = encoded.last
        if options.gate_override:
            last = replace(last, log_gate=gate_weights(options.gate_override).log()[None])
        return Answer(
            world=self.name,
            history=read.ids,
            items=self.rank(last, read.seen(), k, exclude_seen),
            gates=_shares(last.log_gate[0].exp().tolist()),
            gate_history=[_shares(row) for row in encoded.gates],
            spectrum=encoded.spectrum if spectrum else None,
            themes=self.themes(last),
            notes=notes,
        )

    def _encoded(self, history: History, keep: tuple[float, ...] | None) -> EncodedHistory:
        """What the model makes of a history, from the cache where it was asked for before."""
        if history.table is self.table:
            return self._cached(tuple(history.indices), keep)
        return self._encode(history.indices, keep, history.table)  # it holds items invented for this one question

    def _encode(
        self, indices: Sequence[int], keep: tuple[float, ...] | None, table: ItemTable | None = None
    ) -> EncodedHistory:
        encoded = self.model.encode(
            torch.tensor([indices]), table or self.table, None if keep is None else torch.tensor(keep)
        )
        return EncodedHistory(encoded.newest().copied(), encoded.log_gate[0].exp().tolist())

    def rank(self, encoded: Encoded, seen: Tensor, k: int, exclude_seen: bool) -> list[RankedItem]:
        """The k most probable items with their shares; equal ones are ordered by item id.

        `encoded` over (1,); seen bool (1, V), the items of the whole history.
        """
        shares = (self.serving.shares(encoded, seen) if self.serving else self.model.shares(encoded, seen, self.table))[
            0
        ]  # (M, V)
        probability = shares.sum(0)
        ranking = probability.masked_fill(seen[0], -1.0) if exclude_seen else probability
        k = min(k, int((ranking >= 0).sum()))
        floor = ranking.topk(k).values[-1] if k else 0.0
        candidates = (ranking >= floor).nonzero()[:, 0].tolist() if k else []
        candidates.sort(key=lambda i: (-float(ranking[i]), int(self._order[i])))
        rows = []
        for rank, i in enumerate(candidates[:k], start=1):
            item = self.catalogue[i + 1]
            parts = shares[:, i].tolist()
            rows.append(
                RankedItem(
                    rank=rank,
                    item_id=item.item_id,
                    title=item.title,
                    group=item.group,
                    probability=math.fsum(parts),
                    contributions=_shares(parts),
                )
            )
        return rows

    @torch.inference_mode()
    def candidates(
        self,
        history: Sequence[str | int],
        k: int = 10,
        exclude_seen: bool = False,
        band_mask: Sequence[Band] | None = None,
    ) -> list[Candidate]:
        """The items that can be among the first k of this history whatever the gate, with each branch's probability.

        Empty before anything was chosen: no branch has anything to say then.
        """
        options = checked(Options, {"k": k, "exclude_seen": exclude_seen, "band_mask": band_mask})
        read, _ = self.read(history)
        if not read.indices:
            return []
        last = self._encoded(read, self._band_keep(options.band_mask or [])).last
        ungated, seen = replace(last, log_gate=torch.zeros_like(last.log_gate)), read.seen()
        shares = self.serving.shares(ungated, seen) if self.serving else self.model.shares(ungated, seen, self.table)
        there = (~seen[0]).nonzero()[:, 0].numpy() if exclude_seen else np.arange(len(self.catalogue))
        probabilities = shares[0].numpy().astype(np.float64)[:, there]  # (M, V)
        found = []
        for place in skyband(probabilities, k):
            item = self.catalogue[int(there[place]) + 1]
            found.append(Candidate(item.item_id, item.title, item.group, _shares(probabilities[:, place].tolist())))
        return found

    def themes(self, encoded: Encoded) -> list[Theme]:
        """What the history is held to be about. `encoded` over (1,)."""
        found = [] if encoded.themes is None else strongest(encoded.themes[0])
        return [
            Theme(share=share, items=[self.catalogue[item].title for item in self._typical[theme]])
            for theme, share in found
        ]

    def spectrum(self, history: History, gains: Tensor) -> Spectrum:
        """Spectrum of a history beside the gain of the filter in force, gains (b,).

        It is that of the frequency branch's input: each item's own occurrences, or the vectors of the items.
        """
        if self.model.by_item:
            measured = item_periodogram(np.array(history.indices))
        else:
            measured = periodogram(self.unit_vectors(history))
        response = gains @ self.model.frequency.kernels()  # (W,), the filter in force
        gain = gain_at(response.numpy(), measured.period)
        return Spectrum(
            period=measured.period.tolist(),
            power=measured.power.tolist(),
            threshold=measured.threshold.tolist(),
            filter_gain=gain.tolist(),
        )

    def unit_vectors(self, history: History) -> np.ndarray:
        """The item vectors of a history, of unit length: float32 (L, d)."""
        return history.table.unit[torch.tensor(history.indices, dtype=torch.long)].numpy()

    @torch.inference_mode()
    def influence(self, history: GivenHistory, item: str | int) -> list[float]:
        """How much each history item adds to an item's log-probability → one number a position.

        It is what is lost where an unknown item of average meaning stands in its place: without anything there, all
        items before it would move, and every rhythm through them with it. An item that was chosen again is replaced at
        each of its places, for one of many is hardly missed, and has the same number at all of them.
        """
        read, _ = self.read(history)
        target = self.catalogue.index(item)
        length = len(read.indices)
        if length < 2:
            return [0.0] * length
        items = torch.tensor([read.indices])
        unknown, table = len(read.table.unit), self.model.extend(read.table, self.model.text[1:].mean(0, keepdim=True))
        different, which = items[0].unique(return_inverse=True)
        replaced = items.where(items != different[:, None], unknown)  # (n, L)
        whole = self._log_probability(items, read.seen(), read.table)[0, target - 1]
        parts = []
        for rows in torch.arange(len(different)).split(ROWS_AT_ONCE):
            seen = torch.cat([read.seen(without=item) for item in different[rows].tolist()])
            parts.append(self._log_probability(replaced[rows], seen, table)[:, target - 1])
        return (whole - torch.cat(parts))[which].tolist()

    def _log_probability(self, items: Tensor, seen: Tensor, table: ItemTable) -> Tensor:
        encoded = self.model.encode_last(items, table)
        parts = self.model.branch_log_probabilities(encoded, seen, self.table)
        return torch.logsumexp(parts + encoded.log_gate[..., None], dim=1)  # finite where the probability is not

    @torch.inference_mode()
    def read(self, history: GivenHistory, truncate: bool = True) -> tuple[History, list[str]]:
        """A history as the model takes it, and what has to be said about it. Raises InputError.

        Where it is too long for the model, what is too old to be read still counts as already chosen.
        """
        history = as_list(history)
        if len(history) > LONGEST_HISTORY:
            raise InputError(
                f"history must be a list of at most {LONGEST_HISTORY:,} titles or ids, not {len(history):,}; "
                "give the newest of them."
            )
        notes = []
        if truncate and len(history) > self.max_history:
            notes.append(
                f"The model read the newest {self.max_history:,} of {len(history):,} items; "
                "the older ones count as already chosen."
            )
        longest = self.max_history if truncate else None
        return look_up(history, longest, self.catalogue, self.model, self.table, self._encoder.encode), notes

    def _band_keep(self, bands: Sequence[Band]) -> tuple[float, ...] | None:
        """1 for each band of the filter that is heard, 0 for those that are muted; None where all are heard."""
        if not bands:
            return None
        periods = torch.tensor([float(period) for period in self.model.frequency.band_periods])
        keep = torch.ones(len(periods))
        for low, high in bands:
            keep[(periods >= low) & (periods <= high)] = 0
        return tuple(keep.tolist())

    def _empty(self, k: int) -> Answer:
        """Before anything was chosen: the popularity that the model learnt, shared out evenly."""
        bias = self.model.bias
        probability = torch.softmax(bias, 0)
        order = sorted(range(len(bias)), key=lambda i: (-float(bias[i]), int(self._order[i])))[:k]
        third = 1 / len(MODALITIES)
        items = [
            RankedItem(
                rank=rank,
                item_id=self.catalogue[i + 1].item_id,
                title=self.catalogue[i + 1].title,
                group=self.catalogue[i + 1].group,
                probability=float(probability[i]),
                contributions={name: float(probability[i]) * third for name in MODALITIES},
            )
            for rank, i in enumerate(order, start=1)
        ]
        gates: Shares = dict.fromkeys(MODALITIES, third)
        return Answer(
            world=self.name,
            history=[],
            items=items,
            gates=gates,
            gate_history=[],
            spectrum=None,
            notes=[NOTHING_CHOSEN],
        )


def _shares(values: Sequence[float]) -> Shares:
    return dict(zip(MODALITIES, values, strict=True))


def _id_ranks(ids: Sequence[str]) -> list[int]:
    """Place of each id in natural order: numbers by value, the rest by spelling."""
    order = sorted(
        range(len(ids)), key=lambda i: (not ids[i].isdecimal(), int(ids[i]) if ids[i].isdecimal() else 0, ids[i])
    )
    ranks = [0] * len(ids)
    for rank, i in enumerate(order):
        ranks[i] = rank
    return ranks
