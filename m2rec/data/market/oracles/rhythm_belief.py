"""A belief over a customer's rhythms given the purchases.

Hypotheses. Every item is either no standing item or one with a period p in 2…28 and a phase in 0…p-1: 405 rhythms an
item. For each the filter keeps the likelihood of the history so far *relative to the item being no standing item*, for
both values of the rhythm's bit (see `occurrences`). An item that has never been bought has the same table as any other
such item, so one table serves all of them.

One day, item x bought, hypothesis "i has this rhythm":

    not due           ratio 1
    due, x = i        P(no rhythm that goes before it is due) / P(x | i is no standing item)
    due, x ≠ i        P(x is bought by a rhythm that goes before it) / P(x | i is no standing item)

The last line is the cost of a missed day: little when a longer period explains the purchase, everything but the
probability of a miss when nothing does.

How many. The table's total is the item's odds of being standing if items were independent. They are not: a customer
has at most three rhythms. Sets of n items get the weight n! · P(n rhythms) that the process gives them, and every sum
over all sets (who stands, who goes first, is anyone due) is taken exactly by a forward and a backward pass over items.

What is approximate: the history enters each item's table with the belief over the other items' rhythms on that day, not
with the belief now. Half of a rhythm of equal period is taken to go before.
"""

from math import factorial

import numpy as np
from scipy.special import expit

from m2rec.data.market.oracles.occurrences import DUE, IDLE, NOT_DUE, all_rhythms, day_kinds, first_bit, steps
from m2rec.data.market.settings import LONGEST_PERIOD, MarketSettings

UNSEEN = 0  # the slot of all items that a customer has not bought yet
SURE = 60.0  # upper limit of log-odds: four or more larger ones would underflow
TINY = 1e-12
N_PERIODS = LONGEST_PERIOD - 1
NONE_DUE, NO_MATTER_WHAT = N_PERIODS, N_PERIODS + 1  # conditions on a set of items, after "none goes before period p"


class RhythmBelief:
    """Posterior over the rhythms of C customers. Call `expect`, then `observe`, for day 0, 1, 2, …

    S slots hold the items that a customer has bought, in the order of their first purchase; P = 27 periods; H of the
    405 rhythms have a day today on which they can be due.
    """

    def __init__(self, settings: MarketSettings, standing: np.ndarray, customers: int, days: int) -> None:
        """standing float (V+1,): which items rhythms are made of, as in `Shop`; `days` will be observed at most."""
        self._periods, self._phases = all_rhythms()
        self._steps = steps(settings)
        self._count_weights = np.array([factorial(n) * share for n, share in enumerate(settings.rhythm_counts)])
        self._weights = standing
        self._rows = np.arange(customers)
        slots = days + 2  # the unseen, one for every day, and one to spare
        prior = np.array(settings.period_weights)[self._periods - 2] / self._periods  # phases are equally likely
        self._tables = np.zeros((2, customers, slots, len(prior)))  # (bit, C, S, 405)
        self._tables[:, :, UNSEEN] = (prior[:, None] * first_bit(settings, self._periods, self._phases)).T[:, None]
        self._log_scales = np.zeros((customers, slots))  # log of the factor taken out of the tables to keep them near 1
        self._masses = np.zeros((customers, slots))  # prior weight of the item, or of all unseen ones together
        self._masses[:, UNSEEN] = 1
        self._slot_of = np.zeros((customers, len(standing)), dtype=np.int64)  # UNSEEN until the item is bought
        self._item_in = np.zeros((customers, slots), dtype=np.int64)
        self._used = np.zeros(customers, dtype=np.int64)  # slots besides UNSEEN
        self._day = 0

    def expect(self) -> tuple[np.ndarray, np.ndarray]:
        """P(each item is bought today by its rhythm), (C, V+1), and P(no rhythm is due), (C,). They sum to 1."""
        slots = self._used.max() + 2  # one more than in use, for an item that is new today
        kinds = day_kinds(self._periods, self._phases, self._day)
        self._columns = np.flatnonzero(kinds != IDLE)  # (H,), by period
        self._today = np.moveaxis(self._steps[kinds[self._columns]], 0, -1)  # (due, before, after, H)
        self._active = self._tables[:, :, :slots, self._columns]  # (before, C, S, H)

        totals = self._tables[:, :, :slots].sum(axis=(0, 3))  # (C, S)
        can_be_due = self._today[DUE].sum(axis=1)  # (before, H)
        due = self._active[0] * can_be_due[0] + self._active[1] * can_be_due[1]
        starts = np.searchsorted(self._periods[self._columns], np.arange(2, LONGEST_PERIOD + 1))
        due = np.add.reduceat(due, starts, axis=2) / np.where(totals > 0, totals, 1)[..., None]  # (C, S, P) if standing
        self._weigh(totals, due)
        # they sum to this but where three rhythms of the same period meet
        self._wins *= ((1 - self._none) / np.maximum(self._wins.sum(axis=(1, 2)), TINY))[:, None, None]

        wins = self._wins.sum(axis=2)
        each_unseen = wins[:, UNSEEN] / np.maximum(self._masses[:, UNSEEN], TINY)
        by_item = np.where(self._slot_of == UNSEEN, each_unseen[:, None] * self._weights, 0)
        by_item[self._rows[:, None], self._item_in[:, 1:slots]] = wins[:, 1:]  # slots to spare name item 0, with 0
        return by_item, self._none

    def observe(self, items: np.ndarray, base: np.ndarray) -> None:
        """Update by what was bought: items int (C,), base (C,) as in `Shop.base` for this item. That is 0 for one that
        is bought by rhythm alone, as may be where `taste_share` is 1.

        Item 0 is a day after a customer's last one; forecasts for that customer are meaningless afterwards.
        """
        base = np.maximum(base, TINY)  # where nothing else explains what was bought, 0 / 0
        self._give_slots(items)
        slots = self._slot_of[self._rows, items]
        by_base = self._none_if_not_standing * base[:, None]  # (C, S)
        explained = self._wins[self._rows, slots][:, None] / (1 - self._ahead)  # (C, S, P) by the rhythm of this item
        ratio = _of_longer(explained) / (explained.sum(axis=2) + by_base)[..., None]
        ratio[self._rows, slots] = self._clear_if_standing[self._rows, slots] / by_base[self._rows, slots, None]

        ratio = ratio[..., self._periods[self._columns] - 2]  # (C, S, H)
        count = ratio.shape[1]
        for after in range(2):
            not_due, due = self._today[NOT_DUE, :, after], self._today[DUE, :, after]  # (before, H)
            self._tables[after, :, :count, self._columns] = np.moveaxis(
                sum(self._active[before] * (not_due[before] + ratio * due[before]) for before in range(2)), 2, 0
            )
        totals = self._tables[:, self._rows, slots].sum(axis=(0, 2))
        self._tables[:, self._rows, slots] /= totals[:, None]
        self._log_scales[self._rows, slots] += np.log(totals)
        self._day += 1

    def _give_slots(self, items: np.ndarray) -> None:
        """Give slots to items that are bought for the first time."""
        new = np.flatnonzero(self._slot_of[self._rows, items] == UNSEEN)
        self._used[new] += 1
        slots, mass = self._used[new], self._weights[items[new]]
        share = mass / np.maximum(self._masses[new, UNSEEN], TINY)
        self._slot_of[new, items[new]], self._item_in[new, slots] = slots, items[new]
        self._masses[new, slots] = mass
        self._masses[new, UNSEEN] = np.maximum(self._masses[new, UNSEEN] - mass, 0)
        self._log_scales[new, slots] = self._log_scales[new, UNSEEN]
        self._tables[:, new, slots] = self._tables[:, new, UNSEEN]
        self._active[:, new, slots] = self._active[:, new, UNSEEN]
        self._wins[new, slots] = self._wins[new, UNSEEN] * share[:, None]
        self._clear_if_standing[new, slots] = self._clear_if_standing[new, UNSEEN]
        self._none_if_not_standing[new, slots] = (self._none[new] - share * self._unseen_and_none[new]) / (
            1 - share * self._standing[new, UNSEEN]
        )

    def _weigh(self, totals: np.ndarray, due: np.ndarray) -> None:
        """Sum over all sets of standing items: totals (C, S), due (C, S, P) by period if the item is standing.

        Sets `_standing` (C, S) P(standing), for UNSEEN the expected number of them; `_wins` (C, S, P) P(bought today by
        a rhythm of this period); `_ahead` (C, S, P) P(due and goes before period p); `_none` (C,) P(none is due);
        `_clear_if_standing` (C, S, P) P(no other goes before period p); `_none_if_not_standing` (C, S);
        `_unseen_and_none` (C,) as `_standing` of UNSEEN, but with none due.
        """
        slots = totals.shape[1]
        with np.errstate(divide="ignore"):  # arrivals are never standing: log 0
            log_odds = np.log(self._masses[:, :slots]) + self._log_scales[:, :slots] + np.log(totals)
        log_odds = np.minimum(log_odds, SURE).T[..., None]  # (S, C, 1)
        without, odds_unseen = expit(-log_odds), np.exp(log_odds[UNSEEN])
        ahead = _of_longer(due)
        allowed = np.concatenate([1 - ahead, 1 - due.sum(axis=2, keepdims=True), np.ones((*totals.shape, 1))], axis=2)
        with_item = expit(log_odds) * np.maximum(np.moveaxis(allowed, 1, 0), 0)  # (S, C, Q) Q = 29 conditions

        # before[s][n]: weight of n standing items in the slots before s; after[s][n]: of all from s on, given n before
        sizes = np.arange(len(self._count_weights))
        before, after = (np.zeros((slots + 1, len(sizes), *with_item.shape[1:])) for _ in range(2))  # (S+1, 4, C, Q)
        before[1] = [(odds_unseen * allowed[:, UNSEEN]) ** n / factorial(n) for n in sizes]  # any n of very many
        after[slots] = self._count_weights[:, None, None]
        for slot in range(1, slots):
            before[slot + 1] = without[slot] * before[slot]
            before[slot + 1, 1:] += with_item[slot] * before[slot, :-1]
        for slot in range(slots - 1, UNSEEN, -1):
            after[slot] = without[slot] * after[slot + 1]
            after[slot, :-1] += with_item[slot] * after[slot + 1, 1:]
        before[UNSEEN] = before[1]  # one of the unseen standing leaves the others as they are

        every = (before[1] * after[1]).sum(axis=0)  # (C, Q) under each condition, all sets
        others = [(before[:-1, : len(sizes) - n] * after[1:, n:]).sum(axis=1) for n in range(2)]  # (S, C, Q) each
        stands = np.concatenate([odds_unseen[None], expit(log_odds[1:])])
        possible = np.moveaxis(others[1] * stands, 0, 1)  # (C, S, Q) the item stands, the others meet the condition
        possible /= every[:, None, [NO_MATTER_WHAT]]
        self._standing = possible[..., NO_MATTER_WHAT]
        self._wins = due * possible[..., :N_PERIODS]
        self._ahead = np.minimum(ahead * self._standing[..., None], 1 - TINY)
        self._ahead[:, UNSEEN] = 0  # leaving one of the unseen out leaves all the others in
        self._none = every[:, NONE_DUE] / every[:, NO_MATTER_WHAT]
        self._unseen_and_none = (possible * allowed)[:, UNSEEN, NONE_DUE]
        clear = others[1] / np.maximum(others[1][..., [NO_MATTER_WHAT]], np.finfo(float).tiny)  # 0 / 0 without rhythms
        self._clear_if_standing = np.moveaxis(clear[..., :N_PERIODS], 0, 1)
        self._none_if_not_standing = (others[0][..., NONE_DUE] / others[0][..., NO_MATTER_WHAT]).T


def _of_longer(by_period: np.ndarray) -> np.ndarray:
    """For each period, the sum over the longer ones and half of its own (equal periods: either may go first)."""
    return np.cumsum(by_period[..., ::-1], axis=-1)[..., ::-1] - by_period / 2
