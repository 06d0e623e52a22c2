"""One world's answers: history in, ranked items with their contributions, gate and spectrum out.

`Engine` holds the model, the catalogue and a cache of encoded histories. `Recommender` adds loading and saving to it,
`Live` reads a history item by item.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from m2rec.branches import BRANCHES
from m2rec.checkpoint import Checkpoint, Item
from m2rec.data.text import TextEncoder
from m2rec.errors import CheckpointError, InputError
from m2rec.inference.engine import InferenceEngine
from m2rec.inference.reading import Position
from m2rec.recommend.answer import Answer, Invention, RankedItem, Shares, Spectrum, Theme
from m2rec.recommend.candidates import Candidate, skyband
from m2rec.recommend.catalogue import Catalogue, CatalogueItem
from m2rec.recommend.explain.influence import influence
from m2rec.recommend.explain.spectrum import LONGEST_PERIOD, Periodogram, gain_at, item_periodogram, periodogram
from m2rec.recommend.explain.themes import strongest, typical_items
from m2rec.recommend.history import GivenHistory, History, as_list, look_up
from m2rec.recommend.inventions import Known, Likeness, Titles, note
from m2rec.recommend.options import LONGEST_HISTORY, Band, Options, gate_weights
from m2rec.recommend.probability import probability
from m2rec.recommend.search import words_of
from m2rec.recommend.validation import checked
from m2rec.text_safety import folded

if TYPE_CHECKING:
    from m2rec.model.m2rec import M2Rec

CACHED_SPECTRA = 256
CACHED_INVENTIONS = 256
TOLD_INVENTIONS = 2  # the newest, in notes
SHORTEST_WORD, SHARING_A_WORD = 3, 25  # letters of a word by which titles are looked up, and titles for each such word
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
        apart = sum(bool(item.title and item.text) and folded(item.title) not in folded(item.text) for item in items)
        self._described = 2 * apart > len(items)  # by texts that do not hold the titles
        self.inference = checkpoint.inference()
        self.typical = [] if self.inference.emissions is None else typical_items(self.inference.emissions)
        self._encoder = TextEncoder(cached=False)  # loaded with the first invented item
        # dragging the gate, another length of the list or a comparison asks about the same history again
        self._periodogram = lru_cache(maxsize=CACHED_SPECTRA)(self._periodogram_anew)
        self._known = lru_cache(maxsize=CACHED_INVENTIONS)(self._known_anew)
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

    @property
    def period_limit(self) -> int:
        """Longest period the spectrum shows, in interactions."""
        return min(LONGEST_PERIOD, self.max_history // 2)

    def search(self, query: str, limit: int = 50) -> list[CatalogueItem]:
        """Items whose titles match, best first; an empty query gives the most popular."""
        return self.catalogue.search(query, limit)

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
        inventions = self.inventions(read.inventions)
        reading = self.network(read).read(read.indices, self.band_keep(options.band_mask or []))
        position = reading.position
        gate = gate_weights(options.gate_override) if options.gate_override else position.gate
        return Answer(
            world=self.name,
            history=read.ids,
            items=self.rank(position, gate, read.seen(), k, exclude_seen),
            gates=_shares(gate.tolist()),
            gate_history=[_shares(row) for row in reading.gates.tolist()],
            spectrum=self.spectrum(read, position.gains) if spectrum else None,
            themes=self.themes(position),
            inventions=inventions,
            notes=[*notes, *map(note, inventions[-TOLD_INVENTIONS:])],
        )

    def network(self, history: History) -> InferenceEngine:
        """The one that knows the history's invented items as well."""
        return self.with_inventions(history.inventions) if history.inventions else self.inference

    def with_inventions(self, texts: Sequence[str]) -> InferenceEngine:
        """A network that also reads items V + 1 … V + n, known by these texts and by what they are like."""
        known = [self._known(text) for text in texts]
        return self.inference.extended(
            np.stack([one.text for one in known]), np.stack([one.id_vector for one in known])
        )

    def inventions(self, texts: Sequence[str]) -> list[Invention]:
        """The items that invented ones are similar to."""
        return [self._known(text).told for text in texts]

    @cached_property
    def _likeness(self) -> Likeness:
        ids = self.inference.items.ids[1 : self.config.model.warm_items + 1]
        by_title = Titles(self._encoder.encode, self._sharing_a_word) if self._described else None
        return Likeness(self.checkpoint.weights["text"][1:], ids, [item.title for item in self.items], by_title)

    def _sharing_a_word(self, text: str) -> list[int]:
        """Places of the items whose title holds a word of the text, or one that is spelt alike."""
        words = [word for word in words_of(text) if len(word) >= SHORTEST_WORD]
        found = (item for word in words for item in self.search(word, SHARING_A_WORD))
        return sorted({self.catalogue.index(item.item_id) - 1 for item in found})

    def _known_anew(self, text: str) -> Known:
        return self._likeness.of(text, self._encoder.encode([text])[0])

    def rank(
        self, position: Position, gate: np.ndarray, seen: np.ndarray, k: int, exclude_seen: bool
    ) -> list[RankedItem]:
        """The k most probable items with their contributions; equal ones are ordered by item id.

        gate (M,), the weights applied; seen bool (V,), the items of the whole history.
        """
        shares = self.inference.distributions(position, seen) * gate[:, None].astype(np.float32)  # (M, V)
        ranking = shares.sum(0)
        if exclude_seen:
            ranking[seen] = -1.0
        k = min(k, int((ranking >= 0).sum()))
        if not k:
            return []
        floor = np.partition(ranking, -k)[-k]
        candidates = np.flatnonzero(ranking >= floor)
        best = candidates[np.lexsort((self.catalogue.order[candidates], -ranking[candidates]))][:k]
        return [self._ranked(rank, place, shares[:, place].tolist()) for rank, place in enumerate(best.tolist(), 1)]

    def _ranked(self, rank: int, place: int, parts: list[float]) -> RankedItem:
        item = self.catalogue[place + 1]
        return RankedItem(
            rank=rank,
            item_id=item.item_id,
            title=item.title,
            group=item.group,
            probability=math.fsum(parts),
            contributions=_shares(parts),
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
        found = []
        for place in skyband(probabilities, k):
            item = self.catalogue[int(there[place]) + 1]
            found.append(Candidate(item.item_id, item.title, item.group, _shares(probabilities[:, place].tolist())))
        return found

    def themes(self, position: Position) -> list[Theme]:
        """The themes that the model finds in the history."""
        found = [] if position.themes is None else strongest(position.themes)
        return [
            Theme(share=share, items=[self.catalogue[item].title for item in self.typical[theme]])
            for theme, share in found
        ]

    def spectrum(self, history: History, gains: np.ndarray) -> Spectrum:
        """Spectrum of a history beside the gain of the filter applied, gains (b,).

        It is that of the frequency branch's input: each item's own occurrences, or the vectors of the items.
        """
        if history.inventions and self.config.model.frequency == "spectral":
            measured = periodogram(self.unit_vectors(history))
        else:
            measured = self._periodogram(tuple(history.indices))
        gain = gain_at(gains @ self.inference.kernels, measured.period)
        return Spectrum(
            period=measured.period.tolist(),
            power=measured.power.tolist(),
            threshold=measured.threshold.tolist(),
            filter_gain=gain.tolist(),
        )

    def _periodogram_anew(self, indices: tuple[int, ...]) -> Periodogram:
        if self.config.model.frequency == "periodic":
            return item_periodogram(np.array(indices))
        return periodogram(self.inference.unit_vectors[list(indices)])

    def unit_vectors(self, history: History) -> np.ndarray:
        """The item vectors of a history, of unit length: float32 (L, d)."""
        return self.network(history).unit_vectors[history.indices]

    def influence(self, history: GivenHistory, item: str | int) -> list[float]:
        """How much each history item adds to an item's log-probability → one number a position (see `influence.py`)."""
        read, _ = self.read(history)
        target = self.catalogue.index(item)
        average = self.checkpoint.weights["text"][1:].mean(0, keepdims=True)
        known = [self._known(text) for text in read.inventions]
        nothing = np.zeros((1, self.config.model.width), dtype=np.float32)
        network = self.inference.extended(
            np.concatenate([*(one.text[None] for one in known), average]),
            np.concatenate([*(one.id_vector[None] for one in known), nothing]),
        )
        return influence(network, read, target, unknown=len(network.unit_vectors) - 1)

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
        best = np.lexsort((self.catalogue.order[: len(bias)], -bias))[:k]
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


def _shares(values: Sequence[float]) -> Shares:
    return dict(zip(BRANCHES, values, strict=True))
