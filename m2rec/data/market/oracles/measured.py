"""An oracle measured as models are: the rank and probability of every purchase, and the probabilities of its causes.

Purchases of days from `first_target` on count. What the fair oracle reaches is a ceiling for models.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from m2rec.data.market.market import Market
from m2rec.data.market.oracles.oracles import Forecast
from m2rec.data.progress import progress
from m2rec.errors import DataError

Oracle = Callable[[Market, np.ndarray], Forecast]
CUSTOMERS_AT_ONCE = 40


@dataclass(frozen=True)
class Measured:
    """An oracle's forecasts of N purchases, compared with what was bought."""

    events: np.ndarray  # int64 (N,) their places in the arrays of the market
    ranks: np.ndarray  # float64 (N,) of what was bought, 1 is best, the mean rank among equals
    log_probabilities: np.ndarray  # float64 (N,) of what was bought
    causes: np.ndarray  # float64 (N, 4) of each cause, in the order of `CAUSES`

    def __getitem__(self, chosen: np.ndarray) -> "Measured":
        return Measured(**{name: values[chosen] for name, values in vars(self).items()})


def measure(market: Market, customers: np.ndarray, oracle: Oracle) -> Measured:
    """The oracle's forecasts of these customers' purchases (indices, int (C,)), in the order of the market's events.

    Raises DataError when a forecast is not finite.
    """
    parts = []
    lengths = market.sequences.lengths
    ordered = customers[np.argsort(lengths[customers], kind="stable")]  # equal lengths together: little is padding
    with progress(f"Measuring the {oracle.__name__} oracle", len(customers)) as advance:
        for start in range(0, len(ordered), CUSTOMERS_AT_ONCE):
            rows = ordered[start : start + CUSTOMERS_AT_ONCE]
            events = market.events_of(rows)
            targets = market.sequences.positions[events] >= market.settings.first_target
            forecast = oracle(market, rows)
            items, events = forecast.items[targets], events[targets]
            if not np.isfinite(items).all():
                raise DataError("The oracle's forecasts of this market are no numbers; export it with other settings.")
            given = items[np.arange(len(events)), market.sequences.events[events]][:, None]
            higher, equal = (items > given).sum(axis=1), (items[:, 1:] == given).sum(axis=1)
            ranks = 1 + higher + (equal - 1) / 2
            parts.append(Measured(events, ranks, np.log(given[:, 0]), forecast.causes[targets]))
            advance(len(rows))
    together = Measured(*(np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])))
    return together[np.argsort(together.events)]
