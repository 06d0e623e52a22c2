"""The gate graded in the Rhythm Market, where the cause of every purchase is known, beside the fair oracle."""

import numpy as np

from m2rec.branches import BRANCHES, EVIDENCE
from m2rec.data.market.market import Market
from m2rec.data.market.measured import measure
from m2rec.data.market.oracles import fair
from m2rec.data.market.settings import CAUSES
from m2rec.data.prepared import Prepared
from m2rec.errors import DataError
from m2rec.evaluation.gates import gate_report, gate_weights
from m2rec.evaluation.groups import by_cause
from m2rec.evaluation.metrics import outcomes, summary
from m2rec.evaluation.protocol import Part
from m2rec.evaluation.report import Grades, Hits
from m2rec.model.m2rec import M2Rec

HIT = "HR@10"


def grade(model: M2Rec, prepared: Prepared, market: Market, part: Part, max_length: int, ranks: np.ndarray) -> Grades:
    """Compare the gate before every target of one part with the cause of the purchase.

    `ranks` (T,) are the model's, seen items left in, rows as in `Split.targets`. The oracle takes about a minute for
    600 customers on one core. Raises DataError when `prepared` was not made from this market.
    """
    _check(prepared, market)
    users, positions = prepared.split.targets(part)
    events = prepared.sequences.offsets[users] + positions  # (T,) the same in both: see `market_dataset`
    measured = measure(market, np.unique(users), fair)
    if not np.array_equal(measured.events, events):
        raise DataError(f"The split of {prepared.name} is not the market's own; prepare it with its shipped settings.")
    columns = [CAUSES.index(EVIDENCE[branch].cause) for branch in BRANCHES]
    causes = np.array(CAUSES)[market.causes[events]]
    report = gate_report(
        gate_weights(model, prepared, part, max_length),
        causes,
        market.periods[events],
        market.cycles[events],
        measured.causes[:, columns],
    )
    hits = {
        name: _hits(ranks[group], measured.ranks[group], prepared.item_count)
        for name, group in by_cause(causes, prepared.sequences.events[events] > prepared.warm_items).items()
    }
    return Grades(gates=report, oracle=summary(measured.ranks), hits=hits)


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
