"""The gate graded in the Rhythm Market, where the cause of every purchase is known, beside the fair oracle."""

import numpy as np
import pandas as pd

from m2rec.branches import CAUSE_OF
from m2rec.data.market.generate import customer_names
from m2rec.data.market.market import Market
from m2rec.data.market.oracles.measured import measure
from m2rec.data.market.oracles.oracles import fair
from m2rec.data.market.settings import CAUSES
from m2rec.data.market.truth import cached_truth
from m2rec.data.prepared import Prepared
from m2rec.errors import DataError
from m2rec.evaluation.gates import GRADED, gate_report, gate_weights
from m2rec.evaluation.groups import by_cause
from m2rec.evaluation.metrics import outcomes, summary
from m2rec.evaluation.protocol import Part
from m2rec.evaluation.report import Grades, Hits
from m2rec.model.m2rec import M2Rec

HIT = "HR@10"


def grade(model: M2Rec, prepared: Prepared, market: Market, part: Part, max_length: int, ranks: np.ndarray) -> Grades:
    """Compare the gate before every target of one part with the cause of the purchase.

    `ranks` (T,) are the model's, seen items left in, rows as in `Split.targets`. The oracle takes about a minute for
    600 customers on one core; what it says of test customers is kept. Raises DataError when `prepared` was not made
    from this market.
    """
    _check(prepared, market)
    users, positions = prepared.split.targets(part)
    events = prepared.sequences.offsets[users] + positions  # (T,) the same in both: see `market_dataset`
    measured_events, oracle_ranks, oracle_causes = _oracle(market, np.unique(users), part)
    if not np.array_equal(measured_events, events):
        raise DataError(f"The split of {prepared.name} is not the market's own; prepare it with its shipped settings.")
    columns = [CAUSES.index(cause) for cause in CAUSE_OF.values()]
    causes = np.array(CAUSES)[market.causes[events]]
    report = gate_report(
        gate_weights(model, prepared, part, max_length)[:, GRADED],
        causes,
        market.periods[events],
        market.cycles[events],
        oracle_causes[:, columns],
    )
    hits = {
        name: _hits(ranks[group], oracle_ranks[group], prepared.item_count)
        for name, group in by_cause(causes, prepared.sequences.events[events] > prepared.warm_items).items()
    }
    return Grades(gates=report, oracle=summary(oracle_ranks), hits=hits)


def _oracle(market: Market, users: np.ndarray, part: Part) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the fair oracle's N targets stand in the arrays of the market (N,), its ranks of what was bought (N,) and
    its probabilities of the causes (N, 4). For the test part those of all its customers, from the cache.
    """
    if part != "test":
        measured = measure(market, users, fair)
        return measured.events, measured.ranks, measured.causes
    truth = cached_truth(market)
    owners = pd.Index(customer_names(len(market.customers))).get_indexer(truth["user"])
    events = market.sequences.offsets[owners] + truth["position"].to_numpy()
    causes = truth[[f"oracle_{cause}" for cause in CAUSES]].to_numpy()
    return events, truth["oracle_rank"].to_numpy(), causes


def _hits(model: np.ndarray, oracle: np.ndarray, items: int) -> Hits:
    """Ranks (N,) of the model's and the oracle's → how often each had the item among its ten."""
    rates = (float(outcomes(ranks, HIT).mean()) for ranks in (model, oracle))
    return Hits(targets=len(model), model=next(rates), oracle=next(rates), random=min(1.0, 10 / items))


def _check(prepared: Prepared, market: Market) -> None:
    """The same customers and the same purchases, by item id: their indices differ."""
    ids = market.shop.catalogue.table["item"].to_numpy(dtype=object)[market.sequences.events - 1]
    same = np.array_equal(prepared.sequences.offsets, market.sequences.offsets) and np.array_equal(
        np.array(prepared.item_ids, dtype=object)[prepared.sequences.events - 1], ids
    )
    if not same:
        raise DataError(f"{prepared.name} was prepared from another market; run `python -m m2rec prepare` again.")
