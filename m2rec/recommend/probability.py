"""How likely one item is after a history, without the answer around it."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from m2rec.recommend.history import GivenHistory
from m2rec.recommend.options import MOST_ITEMS, Band, Options, gate_weights
from m2rec.recommend.ranking import rank_in, weighed
from m2rec.recommend.validation import checked

if TYPE_CHECKING:
    from m2rec.recommend.engine import Engine


def probability(
    engine: "Engine",
    history: GivenHistory,
    item: str | int,
    exclude_seen: bool = False,
    gate_override: Mapping[str, float] | None = None,
    band_mask: Sequence[Band] | None = None,
) -> float | None:
    """Of an item (title or id), asked as `Engine.recommend` is; None where it is not among the first `MOST_ITEMS`.

    Raises InputError with one sentence.
    """
    given = {"exclude_seen": exclude_seen, "gate_override": gate_override, "band_mask": band_mask}
    options = checked(Options, given)
    place = engine.catalogue.index(item) - 1
    read, _ = engine.read(history)
    if not read.indices:
        listed = engine.recommend([], MOST_ITEMS).items
        return next((one.probability for one in listed if one.item_id == engine.items[place].item_id), None)
    position = engine.network(read).newest(read.indices, engine.band_keep(options.band_mask or []))
    gate = gate_weights(options.gate_override) if options.gate_override else position.gate
    seen = read.seen()
    branches = engine.inference.distributions(position, seen)
    shares, ranking = weighed(branches, gate, seen if exclude_seen else None)
    rank = rank_in(ranking, place, branches)
    return None if rank is None or rank > MOST_ITEMS else math.fsum(shares[:, place].tolist())
