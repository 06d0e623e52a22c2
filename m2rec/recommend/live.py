"""A history that grows one item at a time: the model's cached state, and the answer after each item."""

import numpy as np

from m2rec.inference.reading import Position
from m2rec.recommend.answer import Answer
from m2rec.recommend.engine import Engine
from m2rec.recommend.history import look_up
from m2rec.recommend.options import checked_k
from m2rec.recommend.parts import PerBranch, per_branch


class Live:
    """Made by `Recommender.start`. Unlike `recommend` it never truncates: old items decay in the state."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._network = engine.inference
        self._inventions: list[str] = []
        self._state = engine.inference.start()
        self._position: Position | None = None
        self._history: list[str] = []
        self._seen = np.zeros(len(engine.catalogue), dtype=bool)
        self._gates: list[PerBranch] = []

    def __len__(self) -> int:
        return len(self._history)

    def take(self, item: str | int) -> None:
        """Read one more item (title or id) without answering. Raises InputError and leaves the state as it was."""
        read = look_up([item], None, self._engine.catalogue, self._inventions)
        network = self._network
        if len(read.inventions) > len(self._inventions):
            network = self._engine.inventions.network(read.inventions)
        self._position, self._state = network.step(read.indices[0], self._state)
        self._network, self._inventions = network, read.inventions
        self._history.append(read.ids[0])
        if read.indices[0] <= len(self._seen):  # inventions have indices above V
            self._seen[read.indices[0] - 1] = True
        self._gates.append(per_branch(self._position.gate.tolist()))

    def add(self, item: str | int, k: int = 10) -> Answer:
        """Read one more item and answer, without a spectrum."""
        self.take(item)
        return self.answer(k)

    def answer(self, k: int = 10, exclude_seen: bool = False, spectrum: bool = False) -> Answer:
        """What comes next, from the state as it is."""
        engine, position = self._engine, self._position
        if position is None:
            return engine.recommend([], k)
        k = checked_k(k)
        found = None
        if spectrum:  # of as much as `recommend` would read
            found = engine.spectra.of(engine.read(self._history[-engine.max_history :])[0], position.gains)
        # without validation: every part is our own, and after 10,000 items it would take ten times as long as the rest
        return Answer.model_construct(
            world=engine.name,
            history=list(self._history),
            items=engine.rank(position, position.gate, self._seen, k, exclude_seen),
            gates=self._gates[-1],
            gate_history=list(self._gates),
            spectrum=found,
            themes=engine.themes(position),
            inventions=engine.inventions.described(self._inventions),
            notes=engine.notes_on_inventions(self._history) if self._inventions else [],
        )
