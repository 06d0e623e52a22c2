"""What no model can beat: both oracles measured as models are, on the same purchases.

Figures are taken over days from `first_target` on. An AUC is the chance that the oracle gave the cause a higher
probability before a purchase that had it than before one that had not; by period and by cycles, a group of rhythm
purchases is compared with all purchases of other causes.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import mannwhitneyu

from m2rec.atomic import atomic_file
from m2rec.data.market.market import Market
from m2rec.data.market.oracles import Forecast, fair, informed
from m2rec.data.market.settings import CAUSES, RHYTHM
from m2rec.data.progress import progress
from m2rec.errors import DataError

Oracle = Callable[[Market, np.ndarray], Forecast]
ORACLES: dict[str, Oracle] = {"informed": informed, "fair": fair}
CUSTOMERS_AT_ONCE = 40
TOP = 10
MANY_CYCLES = 6  # this many cycles and more are one group
BANDS = np.array([0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])  # of forecast probability


@dataclass(frozen=True)
class Judged:
    """How an oracle did on N purchases."""

    events: np.ndarray  # int64 (N,) where they stand in the arrays of the market
    ranks: np.ndarray  # float64 (N,) of what was bought, 1 is best, the mean rank among equals
    log_probabilities: np.ndarray  # float64 (N,) of what was bought
    causes: np.ndarray  # float64 (N, 4) of each cause, in the order of `CAUSES`

    def __getitem__(self, kept: np.ndarray) -> "Judged":
        return Judged(**{name: values[kept] for name, values in vars(self).items()})


def judge(market: Market, customers: np.ndarray, oracle: Oracle) -> Judged:
    """Let an oracle forecast every day, from `first_target` on, of these customers (indices, int (C,))."""
    parts = []
    lengths = market.sequences.lengths
    ordered = customers[np.argsort(lengths[customers], kind="stable")]  # equal lengths together: little is padding
    with progress(f"Asking the {oracle.__name__} oracle", len(customers)) as advance:
        for start in range(0, len(ordered), CUSTOMERS_AT_ONCE):
            rows = ordered[start : start + CUSTOMERS_AT_ONCE]
            events = market.events_of(rows)
            asked = market.sequences.positions[events] >= market.settings.first_target
            forecast = oracle(market, rows)
            items, events = forecast.items[asked], events[asked]
            given = items[np.arange(len(events)), market.sequences.events[events]][:, None]
            higher, equal = (items > given).sum(axis=1), (items[:, 1:] == given).sum(axis=1)
            ranks = 1 + higher + (equal - 1) / 2
            parts.append(Judged(events, ranks, np.log(given[:, 0]), forecast.causes[asked]))
            advance(len(rows))
    together = Judged(*(np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])))
    return together[np.argsort(together.events)]


def ceilings(market: Market, customers: np.ndarray) -> dict[str, Any]:
    """Both oracles on these customers (indices, int (C,)), ready for JSON.

    For each oracle: `all`, `by_cause`, `by_period` and `by_cycles` (rhythm purchases only) hold targets, HR@10,
    NDCG@10, mean log-likelihood and, but for `all`, the AUC; `calibration` compares the probability of a rhythm with
    how often there was one. 500 customers take about a minute.
    """
    found = {name: judge(market, customers, oracle) for name, oracle in ORACLES.items()}
    return {
        "customers": len(customers),
        "first_target": market.settings.first_target,
        "settings": asdict(market.settings),
        **{name: _report(market, judged) for name, judged in found.items()},
    }


def write_ceilings(market: Market, customers: np.ndarray, path: Path) -> dict[str, Any]:
    """Work out the ceilings, save them as JSON whole or not at all, and return them."""
    found = ceilings(market, customers)
    try:
        with atomic_file(path) as temporary:
            temporary.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} could not be written ({error}); what was there before is unchanged.") from error
    return found


def _report(market: Market, judged: Judged) -> dict[str, Any]:
    causes, periods = market.causes[judged.events], market.periods[judged.events]
    cycles = np.minimum(market.cycles[judged.events], MANY_CYCLES)
    rhythm = causes == RHYTHM

    def figures(group: np.ndarray, cause: int) -> dict[str, float]:
        return _figures(judged[group]) | {"AUC": _auc(judged.causes[:, cause], group, causes != cause)}

    return {
        "all": _figures(judged),
        "by_cause": {name: figures(causes == cause, cause) for cause, name in enumerate(CAUSES)},
        "by_period": {
            str(period): figures(rhythm & (periods == period), RHYTHM) for period in np.unique(periods[rhythm])
        },
        "by_cycles": {
            f"{count}+" if count == MANY_CYCLES else str(count): figures(rhythm & (cycles == count), RHYTHM)
            for count in np.unique(cycles[rhythm])
        },
        "calibration": _calibration(judged.causes[:, RHYTHM], rhythm),
    }


def _figures(judged: Judged) -> dict[str, float]:
    hit = judged.ranks <= TOP
    return {
        "targets": len(hit),
        f"HR@{TOP}": float(hit.mean()),
        f"NDCG@{TOP}": float((hit / np.log2(1 + judged.ranks)).mean()),
        "log_likelihood": float(judged.log_probabilities.mean()),
    }


def _auc(scores: np.ndarray, group: np.ndarray, others: np.ndarray) -> float:
    """P(one of the group scores higher than one of the others) + half P(equal)."""
    return float(mannwhitneyu(scores[group], scores[others]).statistic / (group.sum() * others.sum()))


def _calibration(forecast: np.ndarray, happened: np.ndarray) -> list[dict[str, float]]:
    bands = np.clip(np.searchsorted(BANDS, forecast, side="right") - 1, 0, len(BANDS) - 2)
    return [
        {
            "from": float(BANDS[band]),
            "to": float(BANDS[band + 1]),
            "targets": int((bands == band).sum()),
            "forecast": float(forecast[bands == band].mean()),
            "happened": float(happened[bands == band].mean()),
        }
        for band in np.unique(bands)
    ]
