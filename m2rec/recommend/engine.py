"""One world's answers: history in, ranked items with their contributions, gate and spectrum out.

`Engine` holds the model, the catalogue and a cache of encoded histories. `Recommender` adds loading and saving to it,
`Live` reads a history item by item.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from m2rec.branches import BRANCHES
from m2rec.checkpoint import Checkpoint, Item
from m2rec.errors import CheckpointError, InputError
from m2rec.inference.engine import InferenceEngine
from m2rec.inference.reading import Position
from m2rec.recommend.answer import Answer, RankedItem, Theme
from m2rec.recommend.candidates import Candidate, skyband
from m2rec.recommend.catalogue import Catalogue, CatalogueItem
from m2rec.recommend.explain.influence import influence
from m2rec.recommend.explain.spectra import Spectra
from m2rec.recommend.explain.themes import strongest, typical_items
from m2rec.recommend.history import GivenHistory, History, as_list, latest_inventions, look_up
from m2rec.recommend.inventions import Inventions, note
from m2rec.recommend.options import LONGEST_HISTORY, Band, Options, gate_weights
from m2rec.recommend.parts import per_branch
from m2rec.recommend.probability import probability
from m2rec.recommend.ranking import best_places, weighed
from m2rec.recommend.validation import checked

if TYPE_CHECKING:
    from m2rec.model.m2rec import M2Rec

NOTED_INVENTIONS = 2  # those chosen last, in notes
NOTHING_CHOSEN = (
    "Nothing has been chosen yet: this is the popularity that the model learnt, and no evidence has been weighed."
)


class Engine:
    """One loaded checkpoint. Safe to share between threads: after loading, nothing in it changes but its caches.

    It answers without PyTorch, which only an item of one's own words needs, for the text encoder.
    """

    def __init__(self, checkpoint: Checkpoint, catalogue: Sequence[Item] | None = None) -> None:
        """`catalogue` replaces the checkpoint's items where titles live on the user's machine; same ids, same order."""
        items = checkpoint.items if catalogue is None else list(catalogue)
        if [item.item_id for item in items] != [item.item_id for item in checkpoint.items]:
            raise CheckpointError(f"The titles given for {checkpoint.config.world} are not those of its items.")
        self.config = checkpoint.config
        self.checkpoint = checkpoint
        self.catalogue = Catalogue(items)
        self.inference = checkpoint.inference()
        self.typical = [] if self.inference.emissions is None else typical_items(self.inference.emissions)
        self.inventions = Inventions(self.inference, checkpoint.weights["text"][1:], items, self.catalogue)
        self.spectra = Spectra(self.inference, self.inventions)
        self._check_answers()

    def _check_answers(self) -> None:
        """Finite weights can give answers that are not finite; an error when loading, not on the page."""
        with np.errstate(all="ignore"):
            answer = self.recommend([self.items[0].item_id] * 4, k=1, spectrum=False)
        found = [*answer.gates.values(), *(item.probability for item in answer.items)]
        if not answer.items or not all(map(math.isfinite, found)):
            raise CheckpointError(
                f"The weights of {self.name} give answers that are no numbers; train or fetch it again."
            )

    @cached_property
    def model(self) -> "M2Rec":
        """The same network in PyTorch, for training and evaluation; made on first use."""
        return self.checkpoint.model().requires_grad_(False)

    # ── properties ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def name(self) -> str:
        """The world's name."""
        return self.config.world

    @property
    def items(self) -> list[CatalogueItem]:
        """The catalogue, most popular first."""
        return self.catalogue.items

    @cached_property
    def never_seen(self) -> frozenset[str]:
        """Ids of the items that no training history held: they are known by their text alone."""
        return frozenset(item.item_id for item in self.items[self.config.model.warm_items :])

    @property
    def max_history(self) -> int:
        """Longest history the model reads, in interactions."""
        return self.config.model.max_length

    def search(self, query: str, limit: int = 50) -> list[CatalogueItem]:
        """Items whose titles match, best first; an empty query gives the most popular."""
        return self.catalogue.search(query, limit)

    def forget(self) -> None:
        """Drop the cached histories, and free their memory; answers are as before."""
        self.inference.forget()

    # ── answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def recommend(
        self,
        history: GivenHistory,
        k: int = 10,
        exclude_seen: bool = False,
        gate_override: Mapping[str, float] | None = None,
        band_mask: Sequence[Band] | None = None,
        spectrum: bool = True,
    ) -> Answer:
        """What comes next after `history` (titles or ids, oldest first), and why.

        An entry that starts with “~” is an item of one's own words, such as "~Jam of wild strawberries": its text alone
        is read. The text encoder takes some seconds to load for the first one.

        `gate_override` replaces the gate by other weights (they are normalised); `band_mask` mutes the filter's bands
        whose period, in interactions, lies in any (low, high). Raises InputError with one sentence.
        """
        given = {"k": k, "exclude_seen": exclude_seen, "gate_override": gate_override, "band_mask": band_mask}
        options = checked(Options, given)
        read, notes = self.read(history)
        if not read.indices:
            return self._empty(k)
        inventions = self.inventions.described(read.inventions)
        reading = self.network(read).read(read.indices, self.band_keep(options.band_mask or []))
        position = reading.position
        gate = gate_weights(options.gate_override) if options.gate_override else position.gate
        return Answer(
            world=self.name,
            history=read.ids,
            items=self.rank(position, gate, read.seen(), k, exclude_seen),
            gates=per_branch(gate.tolist()),
            gate_history=[per_branch(row) for row in reading.gates.tolist()],
            spectrum=self.spectra.of(read, position.gains) if spectrum else None,
            themes=self.themes(position),
            inventions=inventions,
            notes=[*notes, *self.notes_on_inventions(read.ids)],
        )

    def notes_on_inventions(self, ids: Sequence[str]) -> list[str]:
        """How the newest invented items among these entries are read, for the reader; the newest last."""
        return list(map(note, self.inventions.described(latest_inventions(ids, NOTED_INVENTIONS)[::-1])))

    def network(self, history: History) -> InferenceEngine:
        """The network that also reads the invented items of a history."""
        return self.inventions.network(history.inventions)

    def rank(
        self, position: Position, gate: np.ndarray, seen: np.ndarray, k: int, exclude_seen: bool
    ) -> list[RankedItem]:
        """The k most probable items with their contributions; equal ones are ordered as in `ranking.py`.

        gate (M,), the weights applied; seen bool (V,), the items of the whole history.
        """
        branches = self.inference.distributions(position, seen)
        shares, ranking = weighed(branches, gate, seen if exclude_seen else None)
        best = best_places(ranking, k, branches)
        return [self._ranked(rank, place, shares[:, place].tolist()) for rank, place in enumerate(best.tolist(), 1)]

    def _ranked(self, rank: int, place: int, parts: list[float]) -> RankedItem:
        item = self.catalogue[place + 1]
        return RankedItem(
            rank=rank,
            item_id=item.item_id,
            title=item.title,
            group=item.group,
            probability=math.fsum(parts),
            contributions=per_branch(parts),
        )

    def probability(
        self,
        history: GivenHistory,
        item: str | int,
        exclude_seen: bool = False,
        gate_override: Mapping[str, float] | None = None,
        band_mask: Sequence[Band] | None = None,
    ) -> float | None:
        """How likely one item is next, or None where it is not among the first fifty (see `probability.py`)."""
        return probability(self, history, item, exclude_seen, gate_override, band_mask)

    def candidates(
        self,
        history: GivenHistory,
        k: int = 10,
        exclude_seen: bool = False,
        band_mask: Sequence[Band] | None = None,
    ) -> list[Candidate]:
        """The items that can be among the first k of this history whatever the gate, with each branch's probability.

        Empty for an empty history.
        """
        options = checked(Options, {"k": k, "exclude_seen": exclude_seen, "band_mask": band_mask})
        read, _ = self.read(history)
        if not read.indices:
            return []
        position = self.network(read).newest(read.indices, self.band_keep(options.band_mask or []))
        seen = read.seen()
        there = np.flatnonzero(~seen) if exclude_seen else np.arange(len(self.catalogue))
        probabilities = self.inference.distributions(position, seen)[:, there].astype(np.float64)  # (M, V)
        places = skyband(probabilities, k)
        items = [self.catalogue[index] for index in (there[places] + 1).tolist()]
        return [
            Candidate(item.item_id, item.title, item.group, per_branch(row))
            for item, row in zip(items, probabilities[:, places].T.tolist(), strict=True)
        ]

    def themes(self, position: Position) -> list[Theme]:
        """The themes that the model finds in the history."""
        found = [] if position.themes is None else strongest(position.themes)
        return [
            Theme(share=share, items=[self.catalogue[item].title for item in self.typical[theme]])
            for theme, share in found
        ]

    def unit_vectors(self, history: History) -> np.ndarray:
        """The item vectors of a history, of unit length: float32 (L, d)."""
        return self.network(history).unit_vectors[history.indices]

    def influence(
        self,
        history: GivenHistory,
        item: str | int,
        gate_override: Mapping[str, float] | None = None,
        band_mask: Sequence[Band] | None = None,
    ) -> list[float]:
        """How much each history item adds to an item's log-probability → one number a position (see `influence.py`)."""
        options = checked(Options, {"gate_override": gate_override, "band_mask": band_mask})
        read, _ = self.read(history)
        target = self.catalogue.index(item)
        network, unknown = self.inventions.network_with_unknown(read.inventions)
        gate = gate_weights(options.gate_override) if options.gate_override else None
        return influence(network, read, target, unknown, gate, self.band_keep(options.band_mask or []))

    def read(self, history: GivenHistory, truncate: bool = True) -> tuple[History, list[str]]:
        """A history as the model reads it, with notes for the reader. Raises InputError. Items that are too old to be
        read count as already chosen.
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
        return look_up(history, self.max_history if truncate else None, self.catalogue), notes

    def band_keep(self, bands: Sequence[Band]) -> np.ndarray | None:
        """1 for each band of the filter, 0 for those that are muted; None where none is."""
        periods = self.inference.band_periods
        keep = np.ones(len(periods), dtype=np.float32)
        for low, high in bands:
            keep[(periods >= low) & (periods <= high)] = 0
        return None if keep.all() else keep

    def _empty(self, k: int) -> Answer:
        """For an empty history: the popularity that the model learned, in three equal contributions."""
        bias = self.inference.bias.astype(np.float64)
        probability = np.exp(bias - bias.max())
        probability /= probability.sum()
        best = np.argsort(-bias, kind="stable")[:k]
        third = 1 / len(BRANCHES)
        return Answer(
            world=self.name,
            history=[],
            items=[
                self._ranked(rank, place, [float(probability[place]) * third] * len(BRANCHES))
                for rank, place in enumerate(best.tolist(), 1)
            ],
            gates=dict.fromkeys(BRANCHES, third),
            gate_history=[],
            spectrum=None,
            notes=[NOTHING_CHOSEN],
        )
