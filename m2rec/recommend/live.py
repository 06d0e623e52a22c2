"""A history that grows one item at a time: the model's cached state, and the answer after each item."""

from typing import TYPE_CHECKING

import torch

from m2rec.model.m2rec import Encoded
from m2rec.recommend.answer import MODALITIES, Answer, Shares, Spectrum
from m2rec.recommend.history import is_invention, seen_mask
from m2rec.recommend.options import checked_k

if TYPE_CHECKING:
    from m2rec.recommend.recommender import Recommender


class Live:
    """Made by `Recommender.start`. Unlike `recommend` it never truncates: what is old fades in the state by itself."""

    def __init__(self, recommender: "Recommender") -> None:
        self._recommender = recommender
        self._served = recommender.serving.start() if recommender.serving else None  # None: the plain way is taken
        self._plain = recommender.model.start()
        self._encoded: Encoded | None = None
        self._history: list[str] = []
        self._chosen: list[int] = []  # item indices; those of inventions lie above the catalogue
        self._gates: list[Shares] = []

    def __len__(self) -> int:
        return len(self._history)

    @torch.inference_mode()
    def take(self, item: str | int) -> None:
        """Read one more item (title or id) without answering. Raises InputError and stays as it was."""
        recommender = self._recommender
        if recommender.serving and self._served and not is_invention(item):
            reading, _ = recommender.read([item])
            self._encoded, self._served = recommender.serving.step(reading.indices[0], self._served)
        else:
            # the whole history is read again, so that each invention keeps the index it had
            reading, _ = recommender.read([*self._history, item], truncate=False)
            steps = reading.indices if self._served else reading.indices[-1:]  # so far it was served the quick way
            for index in steps:
                self._encoded, self._plain = recommender.model.step(torch.tensor([index]), self._plain, reading.table)
            self._served = None
        assert self._encoded is not None
        self._history.append(reading.ids[-1])
        self._chosen.append(reading.indices[-1])
        gates = self._encoded.log_gate[0].exp().tolist()
        self._gates.append(dict(zip(MODALITIES, gates, strict=True)))

    def add(self, item: str | int, k: int = 10) -> Answer:
        """Read one more item and answer, without a spectrum."""
        self.take(item)
        return self.answer(k)

    @torch.inference_mode()
    def answer(self, k: int = 10, exclude_seen: bool = False, spectrum: bool = False) -> Answer:
        """What comes next, from the state as it is."""
        recommender = self._recommender
        if self._encoded is None:
            return recommender.recommend([], k)
        k = checked_k(k)
        return Answer(
            world=recommender.name,
            history=list(self._history),
            items=recommender.rank(self._encoded, seen_mask(self._chosen, len(recommender.catalogue)), k, exclude_seen),
            gates=self._gates[-1],
            gate_history=list(self._gates),
            spectrum=self._spectrum(self._encoded) if spectrum else None,
            themes=recommender.themes(self._encoded),
        )

    def _spectrum(self, encoded: Encoded) -> Spectrum:
        reading, _ = self._recommender.read(self._history[-self._recommender.max_history :])
        return self._recommender.spectrum(reading, encoded.gains[0])
