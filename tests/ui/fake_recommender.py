"""A stand-in for a trained world: a made-up shop of forty items whose answers follow simple, known rules."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from m2rec.branches import BRANCHES
from m2rec.errors import InputError
from m2rec.model.config import ModelConfig
from m2rec.recommend.answer import Answer, PerBranch, RankedItem, Spectrum
from m2rec.recommend.candidates import Candidate, skyband

GROUPS = {
    "Coffee & tea": [
        "Ground coffee",
        "Oat milk",
        "Green tea",
        "Espresso beans",
        "Chai mix",
        "Cocoa",
        "Filter papers",
        "Honey",
    ],
    "Bread & grain": [
        "Sourdough loaf",
        "Rye crackers",
        "Basmati rice",
        "Spaghetti",
        "Rolled oats",
        "Bagels",
        "Couscous",
        "Flour",
    ],
    "Fruit & vegetables": ["Bananas", "Tomatoes", "Spinach", "Lemons", "Carrots", "Avocado", "Apples", "Garlic"],
    "Household": [
        "Dish soap",
        "Laundry liquid",
        "Sponges",
        "Bin bags",
        "Candles",
        "Kitchen roll",
        "Hand soap",
        "Light bulbs",
    ],
    "Treats": [
        "Dark chocolate",
        "Salted crisps",
        "Vanilla ice cream",
        "Gingerbread",
        "Olives",
        '<b>Bold</b> & "loud" `nuts`',
        "Popcorn",
        "Marzipan",
    ],
}
LONGEST = 200


@dataclass(frozen=True)
class Item:
    item_id: str
    title: str
    group: str


ITEMS = [
    Item(f"i{group:d}{place:d}", title, name)
    for group, (name, titles) in enumerate(GROUPS.items())
    for place, title in enumerate(titles)
]
INDEX = {item.item_id: index for index, item in enumerate(ITEMS)}


def _normal(scores: np.ndarray) -> np.ndarray:
    return scores / scores.sum()


class FakeRecommender:
    """Temporal: the next of the same group. Frequency: what was there one period ago. Semantic: the same group."""

    name = "toy-shop"
    items = ITEMS
    max_history = LONGEST
    never_seen = frozenset({"i06"})
    config = SimpleNamespace(
        titles="shipped",
        training=SimpleNamespace(date="2026-01-02"),
        model=ModelConfig(items=40, warm_items=40, text_width=384),
    )

    def recommend(
        self,
        history: Sequence[str],
        k: int = 10,
        exclude_seen: bool = False,
        gate_override: PerBranch | None = None,
        band_mask: Sequence[tuple[float, float]] | None = None,
        spectrum: bool = True,
    ) -> Answer:
        ids = [self._id(entry) for entry in history]
        if not 1 <= k <= 50:
            raise InputError(f"k must lie between 1 and 50, not {k}.")
        notes = (
            [f"The history has {len(ids)} items; the model reads the newest {LONGEST}."] if len(ids) > LONGEST else []
        )
        ids = ids[-LONGEST:]
        places = [INDEX.get(item_id, 0) for item_id in ids]  # an invention is taken for coffee
        gates = [self._gates(places[:end], band_mask) for end in range(1, len(places) + 1)] or [self._gates([], None)]
        now = gate_override or gates[-1]
        now = {name: now[name] / sum(now.values()) for name in BRANCHES}
        parts = {name: now[name] * scores for name, scores in self._scores(places, band_mask).items()}
        total = sum(parts.values())
        order = [place for place in np.argsort(-total, kind="stable") if not (exclude_seen and place in places)][:k]
        ranked = [
            RankedItem(
                rank=rank,
                item_id=ITEMS[place].item_id,
                title=ITEMS[place].title,
                group=ITEMS[place].group,
                probability=float(total[place]),
                contributions={name: float(parts[name][place]) for name in BRANCHES},
            )
            for rank, place in enumerate(order, start=1)
        ]
        found = self._spectrum(places) if spectrum and len(places) >= 4 else None
        return Answer(
            world=self.name,
            history=ids,
            items=ranked,
            gates=now,
            gate_history=gates[: len(ids)],
            spectrum=found,
            notes=notes,
        )

    def probability(
        self,
        history: Sequence[str],
        item_id: str,
        exclude_seen: bool = False,
        gate_override: PerBranch | None = None,
        band_mask: Sequence[tuple[float, float]] | None = None,
    ) -> float | None:
        answer = self.recommend(history, 50, exclude_seen, gate_override, band_mask, spectrum=False)
        return next((item.probability for item in answer.items if item.item_id == item_id), None)

    def candidates(
        self,
        history: Sequence[str],
        k: int = 10,
        exclude_seen: bool = False,
        band_mask: Sequence[tuple[float, float]] | None = None,
    ) -> list[Candidate]:
        places = [INDEX.get(self._id(entry), 0) for entry in history][-LONGEST:]
        scores = self._scores(places, band_mask)
        left = [at for at in range(len(ITEMS)) if not (exclude_seen and at in places)]
        found = skyband(np.array([scores[name][left] for name in BRANCHES]), k) if places else []
        return [
            Candidate(item.item_id, item.title, item.group, {name: float(scores[name][at]) for name in BRANCHES})
            for at, item in ((left[place], ITEMS[left[place]]) for place in found)
        ]

    def read(self, history: Sequence[str]) -> tuple[SimpleNamespace, list[str]]:
        ids = [self._id(entry) for entry in history][-LONGEST:]
        return SimpleNamespace(indices=[INDEX.get(item_id, 0) for item_id in ids]), []

    def unit_vectors(self, history: SimpleNamespace) -> np.ndarray:
        return np.eye(len(ITEMS))[history.indices]

    def search(self, query: str, limit: int = 50) -> list[Item]:
        return [item for item in ITEMS if query.casefold() in item.title.casefold()][:limit]

    def forget(self) -> None:
        """It caches nothing."""

    def influence(
        self, history: Sequence[str], item_id: str, gate_override: object = None, band_mask: object = None
    ) -> list[float]:
        ids = [self._id(entry) for entry in history][-LONGEST:]

        def chance(seen: Sequence[str]) -> float:
            answer = self.recommend(seen, k=40, spectrum=False)
            return math.log(next(item.probability for item in answer.items if item.item_id == item_id))

        whole = chance(ids)
        return [whole - chance(ids[:at] + ids[at + 1 :]) for at in range(len(ids))]

    def _id(self, entry: str) -> str:
        if entry in INDEX or entry.startswith("~"):
            return entry
        for item in ITEMS:
            if item.title.casefold() == entry.casefold():
                return item.item_id
        raise InputError(f"“{entry}” is not in this world; the nearest title is “{ITEMS[0].title}”.")

    def _period(self, places: list[int]) -> int | None:
        recent = np.array(places[-48:])
        best, period = 0.15, None
        for lag in range(2, len(recent) // 2 + 1):
            same = float((recent[:-lag] == recent[lag:]).mean())
            if same > best:
                best, period = same, lag
        return period

    def _gates(self, places: list[int], band_mask: Sequence[tuple[float, float]] | None) -> PerBranch:
        period = self._period(places)
        audible = period is not None and not any(low <= period <= high for low, high in band_mask or [])
        rhythm = 0.05 + (
            0.75 if audible and len(places) - period >= 0 and places.count(places[-period]) > 2 else 0.1 * audible
        )
        temporal = (1 - rhythm) * (0.4 + 0.2 * np.sin(len(places)))
        return {"temporal": float(temporal), "frequency": float(rhythm), "semantic": float(1 - rhythm - temporal)}

    def _scores(self, places: list[int], band_mask: Sequence[tuple[float, float]] | None) -> dict[str, np.ndarray]:
        base = np.linspace(1.2, 0.8, len(ITEMS))
        temporal, frequency, semantic = base.copy(), base.copy(), base.copy()
        if places:
            last = places[-1]
            temporal[last // 8 * 8 + (last + 1) % 8] += 40
            semantic[last // 8 * 8 : last // 8 * 8 + 8] += np.linspace(9, 6, 8)
            period = self._period(places)
            if period:
                frequency[places[-period]] += 120
        return {"temporal": _normal(temporal), "frequency": _normal(frequency), "semantic": _normal(semantic)}

    def _spectrum(self, places: list[int]) -> Spectrum:
        count = len(places)
        periods = [float(period) for period in range(2, count // 2 + 1)]
        power = self._power(places, periods)
        chance = np.array(
            [self._power(list(np.random.default_rng(seed).permutation(places)), periods) for seed in range(40)]
        )
        threshold = np.full(len(periods), np.quantile(chance.max(axis=1), 0.95))
        gain = np.clip(power / max(power.max(), 1e-9), 0.05, 1) * np.where(np.array(periods) > 2.5, 1, 0.3)
        return Spectrum(period=periods, power=power.tolist(), threshold=threshold.tolist(), filter_gain=gain.tolist())

    def _power(self, places: list[int], periods: list[float]) -> np.ndarray:
        marks = np.equal.outer(np.array(places), np.arange(len(ITEMS))).astype(float)
        marks -= marks.mean(axis=0)
        waves = np.exp(-2j * np.pi * np.outer(1 / np.array(periods), np.arange(len(places))))
        power = (np.abs(waves @ marks) ** 2).sum(axis=1)
        return power / max(power.mean(), 1e-9)
