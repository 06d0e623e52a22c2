"""A history that grows one item at a time: the model's cached state, and the answer after each item."""

import torch

from m2rec.model.m2rec import Encoded
from m2rec.recommend.answer import MODALITIES, Answer, Shares, Spectrum
from m2rec.recommend.engine import Engine
from m2rec.recommend.history import is_invention, seen_mask
from m2rec.recommend.options import checked_k


class Live:
    """Made by `Recommender.start`. Unlike `recommend` it never truncates: what is old fades in the state by itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._served = engine.serving.start() if engine.serving else None  # None: the plain way is taken
        self._plain = engine.model.start()
        self._encoded: Encoded | None = None
        self._history: list[str] = []
        self._chosen: list[int] = []  # item indices; those of inventions lie above the catalogue
        self._gates: list[Shares] = []

    def __len__(self) -> int:
        return len(self._history)

    @torch.inference_mode()
    def take(self, item: str | int) -> None:
        """Read one more item (title or id) without answering. Raises InputError and stays as it was."""
        engine = self._engine
        if engine.serving and self._served and not is_invention(item):
            read, _ = engine.read([item])
            self._encoded, self._served = engine.serving.step(read.indices[0], self._served)
        else:
            # the whole history is read again, so that each invention keeps the index it had
            read, _ = engine.read([*self._history, item], truncate=False)
            steps = read.indices if self._served else read.indices[-1:]  # so far it was served the quick way
            for index in steps:
                self._encoded, self._plain = engine.model.step(torch.tensor([index]), self._plain, read.table)
            self._served = None
        assert self._encoded is not None
        self._history.append(read.ids[-1])
        self._chosen.append(read.indices[-1])
        gates = self._encoded.log_gate[0].exp().tolist()
        self._gates.append(dict(zip(MODALITIES, gates, strict=True)))

    def add(self, item: str | int, k: int = 10) -> Answer:
        """Read one more item and answer, without a spectrum."""
        self.take(item)
        return self.answer(k)

    @torch.inference_mode()
    def answer(self, k: int = 10, exclude_seen: bool = False, spectrum: bool = False) -> Answer:
        """What comes next, from the state as it is."""
        engine = self._engine
        if self._encoded is None:
            return engine.recommend([], k)
        k = checked_k(k)
        return Answer(
            world=engine.name,
            history=list(self._history),
            items=engine.rank(self._encoded, seen_mask(self._chosen, len(engine.catalogue)), k, exclude_seen),
            gates=self._gates[-1],
            gate_history=list(self._gates),
            spectrum=self._spectrum(self._encoded) if spectrum else None,
            themes=engine.themes(self._encoded),
        )

    def _spectrum(self, encoded: Encoded) -> Spectrum:
        read, _ = self._engine.read(self._history[-self._engine.max_history :])
        return self._engine.spectrum(read, encoded.gains[0])
