"""The bank of filters of `m2rec.model.frequency.log_odds.RecurrenceBank`, its weights arranged for one history.

Glossary (otherwise as in the branch)
    W, b      taps of a filter, bands          F_b,i(t)   the response of band b to item i
    others    how well the other bands had explained a choice, and all bands together: b + 1 columns
"""

from typing import NamedTuple

import numpy as np

from m2rec.inference.arrays import Shapes, Weights, sigmoid
from m2rec.inference.frequency.filters import balanced, impulse_response
from m2rec.model.config import ModelConfig
from m2rec.model.constants import LEAST_DUE_PROBABILITY

STEPS = np.array([-1, 0, 1])  # a step ago, now, a step on
LARGEST = np.float32(80.0)  # log-odds: the sum of three times as many exponentials as there are bands is still finite


class Recurrence(NamedTuple):
    """The items (X,) that may recur next, and the log-odds (X,) of each against an item that was never chosen."""

    items: np.ndarray
    scores: np.ndarray


class RecurrenceBank:
    """From the choices of an item to the belief that it is due, band by band."""

    @staticmethod
    def shapes(config: ModelConfig) -> Shapes:
        """Of its weights."""
        bands = len(config.periods)
        by_band = dict.fromkeys(("min_hit_rate", "band_bias", "late", "early"), (bands,))
        scalars: Shapes = dict.fromkeys(("explaining_away", "log_odds_scale"), ())
        return {"transfer": (bands, config.filter_length + 1, 2), **by_band, **scalars}

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        """`weights` of the branch, without "frequency." in front."""
        self.window, self.bands = config.filter_length, len(config.periods)
        self.reach = self.window + 1  # a step ago the filter still saw one choice more
        periods = np.array(config.periods)
        self.kernels = balanced(impulse_response(weights["transfer"]), config.periods)  # (b, W)
        self.by_lag = np.ascontiguousarray(self.kernels.T)  # (W, b)
        newest_last = self.kernels[:, ::-1]
        # taps that give F a step ago, now and a step on from the newest W + 1 choices, newest last: (W + 1, 3 b)
        ago, now, on = (np.zeros((self.bands, self.reach), dtype=np.float32) for _ in STEPS)
        ago[:, :-1], now[:, 1:], on[:, 2:] = newest_last, newest_last, newest_last[:, :-1]
        self.readings = np.ascontiguousarray(np.concatenate([ago, now, on]).T)
        on_phase = np.arange(1, self.window + 1) % periods[:, None] == 0
        never_failed = (self.kernels * on_phase).cumsum(-1)
        reached = never_failed[:, np.clip(np.arange(self.window + 2) - 1, 0, self.window - 1)]
        self.hit_rate, self.band_bias = sigmoid(weights["min_hit_rate"]), weights["band_bias"]  # ρ, β: (b,)
        threshold = self.band_bias[:, None] - self.hit_rate[:, None] * reached
        self.threshold = np.ascontiguousarray(threshold.T)  # (W + 2, b), by count
        around = np.clip(np.arange(self.window + 3)[:, None] + STEPS, 0, self.window + 1)
        self.thresholds = self.threshold[around].reshape(len(around), -1)  # (W + 3, 3 b), of all three steps
        gap = np.arange(self.window + 4)[:, None] % periods
        self.near = np.minimum(gap, periods - gap) <= 1  # (W + 4, b), whether so long a gap is on the same phase
        on_phase = self.near[np.arange(1, self.window + 3)[:, None] + STEPS].reshape(self.window + 2, -1)
        self.off_phase = np.concatenate([on_phase[:1], on_phase]) == 0  # (W + 3, 3 b), by gap, of all three steps
        self.late, self.early = sigmoid(weights["late"]), sigmoid(weights["early"])
        self.log_late, self.log_early = np.log(self.late), np.log(self.early)
        self.ways = np.concatenate([self.log_late, np.zeros_like(self.late), self.log_early])
        self.explaining_away = np.float32(weights["explaining_away"])
        # Σ_{c≠b} for every b, and Σ_c after them, as a product: (b, b + 1)
        self.all_but_each = 1 - np.eye(self.bands, self.bands + 1, dtype=np.float32)
        self.log_odds_scale = np.float32(weights["log_odds_scale"])
        self.scale = np.exp(self.log_odds_scale)
        self.adaptive = config.adaptive_filter

    def prior(self, habit: np.ndarray, count: np.ndarray | int) -> np.ndarray:
        """What is added to F. habit (n,) of the items, count (n,) or () of all choices so far → (n, 3 b) or (3 b,)."""
        prior: np.ndarray = self.thresholds[np.minimum(count, self.window + 2)] + habit[:, None]
        return prior

    def excluded(self, others: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """ε·R, which depends on the phase. others (n, b + 1) at the last choice, gap (n,) since then → (n, 3 b)."""
        but_each, each = others[:, :-1], others[:, -1:] - others[:, :-1]
        against = self.off_phase[gap].reshape(len(gap), len(STEPS), self.bands) * each[:, None]
        against += but_each[:, None]
        against *= self.explaining_away
        return against.reshape(len(gap), len(STEPS) * self.bands)

    def belief(self, log_odds: np.ndarray, band_keep: np.ndarray | None) -> np.ndarray:
        """h (…, b); the ablation without content weighs all bands alike."""
        if not self.adaptive:
            log_odds = np.broadcast_to(log_odds.mean(-1, keepdims=True), log_odds.shape)
        belief = sigmoid(log_odds)
        return belief if band_keep is None else belief * band_keep

    def due(self, log_odds: np.ndarray, not_late: np.ndarray, band_keep: np.ndarray | None) -> np.ndarray:
        """d. log_odds (n, 3 b), not_late bool (n,): came a step early or could not → (n, b)."""
        belief = self.belief(log_odds.reshape(-1, 3, self.bands), band_keep)
        ago, now, on = belief[:, 0], belief[:, 1], belief[:, 2]
        ago[not_late] = 0
        result = on * self.early
        result += now
        ago *= self.late
        result += ago
        return result

    def other_bands(self, log_odds: np.ndarray, not_late: np.ndarray) -> np.ndarray:
        """How well all other bands explain a choice, for every band, and all of them: (n, 3 b) → (n, b + 1)."""
        ways = log_odds + self.ways
        ways[not_late, : self.bands] = -np.inf
        odds = np.exp(np.minimum(ways, LARGEST, out=ways), out=ways).reshape(-1, len(STEPS), self.bands).sum(1)
        return np.log1p(odds @ self.all_but_each)

    def scores(self, each: np.ndarray) -> np.ndarray:
        """s, the log-odds of what is due through all bands together."""
        return (self.log_odds_scale + np.log(each + LEAST_DUE_PROBABILITY)).astype(np.float32)
