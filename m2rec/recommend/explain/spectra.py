"""The spectrum of an answer: that of the frequency branch's input, beside the gain of the filter that it applied."""

from functools import lru_cache

import numpy as np

from m2rec.inference.engine import InferenceEngine
from m2rec.recommend.explain.spectrum import Periodogram, gain_at, item_periodogram, periodogram
from m2rec.recommend.history import History
from m2rec.recommend.inventions import Inventions
from m2rec.recommend.parts import Spectrum

CACHED = 256


class Spectra:
    """The spectra of one world. The newest are cached, since every change of the gate asks about the same history."""

    def __init__(self, network: InferenceEngine, inventions: Inventions) -> None:
        self._network, self._inventions = network, inventions
        self._by_vectors = network.config.frequency == "spectral"  # else by each item's own occurrences
        self._cached = lru_cache(maxsize=CACHED)(self._measured)

    def of(self, history: History, gains: np.ndarray) -> Spectrum:
        """gains (b,) of the filter's bands."""
        if self._by_vectors and history.inventions:
            measured = periodogram(self._inventions.network(history.inventions).unit_vectors[history.indices])
        else:
            measured = self._cached(tuple(history.indices))
        gain = gain_at(gains @ self._network.kernels, measured.period)
        return Spectrum(
            period=measured.period.tolist(),
            power=measured.power.tolist(),
            threshold=measured.threshold.tolist(),
            filter_gain=gain.tolist(),
        )

    def _measured(self, indices: tuple[int, ...]) -> Periodogram:
        if self._by_vectors:
            return periodogram(self._network.unit_vectors[list(indices)])
        return item_periodogram(np.array(indices))
