"""The catalogue as a shop: how popular each item is and, drawn with the seed, which items follow it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from m2rec.data.market.settings import MOST_SUCCESSORS, MarketSettings
from m2rec.data.market.shop.catalogue import Catalogue, best_sellers, load_catalogue

STRONGEST_PULL = 0.95  # upper limit where chains are made stronger, so that taste and noise still occur


@dataclass(frozen=True)
class Shop:
    """The part of the market that all customers share. V items, T themes.

    Item axes have V+1 entries, so that an item index is its own place; 0 stands for no item and has probability 0.
    """

    settings: MarketSettings
    catalogue: Catalogue
    popularity: np.ndarray  # float64 (V+1,) sums to 1 over the items that are not arrivals
    standing: np.ndarray  # float64 (V+1,) sums to 1: weights of the items of rhythms, higher for everyday items
    pull: np.ndarray  # float64 (V+1,) the probability that a follow-up comes next
    successors: np.ndarray  # int64 (V+1, 4) what may follow an item, 0 where it has fewer
    successor_shares: np.ndarray  # float64 (V+1, 4) rows sum to 1, or to 0 where nothing follows
    by_theme: np.ndarray  # float64 (2, T, V+1) items of each theme, rows sum to 1; [0] without arrivals, [1] with them

    @cached_property
    def links(self) -> np.ndarray:
        """`successors` as a table: float64 (V+1, V+1), [i, j] is the share of j among the follow-ups of i."""
        table = np.zeros((len(self.pull), len(self.pull)))
        np.put_along_axis(table, self.successors, self.successor_shares, axis=1)
        return table

    def base(self, previous: np.ndarray, interests: np.ndarray, with_arrivals: np.ndarray) -> np.ndarray:
        """What is bought on a day without a rhythm.

        previous int (N,), yesterday's items, 0 on a first day; interests float (N, T), the share of each theme;
        with_arrivals bool (N,) → probabilities float64 (N, V+1).
        """
        taste = np.where(with_arrivals[:, None], interests @ self.by_theme[1], interests @ self.by_theme[0])
        share, pull = self.settings.taste_share, self.pull[previous][:, None]
        return pull * self.links[previous] + (1 - pull) * (share * taste + (1 - share) * self.popularity)

    def base_causes(self, previous: np.ndarray) -> np.ndarray:
        """P(chain), P(taste), P(noise) on a day without a rhythm: previous int (N,) → float64 (N, 3)."""
        share, pull = self.settings.taste_share, self.pull[previous]
        return np.stack([pull, (1 - pull) * share, (1 - pull) * (1 - share)], axis=1)


def open_shop(settings: MarketSettings) -> Shop:
    """The shop of these settings; it depends on the seed and the settings of shops alone."""
    catalogue = load_catalogue()
    if settings.catalogue_share < 1:
        catalogue = best_sellers(catalogue, settings.catalogue_share)
    # Philox is specified bit for bit. Of the generator only `random` is used: its other methods may change with numpy.
    random = np.random.Generator(np.random.Philox(key=[settings.seed, 0]))
    decline = np.round(catalogue.place**-settings.popularity_exponent, 9)  # the last bits of a power differ by machine
    weights = np.append(0, catalogue.sales[catalogue.kind] * decline)
    warm = weights * np.append(False, ~catalogue.arrival)
    themed = np.pad(catalogue.in_theme, ((0, 0), (1, 0)))
    successors, shares = _links(settings, catalogue, random)
    return Shop(
        settings=settings,
        catalogue=catalogue,
        popularity=_normal(warm),
        standing=_normal(warm * np.append(0, catalogue.sales[catalogue.kind])),
        pull=np.where(shares.any(axis=1), np.append(0, _pull(settings, catalogue)), 0.0),
        successors=successors,
        successor_shares=shares,
        by_theme=np.stack([_normal(themed * warm), _normal(themed * weights)]),
    )


def _pull(settings: MarketSettings, catalogue: Catalogue) -> np.ndarray:
    """The probability that each item is followed by one of its successors, float64 (V,)."""
    pull = catalogue.follow_ups.sum(axis=1)[catalogue.kind]
    return pull if settings.chain_strength == 1 else np.minimum(settings.chain_strength * pull, STRONGEST_PULL)


def _links(
    settings: MarketSettings, catalogue: Catalogue, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Each item's successors and their shares, (V+1, 4) each.

    One by one: a kind by its weight among the kinds that follow, then any item of that kind that is not yet among the
    successors. The first is the dominant one. Arrivals follow nothing, and nothing follows them.
    """
    successors = np.zeros((len(catalogue.kind) + 1, MOST_SUCCESSORS), dtype=np.int64)
    shares = np.zeros(successors.shape)
    for row in np.flatnonzero(~catalogue.arrival):
        followers = catalogue.follow_ups[catalogue.kind[row]]
        free = ~catalogue.arrival
        free[row] = False
        wanted = settings.follow_up_shares[int(random.random() * len(settings.follow_up_shares))]
        for place in range(len(wanted)):
            weights = followers * np.bincount(catalogue.kind[free], minlength=len(followers)).astype(bool)
            if not weights.any():
                break
            kind = np.searchsorted(np.cumsum(weights), random.random() * np.cumsum(weights)[-1], side="right")
            choices = np.flatnonzero(free & (catalogue.kind == kind))
            chosen = choices[int(random.random() * len(choices))]
            free[chosen] = False
            successors[row + 1, place] = chosen + 1
            shares[row + 1, place] = wanted[place]
    return successors, _normal(shares)


def _normal(weights: np.ndarray) -> np.ndarray:
    """Weights scaled to sum to 1 along the last axis; rows without any weight stay 0."""
    totals = np.cumsum(weights, axis=-1)[..., -1:]  # unlike a sum, added up in one order on every machine
    return np.divide(weights, totals, out=np.zeros(weights.shape), where=totals > 0)
